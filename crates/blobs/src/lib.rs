//! The object store: bytes under their SHA-256, written whole or not at all.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `address` | where a store is: a directory, or a bucket of S3 |
//! | `hash` | the key: 64 lower-case hex digits, and hashing in bounded memory |
//! | `spool` | where bytes wait while they are hashed; swept when the store opens |
//! | `budget` | how many bytes may lie in scratch at one time |
//! | `scratch` | directories and files for work in progress, with the room that they take |
//! | `local` | the directory backend: `ab/<sha256>` |
//! | `batch` | many blobs that become durable together |
//! | `s3` | the S3 backend: `[prefix/]ab/<sha256>` in a bucket |
//! | `reader` | streaming reads, with or without a range |
//! | `pieces` | a file in pieces, without waking a thread for what is in memory |
//! | `at_hand` | what the kernel can do at once |
//! | `mapped` | a file in the address space, for sockets to send from |
//!
//! A put returns only after the bytes and their name are on the disk, or S3 has said that it holds them, so
//! an event that names them may follow at once. Putting the same bytes twice is harmless. Nothing here deletes a blob.

mod address;
mod at_hand;
mod batch;
mod budget;
mod error;
mod hash;
mod local;
mod mapped;
mod pieces;
mod reader;
mod s3;
mod scratch;
mod spool;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use boundary::around;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use protos::common::v1::BlobRef;

pub use address::{BadAddress, BlobAddress, S3Options};
pub use batch::Batch;
pub use budget::{Budget, NoRoom, Room};
pub use error::BlobError;
pub use hash::hash_file;
pub use mapped::{FilePlace, place_of};
pub use reader::BlobReader;
pub use scratch::{Need, ScratchFile, WorkDir};
pub use url::Url;

use address::Place;
use hash::Key;
use local::LocalStore;
use s3::S3Store;
use spool::{Spool, Spooled};
use telemetry::{
    KeyValue,
    metrics::{BLOB_IO, key},
};

/// How many bytes are gathered before they go to the disk.
const CHUNK: usize = 128 * 1024;

/// A handle to the object store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    spool: Arc<Spool>,
    backend: Backend,
    budget: Budget,
}

/// Where the bytes live in the end.
#[derive(Clone, Debug)]
enum Backend {
    Local(Arc<LocalStore>),
    S3(Arc<S3Store>),
}

impl Blobs {
    /// Opens the store in a local directory, creating it if needed.
    ///
    /// What dead processes left in the spool is removed; the spool of a living one is not touched, so
    /// several handles and several processes may open the same directory.
    ///
    /// # Errors
    /// When the directory cannot be created or written.
    pub fn local(dir: impl AsRef<Path>) -> io::Result<Self> {
        let dir = dir.as_ref();
        let store = LocalStore::open(dir)?;
        let spool = Spool::open(&dir.join("spool"))?;
        Ok(Self::over(spool, Backend::Local(Arc::new(store))))
    }

    /// Opens the store at an address. Nothing is sent to S3 yet; see [`Blobs::check`].
    ///
    /// Bytes wait in `scratch_dir` until they are in the bucket. A directory has its spool in itself, where
    /// naming a file is a rename, and does not use `scratch_dir`. Sweeping is as for [`Blobs::local`].
    ///
    /// # Errors
    /// When a directory cannot be created or written.
    pub fn at(address: &BlobAddress, scratch_dir: impl AsRef<Path>) -> io::Result<Self> {
        match &address.0 {
            Place::Directory(dir) => Self::local(dir),
            Place::Bucket(bucket) => {
                let spool = Spool::open(&scratch_dir.as_ref().join("spool"))?;
                let store = S3Store::open(bucket)?;
                Ok(Self::over(spool, Backend::S3(Arc::new(store))))
            }
        }
    }

    fn over(spool: Spool, backend: Backend) -> Self {
        Self { spool: Arc::new(spool), backend, budget: Budget::unlimited() }
    }

    /// The same store, with so much room in scratch; without this as much as the disk takes.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// The room in scratch that all users of this handle and its clones share.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Whether the store answers and lets us read; a local directory always does.
    ///
    /// # Errors
    /// [`BlobError::Store`], which says what to check.
    pub async fn check(&self) -> Result<(), BlobError> {
        match &self.backend {
            Backend::Local(_) => Ok(()),
            Backend::S3(store) => store.check().await.map_err(BlobError::Store),
        }
    }

    /// Moves a finished file into the store: hashed where it is, then renamed, copied when it lies on another
    /// filesystem, or uploaded. The file is gone from `path` afterwards.
    ///
    /// # Errors
    /// [`BlobError::Source`] when the file cannot be read, [`BlobError::Store`] when it cannot be kept.
    pub async fn put_file(&self, path: impl AsRef<Path>, content_type: &str) -> Result<BlobRef, BlobError> {
        let keeping = self.adopt(path.as_ref().to_owned(), content_type);
        let (key, size) = around("file.put", family(content_type), keeping).await?;
        self.count("write", size);
        Ok(reference(&key, size, content_type))
    }

