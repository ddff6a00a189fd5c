//! The S3 backend: one object per blob, `[prefix/]ab/<sha256>`, with its content type.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `client` | building the client, its patience |
//! | `retry` | faults, which of them pass, and how patiently they are waited out |
//! | `turns` | one upload of a key at a time |
//! | `parts` | the parts of large objects, and the memory they may use |
//! | `upload` | one attempt to send a file |
//! | `read` | ranges and streams that survive broken connections |
//!
//! Give the bucket a lifecycle rule that aborts incomplete multipart uploads after a day: an upload whose process
//! is killed cannot abort itself, and its parts cost money until something removes them.

mod client;
mod parts;
mod read;
mod retry;
mod turns;
mod upload;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3;
use object_store::path::Path as ObjectPath;
use object_store::signer::{Method, SignedUrlOptions, Signer as _};
use object_store::{GetOptions, ObjectStore as _};
use url::Url;

use crate::BlobError;
use crate::address::Bucket;
use crate::hash::Key;
use crate::reader::BlobReader;
use parts::PartPool;
use retry::{Fault, Patience, retrying};
use turns::Turns;
use upload::Upload;

/// A bucket and its client.
#[derive(Debug)]
pub(crate) struct Bucketed {
    s3: AmazonS3,
    bucket: String,
}

#[derive(Debug)]
pub(crate) struct S3Store {
    remote: Arc<Bucketed>,
    prefix: String,
    pool: PartPool,
    turns: Turns,
}

impl Bucketed {
    fn checked<T>(&self, result: object_store::Result<T>) -> Result<T, Fault> {
        result.map_err(|error| Fault::of(&self.bucket, error))
    }

    async fn head(&self, path: &ObjectPath) -> Result<Option<u64>, Fault> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.checked(self.s3.get_opts(path, options).await) {
            Ok(found) => Ok(Some(found.meta.size)),
            Err(Fault::NotThere) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn size(&self, path: &ObjectPath) -> Result<Option<u64>, Fault> {
        retrying(Patience::Read, "looking for an object", async || self.head(path).await).await
    }
}

impl S3Store {
    /// Nothing is sent yet.
    pub(crate) fn open(bucket: &Bucket) -> io::Result<Self> {
        let s3 = client::build(bucket).map_err(io::Error::other)?;
        Ok(Self {
            remote: Arc::new(Bucketed { s3, bucket: bucket.name.clone() }),
            prefix: bucket.prefix.clone(),
            pool: PartPool::default(),
            turns: Turns::default(),
        })
    }

    fn place(&self, key: &Key) -> ObjectPath {
        let (shard, name) = (key.shard(), key.as_str());
        if self.prefix.is_empty() {
            ObjectPath::from(format!("{shard}/{name}"))
        } else {
            ObjectPath::from(format!("{}/{shard}/{name}", self.prefix))
        }
    }

    /// Keeps a file under its key; it is durable when this returns. The file stays where it is.
    pub(crate) async fn put(
        &self,
        key: &Key,
        size: u64,
        file: &Path,
        content_type: &str,
    ) -> Result<(), BlobError> {
        let to = &self.place(key);
        let _turn = self.turns.take(key.as_str()).await;
        let upload = Upload { to, file, size, content_type };
        retrying(Patience::Write, "putting an object", async || self.put_once(upload).await)
            .await
            .map_err(|fault| BlobError::Store(fault.into()))
    }

    /// Looks first: it may have been there all along, or since an attempt whose answer was lost. An object of another
    /// size is replaced.
    async fn put_once(&self, upload: Upload<'_>) -> Result<(), Fault> {
        if self.remote.head(upload.to).await? == Some(upload.size) {
            return Ok(());
        }
        self.send(upload).await?;
        let found = self.remote.head(upload.to).await?;
        if found == Some(upload.size) {
            return Ok(());
        }
        Err(Fault::OtherSize { bucket: self.remote.bucket.clone(), found, size: upload.size })
    }

    pub(crate) async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<BlobReader, BlobError> {
        read::open(self.remote.clone(), self.place(key), key, range).await
    }

    pub(crate) async fn size(&self, key: &Key) -> io::Result<Option<u64>> {
        Ok(self.remote.size(&self.place(key)).await?)
    }

    /// Whether the bucket lets us read: asks for an object that need not be there.
    pub(crate) async fn check(&self) -> io::Result<()> {
        let nothing = Key::nothing();
        match self.read(&nothing, Some(0..1)).await {
            Err(BlobError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// A link that lets anyone get the object for a while.
    pub(crate) async fn presigned(
        &self,
        key: &Key,
        overrides: Vec<(String, String)>,
        lifetime: Duration,
    ) -> io::Result<Url> {
        let options = SignedUrlOptions::new().with_query(overrides);
        let signed = self.remote.s3.signed_url_opts(Method::GET, &self.place(key), lifetime, &options).await;
        Ok(self.remote.checked(signed)?)
    }

    pub(crate) fn memory(&self) -> (u64, u64) {
        self.pool.peak()
    }
}
