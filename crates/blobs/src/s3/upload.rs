//! One attempt to send a file: in one request when it is small, in parts when it is not.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path as ObjectPath;
use object_store::{
    Attribute, Attributes, MultipartId, ObjectStore as _, PutMultipartOptions, PutOptions, PutPayload,
};

use super::parts::{AT_ONCE, PART, parts};
use super::retry::{Chain, Fault, Patience, retrying};
use super::{Bucketed, S3Store};

/// How long an abandoned upload may take to be given up.
const ABORT: Duration = Duration::from_secs(10);

/// What is to be sent, and where to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upload<'a> {
    pub(super) to: &'a ObjectPath,
    pub(super) file: &'a Path,
    pub(super) size: u64,
    pub(super) content_type: &'a str,
}

impl S3Store {
    /// Sends the file; afterwards S3 has said that it holds it.
    pub(super) async fn send(&self, upload: Upload<'_>) -> Result<(), Fault> {
        if upload.size <= PART { self.send_whole(upload).await } else { self.send_parts(upload).await }
    }

    async fn send_whole(&self, upload: Upload<'_>) -> Result<(), Fault> {
        let part = self.pool.read(upload.file, 0..upload.size).await.map_err(Fault::Spool)?;
        let options = PutOptions { attributes: attributes(upload.content_type), ..PutOptions::default() };
        let sent = self.remote.s3.put_opts(upload.to, PutPayload::from_bytes(part.bytes()), options).await;
        self.remote.checked(sent.map(drop)).map_err(|fault| self.no_bucket(fault))
    }

    async fn send_parts(&self, upload: Upload<'_>) -> Result<(), Fault> {
        let options = PutMultipartOptions {
            attributes: attributes(upload.content_type),
            ..PutMultipartOptions::default()
        };
        let begun = self.remote.s3.create_multipart_opts(upload.to, options).await;
        let id = self.remote.checked(begun).map_err(|fault| self.no_bucket(fault))?;
        let unfinished =
            Unfinished { remote: self.remote.clone(), path: upload.to.clone(), id: Some(id.clone()) };
        let sent = async {
            let ids = stream::iter(parts(upload.size).enumerate())
                .map(|(index, range)| self.send_part(upload, &id, index, range))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            self.complete(upload, &id, ids).await
        };
        match sent.await {
            Ok(()) => {
                unfinished.finished();
                Ok(())
            }
            Err(fault) => {
                unfinished.abort().await;
                Err(fault)
            }
        }
    }

    /// Sends a part, again and again from memory when the connection breaks.
    async fn send_part(
        &self,
        upload: Upload<'_>,
        id: &MultipartId,
        index: usize,
        range: std::ops::Range<u64>,
    ) -> Result<PartId, Fault> {
        let part = self.pool.read(upload.file, range).await.map_err(Fault::Spool)?;
        let sent = retrying(Patience::Write, "sending a part", async || {
            let payload = PutPayload::from_bytes(part.bytes());
            self.remote.checked(self.remote.s3.put_part(upload.to, id, index, payload).await)
        });
        sent.await.map_err(|fault| self.lost(fault))
    }

    async fn complete(&self, upload: Upload<'_>, id: &MultipartId, parts: Vec<PartId>) -> Result<(), Fault> {
        let completed = retrying(Patience::Write, "completing an upload", async || {
            self.remote
                .checked(self.remote.s3.complete_multipart(upload.to, id, parts.clone()).await.map(drop))
        });
        completed.await.map_err(|fault| self.lost(fault))
    }

    /// An upload that was begun and is not known any more, or not ours any more, is gone, or completed by a request
    /// whose answer was lost. Which of them it is, tells the size of the object.
    fn lost(&self, fault: Fault) -> Fault {
        match fault {
            Fault::NotThere | Fault::Denied { .. } => {
                Fault::UploadLost { bucket: self.remote.bucket.clone() }
            }
            fault => fault,
        }
    }

    /// A put needs no object to be there: what is missing is the bucket.
    fn no_bucket(&self, fault: Fault) -> Fault {
        match fault {
            Fault::NotThere => Fault::NoBucket { bucket: self.remote.bucket.clone() },
            fault => fault,
        }
    }
}

fn attributes(content_type: &str) -> Attributes {
    // What cannot be a header is left out.
    let usable = !content_type.is_empty() && content_type.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let given = usable.then(|| (Attribute::ContentType, content_type.to_owned()));
    given.into_iter().collect()
}

/// A multipart upload that is given up when it is dropped before it is finished.
struct Unfinished {
    remote: Arc<Bucketed>,
    path: ObjectPath,
    id: Option<MultipartId>,
}

impl Unfinished {
    fn finished(mut self) {
        self.id = None;
    }

    async fn abort(mut self) {
        if let Some(id) = self.id.take() {
            abort(&self.remote, &self.path, &id).await;
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        // Without a runtime the process ends; the bucket's lifecycle rule removes what is left.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (remote, path) = (self.remote.clone(), self.path.clone());
            runtime.spawn(async move { abort(&remote, &path, &id).await });
        }
    }
}

/// Tells S3 to forget the parts; that this may fail is what the bucket's lifecycle rule is for.
async fn abort(remote: &Bucketed, path: &ObjectPath, id: &MultipartId) {
    let aborting = async {
        let aborted = remote.s3.abort_multipart(path, id).await;
        remote.checked(aborted)
    };
    let aborted = tokio::time::timeout(ABORT, aborting).await;
    match aborted.map_err(io::Error::from) {
        Ok(Ok(()) | Err(Fault::NotThere)) => {}
        Ok(Err(fault)) => {
            tracing::warn!(%path, error = %Chain(&fault), "an unfinished upload stays in the bucket")
        }
        Err(late) => tracing::warn!(%path, error = %late, "an unfinished upload stays in the bucket"),
    }
}
