//! What can go wrong in the render service.

use kit::{Code, ServiceError};
use predictions::OrderError;

/// A failure or a refusal.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A request's fields are wrong: name and message.
    #[error("the request is not valid")]
    Invalid(Vec<(&'static str, String)>),
    /// Nothing is known under this key.
    #[error("there is no render {0}; it was never asked for")]
    Unknown(String),
    /// The take is rendered under another key.
    #[error("take {take} of scene {scene_id} of job {job_id} is rendered under the key {key}; use that key")]
    OtherKey {
        /// The job.
        job_id: i32,
        /// The scene.
        scene_id: String,
        /// The take.
        take: u32,
        /// The key it has.
        key: String,
    },
    /// Reading the tables failed.
    #[error("the render database failed")]
    Log(#[from] eventlog::LogError),
    /// The orders' engine refused or failed.
    #[error(transparent)]
    Order(#[from] OrderError),
}

impl From<RenderError> for ServiceError {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Invalid(violations) => Self::validation(violations),
            RenderError::Unknown(_) => Self::not_found(error.to_string()),
            RenderError::OtherKey { .. } => Self::new(Code::Conflict, "take_exists", error.to_string()),
            RenderError::Order(OrderError::DigestMismatch { .. }) => {
                Self::new(Code::Conflict, "digest_mismatch", error.to_string())
            }
            RenderError::Order(OrderError::Busy { .. }) => Self::unavailable(error.to_string()),
            RenderError::Order(OrderError::NoSecret(_)) => {
                Self::unavailable("Webhooks cannot be checked at the moment; send it again later.")
                    .because(error)
            }
            other => Self::internal(other),
        }
    }
}
