//! What is wanted, and how it ended.

use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One wanted prediction. Placing it again under its key is a question, never a second purchase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Such as `job-43/scene-2/take-1`; unique in the service.
    pub key: String,
    /// Digest of what is wanted: the same key with another digest is refused.
    pub digest: String,
    /// Whose turn it is is decided by campaign.
    pub campaign_id: String,
    /// The provider's name for the model: `owner/name` or `owner/name:version`.
    pub model: String,
    /// The model's input without its media and without the mark.
    pub input: Value,
    /// Media that the input names by URL; made reachable anew for each attempt. The first one's URL is the mark.
    #[serde(default)]
    pub media: Vec<MediaInput>,
    /// For a model without media: the integer input member that gets a number drawn for each attempt, as the mark.
    #[serde(default)]
    pub mark_seed: Option<String>,
    /// What a delivered prediction costs, USD micros.
    pub price_micros: i64,
    /// Whatever the service wants back with each fact (ids of job and scene, for example).
    #[serde(default)]
    pub context: Value,
}

/// A blob that the provider has to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediaInput {
    /// Member of the input that gets the URL, such as `first_frame_image`.
    pub field: String,
    /// The bytes.
    pub blob: BlobRef,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The output is in the object store.
    Delivered {
        /// The output.
        blob: BlobRef,
        /// The prediction that made it.
        prediction_id: String,
        /// What the service's own check found out about it (its duration, for example).
        #[serde(default)]
        found: Value,
    },
    /// It will not come.
    Failed(Failure),
    /// The service asked for it to be stopped.
    Canceled {
        /// Why, in the asker's words.
        reason: String,
    },
}

/// Why an order failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub class: FailureClass,
    /// For a person: what was wrong and what to do.
    pub reason: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(class: FailureClass, reason: impl Into<String>) -> Self {
        Self { class, reason: reason.into() }
    }

    /// Whether ordering anew, by a person's wish, may help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        !matches!(self.class, FailureClass::Refused | FailureClass::Input)
    }
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The provider refuses the content.
    Refused,
    /// The provider cannot use the input.
    Input,
    /// The provider refuses the account: key, credit, or a rate limit that did not end.
    Account,
    /// The provider never took the order on.
    Unavailable,
    /// The provider reported a failure, and fresh attempts (if any) did not help.
    Provider,
    /// It took too long.
    Overdue,
    /// It was made and paid for, and cannot be had: no output, or gone.
    Output,
    /// It was made and paid for, and is not what was ordered.
    Media,
    /// Nobody can tell whether it was bought; only a person buys again.
    Unknown,
}

impl FailureClass {
    /// The class in one word, as it is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Input => "input",
            Self::Account => "account",
            Self::Unavailable => "unavailable",
            Self::Provider => "provider",
            Self::Overdue => "overdue",
            Self::Output => "output",
            Self::Media => "media",
            Self::Unknown => "unknown",
        }
    }
}
