//! Typed access to a stage's control plane.

use serde_json::Value;

use crate::report::Ledger;

/// A stage somewhere, seen through its control plane. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StageControl {
    http: reqwest::Client,
    base: String,
}

/// Why a control call failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The stage could not be reached, or its answer not read.
    #[error("soundstage control plane: {0}")]
    Http(#[from] reqwest::Error),
    /// The stage refused.
    #[error("soundstage refused {what}: HTTP {status}: {body}")]
    Refused {
        /// Which call.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// What it said.
        body: String,
    },
}

impl StageControl {
    /// `base_url` as in [`crate::Stage::base_url`], like `http://127.0.0.1:4600`.
    pub fn new(base_url: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base_url.trim_end_matches('/').to_owned() }
    }

    /// Everything the stage remembers.
    pub async fn ledger(&self) -> Result<Ledger, ControlError> {
        let answer = self.http.get(self.url("ledger")).send().await?;
        Ok(accepted("the ledger", answer).await?.json().await?)
    }

    /// Replaces the fault rules: `{"rules":[{"when":{...},"then":{"fault":"..."}}]}`, or [`crate::FaultRules`].
    pub async fn faults(&self, rules: impl serde::Serialize) -> Result<(), ControlError> {
        let answer = self.http.put(self.url("faults")).json(&rules).send().await?;
        accepted("these faults", answer).await.map(drop)
    }

    /// Drops all fault rules. Predictions, files and held predictions stay.
    pub async fn reset(&self) -> Result<(), ControlError> {
        accepted("a reset", self.http.post(self.url("reset")).send().await?).await.map(drop)
    }

    /// Lets every held prediction go. Returns how many there were.
    pub async fn release(&self) -> Result<u64, ControlError> {
        let answer = accepted("a release", self.http.post(self.url("release")).send().await?).await?;
        let body: Value = answer.json().await?;
        Ok(body.get("released").and_then(Value::as_u64).unwrap_or(0))
    }

    /// Accepts only these keys from now on, and answers any other with 401 and the key; none: accepts any.
    pub async fn accept_keys(&self, keys: Option<&[&str]>) -> Result<(), ControlError> {
        let body = serde_json::json!({ "accepted": keys });
        let answer = self.http.put(self.url("keys")).json(&body).send().await?;
        accepted("these keys", answer).await.map(drop)
    }

    /// Signs webhooks with a new secret from now on, and tells nobody.
    pub async fn new_webhook_secret(&self) -> Result<(), ControlError> {
        let answer = self.http.post(self.url("webhook-secret")).send().await?;
        accepted("a new webhook secret", answer).await.map(drop)
    }

    fn url(&self, what: &str) -> String {
        format!("{}/_stage/{what}", self.base)
    }
}

async fn accepted(what: &'static str, answer: reqwest::Response) -> Result<reqwest::Response, ControlError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.text().await.unwrap_or_default();
    Err(ControlError::Refused { what, status: status.as_u16(), body })
}
