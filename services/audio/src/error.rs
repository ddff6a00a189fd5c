//! What can go wrong in the audio service.

use kit::{Code, ServiceError};

/// A failure or a refusal.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// A request's fields are wrong: name and message.
    #[error("the request is not valid")]
    Invalid(Vec<(&'static str, String)>),
    /// Nothing is known under this key.
    #[error("there is no soundtrack {0}; it was never asked for")]
    Unknown(String),
    /// The key is taken by something else.
    #[error("{0} was asked for before with a different content; use a new key for a new soundtrack")]
    DigestMismatch(String),
    /// Another writer was faster, again and again.
    #[error("{0} is being changed by others; try again")]
    Busy(String),
    /// An event has no JSON form, or is not one.
    #[error("an event could not be turned into JSON")]
    Json(#[from] serde_json::Error),
    /// Reading the tables failed.
    #[error("the audio database failed")]
    Log(#[from] eventlog::LogError),
    /// Writing failed.
    #[error("the audio database refused the write")]
    Append(#[source] eventlog::AppendError),
    /// The orders' engine failed.
    #[error("the order could not be carried on")]
    Order(#[from] predictions::OrderError),
}

impl From<AudioError> for ServiceError {
    fn from(error: AudioError) -> Self {
        match error {
            AudioError::Invalid(violations) => Self::validation(violations),
            AudioError::Unknown(_) => Self::not_found(error.to_string()),
            AudioError::DigestMismatch(_) => Self::new(Code::Conflict, "digest_mismatch", error.to_string()),
            AudioError::Busy(_) => Self::unavailable(error.to_string()),
            AudioError::Order(predictions::OrderError::NoSecret(_)) => {
                Self::unavailable("Webhooks cannot be checked at the moment; send it again later.")
                    .because(error)
            }
            other => Self::internal(other),
        }
    }
}
