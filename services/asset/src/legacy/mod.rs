//! Bringing over what older databases hold.
//!
//! Each thing is stored as a stream that begins with what it was, and the row that it comes from is remembered in the same
//! append. That makes everything here harmless to repeat: a row that is known is found again.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `grpc` | the RPCs |
//! | `bytes` | bytes into the object store, and looking after them |
//! | `things` | what is asked for, read and checked |
//! | `known` | what the tables know about a request |
//! | `decide` | what is done with each thing; pure |
//! | `differ` | what is another one than when it came; pure |
//! | `look` | what the bytes of an asset are, by their first part |
//! | `orientation` | whether a JPEG is shown on its side; pure |
//! | `import` | a request: decided whole, appended together |
//! | `list` | what came from a source |
//! | `shown` | things as they came and as they are, in the words of a request |

mod bytes;
mod decide;
mod differ;
mod grpc;
mod import;
mod known;
mod list;
mod look;
mod orientation;
mod shown;
mod things;

use std::sync::Arc;

use blobs::Blobs;
use eventlog::Log;
use futures::Stream;
use kit::{Clock, Code, ServiceError};
use protos::asset::v1::{
    CheckBytesReply, CheckBytesRequest, FetchBytesRequest, ImportReply, ImportRequest, ListImportedReply,
    ListImportedRequest, Piece, StoreBytesReply,
};
use protos::common::v1::BlobRef;
use tonic::Status;

use crate::{Settings, app::App};

/// What the importer of older databases needs of this service, over gRPC or in the same process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Legacy {
    app: Arc<App>,
}

/// The same over a database and a store that no service has open: nothing listens, and nothing is published. What was
/// stored is published when the service runs.
///
/// # Errors
/// A directory or the HTTP client cannot be made.
pub fn open(settings: Settings, log: Log, blobs: Blobs, clock: Clock) -> anyhow::Result<Legacy> {
    Ok(Legacy::new(Arc::new(App::new(settings, log, blobs, clock)?)))
}

impl Legacy {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Stores blobs that come in pieces; their references in order, once all are durable.
    ///
    /// # Errors
    /// The pieces are none, or the store cannot be written; what was stored before stays, and may be stored again.
    pub async fn store_bytes(
        &self,
        pieces: impl Stream<Item = Result<Piece, Status>>,
    ) -> Result<StoreBytesReply, ServiceError> {
        bytes::store(&self.app, pieces).await
    }

    /// Reads all that lies in the store under a hash.
    ///
    /// # Errors
    /// It is no hash, or the store cannot be read.
    pub async fn check_bytes(&self, request: CheckBytesRequest) -> Result<CheckBytesReply, ServiceError> {
        bytes::check(&self.app, &request.sha256).await
    }

    /// Fetches a URL into the store.
    ///
    /// # Errors
    /// As for every import from a URL.
    pub async fn fetch_bytes(&self, request: FetchBytesRequest) -> Result<BlobRef, ServiceError> {
        bytes::fetch(&self.app, &request.url).await
    }

    /// Brings things over, each for itself; what became of each, in order.
    ///
    /// # Errors
    /// The database or the store failed, or there are too many. What was brought over stays, and is found again.
    pub async fn import(&self, request: ImportRequest) -> Result<ImportReply, ServiceError> {
        Box::pin(import::import(&self.app, request)).await
    }

    /// A page of what came from a source, in the order in which it came.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_imported(
        &self,
        request: ListImportedRequest,
    ) -> Result<ListImportedReply, ServiceError> {
        Box::pin(list::list(&self.app, request)).await
    }
}

/// A failure of the database or the store. That a disk is full is said: whoever imports can do something about it.
fn failed(error: impl std::error::Error + Send + Sync + 'static) -> ServiceError {
    ServiceError::internal(error).or_no_space("asset")
}

/// A request that no importer of ours would make.
fn bad(message: impl Into<String>) -> ServiceError {
    ServiceError::new(Code::Invalid, "bad_request", message)
}