    async fn adopt(&self, path: PathBuf, content_type: &str) -> Result<(Key, u64), BlobError> {
        match &self.backend {
            Backend::Local(store) => {
                let (store, spool, budget) = (store.clone(), self.spool.clone(), self.budget.clone());
                blocking(move || store.adopt(&spool, &budget, &path)).await
            }
            Backend::S3(store) => {
                let file = path.clone();
                let hashed = blocking(move || hash::hash_path(&file).map_err(BlobError::Source)).await?;
                store.put(&hashed.0, hashed.1, &path, content_type).await?;
                blocking(move || local::remove_if_there(&path)).await?;
                Ok(hashed)
            }
        }
    }

    /// Writes a stream into the store, hashing as it goes; at most about [`CHUNK`] bytes are held. Room in scratch is
    /// taken as the bytes come.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] as soon as more than `max_bytes` arrived, [`BlobError::Source`] when the
    /// stream fails, [`BlobError::NoRoom`] when scratch has no room for more, [`BlobError::Store`] when the disk fails.
    /// In each case, and when the future is dropped, nothing is left behind.
    pub async fn put_stream(
        &self,
        stream: impl Stream<Item = io::Result<Bytes>> + Send,
        content_type: &str,
        max_bytes: Option<u64>,
    ) -> Result<BlobRef, BlobError> {
        self.put_stream_within(self.budget.nothing(), stream, content_type, max_bytes).await
    }

