//! Failures that only say that a disk is full, or that scratch is.

use std::{
    error::Error,
    io::{self, ErrorKind},
    sync::Arc,
};

use blobs::{BlobError, NoRoom};

use crate::{Code, ServiceError};

/// What systems and databases say of a disk, a quota or a file that takes no more. Where an error is kept as text, or in
/// the driver's own type, there is nothing else to know it by.
const WORDS: [&str; 6] = [
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "disk is full",
    "database is full",
    "SQLITE_FULL",
];

/// The reason of a refusal for want of room in scratch.
const NO_ROOM: &str = "no_room";

impl ServiceError {
    /// A failure of the object store, for whoever answers a caller: that scratch has no room right now passes, and
    /// anything else is our own fault.
    #[must_use]
    pub fn of_store(error: BlobError) -> Self {
        match error {
            BlobError::NoRoom(full) if !full.is_lasting() => Self::no_room(full),
            error => Self::internal(error),
        }
    }

    /// There is no room in scratch right now: others have it, and will give it back.
    #[must_use]
    pub fn no_room(full: NoRoom) -> Self {
        let message = "There is no room for the file right now; try again in a moment, a write with the same \
                       Idempotency-Key.";
        Self::new(Code::Unavailable, NO_ROOM, message).because(full)
    }

    /// The same, as `no_space` where it is our own failure and its cause is that a disk is full. For whoever fills
    /// `service` (such as `asset`) with a great deal at once, and can make room.
    #[must_use]
    pub fn or_no_space(self, service: &str) -> Self {
        let ours = self.source.as_ref().filter(|_| self.code == Code::Internal);
        let Some(cause) = ours.and_then(|source| no_space(source.as_ref())) else { return self };
        let message = format!(
            "There is no room left on the disk of the {service} service. Make room and run the import again: what was \
             brought over so far stays and is found again."
        );
        Self::new(Code::Exhausted, "no_space", message).fact("cause", cause)
    }
}

/// What says, in a failure, that there is no room left; none when nothing does.
fn no_space(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let shared = error.downcast_ref::<Arc<dyn Error + Send + Sync>>();
        let error: &(dyn Error + 'static) = shared.map_or(error, |shared| shared.as_ref());
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        let scratch = matches!(error.downcast_ref(), Some(BlobError::NoRoom(_)));
        let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
        let text = error.to_string();
        if scratch
            || kind.is_some_and(|kind| full.contains(&kind))
            || WORDS.iter().any(|words| text.contains(words))
        {
            return Some(text);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: impl Into<anyhow::Error>) -> ServiceError {
        ServiceError::internal(source).or_no_space("job")
    }

    #[test]
    fn a_full_disk_is_told_however_its_error_is_wrapped() {
        let driver = |words: &str| anyhow::anyhow!("{words}").context("the database failed while committing");
        let failures = [
            anyhow::Error::from(io::Error::from(ErrorKind::StorageFull)).context("writing ab/cd"),
            io::Error::from(ErrorKind::QuotaExceeded).into(),
            io::Error::from(ErrorKind::FileTooLarge).into(),
            io::Error::other("File too large (os error 27)").into(),
            driver("database or disk is full"),
            driver("SQLITE_FULL"),
            eventlog::LogError::Commit(Arc::new(io::Error::from(ErrorKind::StorageFull))).into(),
            driver("ERROR: could not extend file \"base/5\": No space left on device"),
            BlobError::NoRoom(NoRoom { needed: 9, reserved: 4, limit: 8 }).into(),
        ];
        for failure in failures {
            let error = told(failure);
            assert_eq!((error.code, error.reason.as_str()), (Code::Exhausted, "no_space"), "{error:?}");
            assert!(error.message.contains("the disk of the job service"), "{error}");
            assert!(!error.facts["cause"].is_empty());
        }
    }

    #[test]
    fn what_the_system_says_of_a_file_that_takes_no_more_is_known() {
        // EFBIG and ENOSPC.
        for number in [27, 28] {
            assert_eq!(told(io::Error::from_raw_os_error(number)).reason, "no_space");
        }
    }

    #[test]
    fn a_full_scratch_passes_unless_it_is_too_small_for_good() {
        let of = |needed| ServiceError::of_store(NoRoom { needed, reserved: 4, limit: 8 }.into());
        assert_eq!((of(5).code, of(5).reason.as_str()), (Code::Unavailable, NO_ROOM));
        assert!(of(5).is_retryable());
        assert_eq!(of(9).code, Code::Internal);
        assert_eq!(ServiceError::of_store(BlobError::TooLarge { limit: 1 }).code, Code::Internal);
    }

    #[test]
    fn everything_else_stays_what_it_is() {
        assert_eq!(told(anyhow::anyhow!("no such table")).reason, "internal");
        let refusal = ServiceError::not_found("no such disk is full").or_no_space("job");
        assert_eq!(refusal.reason, "not_found");
        let away = ServiceError::unavailable("away").because(anyhow::anyhow!("No space left on device"));
        assert_eq!(away.or_no_space("job").reason, "unavailable");
    }
}
