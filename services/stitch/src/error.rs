//! What can go wrong in the stitch service.

use kit::{Code, ServiceError};

/// A failure or a refusal.
#[derive(Debug, thiserror::Error)]
pub enum StitchError {
    /// A request's fields are wrong: name and message.
    #[error("the request is not valid")]
    Invalid(Vec<(&'static str, String)>),
    /// Nothing is known under this key.
    #[error("there is no product {0}; it was never asked for")]
    Unknown(String),
    /// The key is taken by something else.
    #[error("{0} was asked for before with a different content; use a new key for a new product")]
    DigestMismatch(String),
    /// Another writer was faster, again and again.
    #[error("{0} is being changed by others; try again")]
    Busy(String),
    /// Bytes that a request names are not in the object store.
    #[error("there is no video {0} in the object store")]
    NoVideo(String),
    /// Reading the tables failed.
    #[error("the stitch database failed")]
    Log(#[from] eventlog::LogError),
    /// Writing failed.
    #[error("the stitch database refused the write")]
    Append(#[source] eventlog::AppendError),
    /// An event or a column has no JSON form, or is not one.
    #[error("an event could not be turned into JSON")]
    Json(#[from] serde_json::Error),
    /// The object store failed.
    #[error("the object store failed")]
    Blob(#[from] blobs::BlobError),
    /// The media tools failed.
    #[error("the media tools failed")]
    Media(#[from] media::MediaError),
}

impl From<StitchError> for ServiceError {
    fn from(error: StitchError) -> Self {
        match error {
            StitchError::Invalid(violations) => Self::validation(violations),
            StitchError::Unknown(_) | StitchError::NoVideo(_) => Self::not_found(error.to_string()),
            StitchError::DigestMismatch(_) => Self::new(Code::Conflict, "digest_mismatch", error.to_string()),
            StitchError::Busy(_) => Self::unavailable(error.to_string()),
            StitchError::Blob(error) => Self::of_store(error),
            StitchError::Media(media) if media.is_about_the_input() => {
                Self::validation([("video", media.to_string())])
            }
            other => Self::internal(other),
        }
    }
}