    /// As [`Blobs::put_stream`], into room that was taken before: as much as that can always be written.
    ///
    /// # Errors
    /// As for [`Blobs::put_stream`].
    pub async fn put_stream_within(
        &self,
        room: Room,
        stream: impl Stream<Item = io::Result<Bytes>> + Send,
        content_type: &str,
        max_bytes: Option<u64>,
    ) -> Result<BlobRef, BlobError> {
        let spool = self.spool.clone();
        let mut writing = blocking(move || spool.begin(room).map_err(BlobError::Store)).await?;
        let mut stream = std::pin::pin!(stream);
        let mut gathered = Gathered::default();
        let mut total = 0_u64;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(BlobError::Source)?;
            total += chunk.len() as u64;
            if let Some(limit) = max_bytes.filter(|limit| total > *limit) {
                return Err(BlobError::TooLarge { limit });
            }
            if gathered.push(chunk) {
                writing.make_room(gathered.len)?;
                let chunks = std::mem::take(&mut gathered).chunks;
                writing = blocking(move || writing.write(&chunks).map_err(BlobError::Store)).await?;
            }
        }
        writing.make_room(gathered.len)?;
        let finish = move || writing.write(&gathered.chunks).and_then(spool::Writing::finish);
        let keeping = self.keep(finish, content_type);
        let (key, size) = around("file.put", family(content_type), keeping).await?;
        self.count("write", size);
        Ok(reference(&key, size, content_type))
    }

    async fn keep(
        &self,
        finish: impl FnOnce() -> io::Result<Spooled> + Send + 'static,
        content_type: &str,
    ) -> Result<(Key, u64), BlobError> {
        match &self.backend {
            Backend::Local(store) => {
                let store = store.clone();
                blocking(move || {
                    let spooled = finish().map_err(BlobError::Store)?;
                    let found = (spooled.key.clone(), spooled.size);
                    store.commit(spooled).map_err(BlobError::Store)?;
                    Ok(found)
                })
                .await
            }
            Backend::S3(store) => {
                let spooled = blocking(move || finish().map_err(BlobError::Store)).await?;
                store.put(&spooled.key, spooled.size, &spooled.path, content_type).await?;
                Ok((spooled.key.clone(), spooled.size))
            }
        }
    }

    /// Writes bytes that are in memory anyway.
    ///
    /// # Errors
    /// [`BlobError::Store`] when they cannot be kept.
    pub async fn put_bytes(&self, bytes: impl Into<Bytes>, content_type: &str) -> Result<BlobRef, BlobError> {
        let bytes = bytes.into();
        self.put_stream(futures::stream::iter([Ok(bytes)]), content_type, None).await
    }

    /// Opens a blob for reading, whole or a half-open byte range of it; a range end past the blob's end
    /// is taken as its end.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::BadHash`], or [`BlobError::BadRange`] when the range is
    /// backwards or starts past the end.
    pub async fn open(&self, sha256: &str, range: Option<Range<u64>>) -> Result<BlobReader, BlobError> {
        let key = Key::parse(sha256)?;
        let reader = match &self.backend {
            Backend::Local(store) => store.read(&key, range).await,
            Backend::S3(store) => store.read(&key, range).await,
        }?;
        self.count("read", reader.remaining());
        Ok(reader)
    }

    /// Tells of bytes that go in or out.
    fn count(&self, direction: &'static str, bytes: u64) {
        let store = match &self.backend {
            Backend::Local(_) => "local",
            Backend::S3(_) => "s3",
        };
        BLOB_IO.add(bytes, &[KeyValue::new(key::DIRECTION, direction), KeyValue::new(key::STORE, store)]);
    }

    /// The blob's size in bytes, or none when it is not here.
    ///
    /// # Errors
    /// [`BlobError::BadHash`], or [`BlobError::Store`] when the store cannot be asked.
    pub async fn size(&self, sha256: &str) -> Result<Option<u64>, BlobError> {
        let key = Key::parse(sha256)?;
        match &self.backend {
            Backend::Local(store) => store.size(&key).await.map_err(BlobError::Store),
            Backend::S3(store) => store.size(&key).await.map_err(BlobError::Store),
        }
    }

    /// Copies a blob to a file of the caller, checking its hash on the way.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], [`BlobError::BadHash`], [`BlobError::Damaged`] when the bytes are not the
    /// ones of that hash, [`BlobError::Store`]. No file is left at `target` after an error.
    pub async fn fetch_to(&self, sha256: &str, target: impl AsRef<Path>) -> Result<u64, BlobError> {
        let reader = self.open(sha256, None).await?;
        reader::copy_to(reader, &Key::parse(sha256)?, target.as_ref()).await
    }

    /// Where the blob lies, when it lies in a local file that may be read in place; never write to it.
    #[must_use]
    pub fn path(&self, sha256: &str) -> Option<PathBuf> {
        let key = Key::parse(sha256).ok()?;
        match &self.backend {
            Backend::Local(store) => store.path(&key),
            Backend::S3(_) => None,
        }
    }

    /// A link that lets anyone get the blob for a while, straight from the store; none when that is a directory.
    ///
    /// The answer to it has `content_type`, or the one stored with the blob when that is empty. That there is
    /// such a blob is not checked.
    ///
    /// # Errors
    /// [`BlobError::BadHash`], or [`BlobError::Store`] when there are no credentials to sign with.
    pub async fn presigned(
        &self,
        sha256: &str,
        content_type: &str,
        lifetime: Duration,
    ) -> Result<Option<Url>, BlobError> {
        self.presigned_as(sha256, content_type, None, lifetime).await
    }

    /// As [`Blobs::presigned`], for a link whose answer has a `Content-Disposition` as well.
    ///
    /// # Errors
    /// As for [`Blobs::presigned`].
    pub async fn presigned_as(
        &self,
        sha256: &str,
        content_type: &str,
        disposition: Option<&str>,
        lifetime: Duration,
    ) -> Result<Option<Url>, BlobError> {
        let key = Key::parse(sha256)?;
        let Backend::S3(store) = &self.backend else { return Ok(None) };
        let mut overrides = Vec::new();
        if !content_type.is_empty() {
            overrides.push(("response-content-type".to_owned(), content_type.to_owned()));
        }
        if let Some(disposition) = disposition {
            overrides.push(("response-content-disposition".to_owned(), disposition.to_owned()));
        }
        store.presigned(&key, overrides, lifetime).await.map(Some).map_err(BlobError::Store)
    }

    /// The most bytes that uploads had in memory at once since the store was opened, and the most that they may;
    /// none for a directory.
    #[must_use]
    pub fn upload_memory(&self) -> Option<(u64, u64)> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::S3(store) => Some(store.memory()),
        }
    }

    /// A directory for work in progress on the store's filesystem, so that [`Blobs::put_file`] from it is
    /// a rename. It belongs to this handle and its clones and goes away with the last of them; what a
    /// killed process leaves in its own is removed by the next [`Blobs::local`].
    #[must_use]
    pub fn scratch_dir(&self) -> PathBuf {
        self.spool.dir().to_owned()
    }
}

/// Chunks that wait for one write.
#[derive(Debug, Default)]
struct Gathered {
    chunks: Vec<Bytes>,
    len: usize,
}

impl Gathered {
    /// Adds a chunk; true once there is enough for a write.
    fn push(&mut self, chunk: Bytes) -> bool {
        self.len += chunk.len();
        self.chunks.push(chunk);
        self.len >= CHUNK
    }
}

fn reference(key: &Key, size: u64, content_type: &str) -> BlobRef {
    BlobRef { sha256: key.as_str().to_owned(), size, content_type: content_type.to_owned() }
}

/// What bytes are, as a boundary names them; a type that a caller made up is not part of a name.
fn family(content_type: &str) -> &'static str {
    let known = ["image", "video", "audio"];
    known.into_iter().find(|known| content_type.starts_with(known)).unwrap_or("other")
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(lost) => Err(BlobError::Store(io::Error::other(lost))),
    }
}
