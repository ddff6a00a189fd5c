//! Where things are brought to: the services' own code in this process, or services that run.

mod inside;
mod wire;

use async_trait::async_trait;
use kit::ServiceError;
use protos::{
    asset::v1::{CheckBytesReply, LegacyThing, ListImportedReply, Piece},
    common::v1::{BlobRef, ImportResult},
    job::v1::{ImportJobReply, LegacyJob, ListImportedJobsReply},
};
use tokio::sync::mpsc;

pub(super) use inside::Inside;
pub(super) use wire::{Addresses, Wire};

/// A service that keeps what is brought over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Asset,
    Job,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Job => "job",
        }
    }
}

/// What of the services' code the importer calls; see `proto/asset/v1/legacy.proto` and `proto/job/v1/legacy.proto`.
/// Every method is harmless to repeat.
#[async_trait]
pub(super) trait Target: Send + Sync + 'static {
    /// Where a service is, for a person: `in ./data` or `at 127.0.0.1:5001`.
    fn place(&self, service: Service) -> String;

    /// Stores the blobs that come in pieces; they are durable when this returns.
    async fn store(&self, pieces: mpsc::Receiver<Piece>) -> Result<Vec<BlobRef>, ServiceError>;

    /// What really lies under a hash.
    async fn check(&self, sha256: &str) -> Result<CheckBytesReply, ServiceError>;

    /// Fetches a URL.
    async fn fetch(&self, url: &str) -> Result<BlobRef, ServiceError>;

    /// Brings over clients, campaigns, assets and keys, in their order; as many results as things.
    async fn import(&self, things: Vec<LegacyThing>) -> Result<Vec<ImportResult>, ServiceError>;

    /// Brings over a job. Numbers up to `leave_up_to` are left to the other jobs of the source.
    async fn import_job(&self, job: LegacyJob, leave_up_to: i32) -> Result<ImportJobReply, ServiceError>;

    /// What came from a source, a page after `after`.
    async fn list(&self, source: &str, after: Option<i64>) -> Result<ListImportedReply, ServiceError>;

    /// Jobs that came from a source, a page after `after`.
    async fn list_jobs(
        &self,
        source: &str,
        after: Option<i64>,
    ) -> Result<ListImportedJobsReply, ServiceError>;
}

/// A service could not do its part, so that the run stops.
#[derive(Debug, thiserror::Error)]
#[error("the {service} service {place} failed at {doing}: {why}", service = service.name())]
pub(super) struct TargetError {
    service: Service,
    place: String,
    doing: &'static str,
    why: String,
}

/// Says of a failure which service it is of, where that is, and what it was doing.
pub(super) fn at<'a>(
    target: &'a dyn Target,
    service: Service,
    doing: &'static str,
) -> impl Fn(ServiceError) -> TargetError + 'a {
    move |error| TargetError { service, place: target.place(service), doing, why: in_words(&error) }
}

/// A failure with its cause, which a service's callers are not told; whoever imports is who can mend it.
pub(super) fn in_words(error: &ServiceError) -> String {
    match &error.source {
        Some(cause) if error.code == kit::Code::Internal => format!("{cause:#}"),
        Some(cause) => format!("{error} ({cause:#})"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_its_cause() {
        let full =
            anyhow::Error::from(std::io::Error::other("No space left on device")).context("writing ab/cd");
        assert_eq!(in_words(&ServiceError::internal(full)), "writing ab/cd: No space left on device");
        let away = ServiceError::unavailable("The asset service is not reachable")
            .because(anyhow::anyhow!("refused"));
        assert_eq!(in_words(&away), "The asset service is not reachable (refused)");
        assert_eq!(in_words(&ServiceError::not_found("no such thing")), "no such thing");
    }
}
