//! What was not over in an older service.

/// Why a job or a scene in such a status is not taken further.
pub(crate) fn unfinished(status: &str) -> String {
    format!("was unfinished in the older service (status {status}) and is not taken further")
}
