//! The databases and the object store of a standalone that is stopped, through the services' code in this process.

use async_trait::async_trait;
use futures::StreamExt as _;
use kit::ServiceError;
use protos::{
    asset::v1::{
        CheckBytesReply, CheckBytesRequest, FetchBytesRequest, ImportRequest, LegacyThing, ListImportedReply,
        ListImportedRequest, Piece,
    },
    common::v1::{BlobRef, ImportResult},
    job::v1::{ImportJobReply, LegacyJob, ListImportedJobsReply, ListImportedJobsRequest},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Service, Target};
use crate::standalone::Keeping;

/// A data directory that this process holds.
#[derive(Debug)]
pub(in crate::import) struct Inside(pub(in crate::import) Keeping);

#[async_trait]
impl Target for Inside {
    fn place(&self, _: Service) -> String {
        format!("in {}", self.0.place())
    }

    async fn store(&self, pieces: mpsc::Receiver<Piece>) -> Result<Vec<BlobRef>, ServiceError> {
        let pieces = ReceiverStream::new(pieces).map(Ok);
        Ok(self.0.asset.store_bytes(pieces).await?.blobs)
    }

    async fn check(&self, sha256: &str) -> Result<CheckBytesReply, ServiceError> {
        self.0.asset.check_bytes(CheckBytesRequest { sha256: sha256.to_owned() }).await
    }

    async fn fetch(&self, url: &str) -> Result<BlobRef, ServiceError> {
        self.0.asset.fetch_bytes(FetchBytesRequest { url: url.to_owned() }).await
    }

    async fn import(&self, things: Vec<LegacyThing>) -> Result<Vec<ImportResult>, ServiceError> {
        Ok(self.0.asset.import(ImportRequest { things }).await?.results)
    }

    async fn import_job(&self, job: LegacyJob, leave_up_to: i32) -> Result<ImportJobReply, ServiceError> {
        self.0.job.import_leaving(job, leave_up_to).await
    }

    async fn list(&self, source: &str, after: Option<i64>) -> Result<ListImportedReply, ServiceError> {
        self.0.asset.list_imported(ListImportedRequest { source: source.to_owned(), limit: 0, after }).await
    }

    async fn list_jobs(
        &self,
        source: &str,
        after: Option<i64>,
    ) -> Result<ListImportedJobsReply, ServiceError> {
        let request = ListImportedJobsRequest { source: source.to_owned(), limit: 0, after };
        self.0.job.list_imported(request).await
    }
}
