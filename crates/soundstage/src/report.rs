//! What the control plane tells: the shapes behind `GET /_stage/ledger`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything the stage remembers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Every accepted prediction, oldest first.
    pub predictions: Vec<LedgerEntry>,
    /// The most predictions that were ever unfinished at one moment, per kind.
    pub max_in_flight: InFlight,
    /// Requests per route since the directory was made.
    pub requests: BTreeMap<String, u64>,
    /// Every webhook delivery, oldest first.
    pub webhooks: Vec<Delivery>,
}

/// The high-water marks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// Image-to-video predictions.
    pub video: u64,
    /// Music predictions.
    pub music: u64,
}

/// One accepted prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The provider's id.
    pub id: String,
    /// `video` or `music`.
    pub kind: String,
    /// `owner/name`.
    pub model: String,
    /// The provider's status word.
    pub status: String,
    /// The prompt in the input, or empty.
    pub prompt: String,
    /// The whole input as it was sent.
    pub input: Value,
    /// RFC 3339.
    pub accepted_at: String,
    /// RFC 3339; none before the model started.
    pub started_at: Option<String>,
    /// RFC 3339; none while unfinished.
    pub completed_at: Option<String>,
    /// Money was taken: succeeded, or canceled after the start.
    pub charged: bool,
    /// It ended as `canceled`.
    pub canceled: bool,
    /// What was charged, in USD; 0 when not charged.
    pub cost_usd: f64,
    /// The answer to the create call did not reach the caller as it should.
    pub answer_dropped: bool,
    /// Why it failed.
    pub error: Option<String>,
}

/// One webhook delivery, under one `webhook-id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The `webhook-id` header.
    pub id: String,
    /// Whose news.
    pub prediction_id: String,
    /// `start`, `output` or `completed`.
    pub event: String,
    /// Tries so far.
    pub attempts: u64,
    /// The last HTTP status, none when nobody answered.
    pub last_status: Option<u16>,
    /// Accepted with a 2xx.
    pub delivered: bool,
}

impl Ledger {
    /// The predictions of one kind (`video` or `music`).
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &LedgerEntry> {
        let kind = kind.to_owned();
        self.predictions.iter().filter(move |p| p.kind == kind)
    }

    /// The predictions that cost money.
    pub fn charged(&self) -> impl Iterator<Item = &LedgerEntry> {
        self.predictions.iter().filter(|p| p.charged)
    }

    /// All money taken, in USD.
    pub fn total_usd(&self) -> f64 {
        self.predictions.iter().map(|p| p.cost_usd).sum()
    }
}
