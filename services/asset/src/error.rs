//! Failures of what lies below, as callers see them.

use blobs::BlobError;
use eventlog::{AppendError, LogError};
use kit::ServiceError;
use media::MediaError;

use crate::command;

/// The database failed: our fault.
pub(crate) fn log(error: LogError) -> ServiceError {
    ServiceError::internal(error)
}

/// An append that cannot be decided again.
pub(crate) fn append(error: AppendError) -> ServiceError {
    match error {
        AppendError::Reused => command::reused(),
        error => ServiceError::internal(error),
    }
}

/// The store failed, or scratch is full.
pub(crate) fn blobs(error: BlobError) -> ServiceError {
    ServiceError::of_store(error)
}

/// A file that cannot be used is the caller's; anything else is ours.
pub(crate) fn media(error: MediaError) -> ServiceError {
    if error.is_about_the_input() {
        return unusable_file(&error.to_string());
    }
    match error {
        MediaError::TimedOut { .. } => {
            ServiceError::unavailable("The file could not be read in time; try again, or send a smaller one.")
        }
        MediaError::NoSpace { .. } => {
            ServiceError::unavailable("There is no room for the file right now; try again later.")
        }
        error => return ServiceError::internal(error),
    }
    .because(error)
}

/// The contract's text for bytes that are nothing usable, and what is wrong with them.
pub(crate) fn unusable_file(why: &str) -> ServiceError {
    ServiceError::validation([("blob_data", "is invalid"), ("blob_data", why)])
}

/// What a write rests on kept changing.
pub(crate) fn contended() -> ServiceError {
    ServiceError::unavailable("It is being changed by others right now; try again.")
}
