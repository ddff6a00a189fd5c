//! The object store: bytes under their SHA-256, written whole or not at all.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `hash` | the key: 64 lower-case hex digits, and hashing in bounded memory |
//! | `spool` | where bytes wait while they are hashed; swept when the store opens |
//! | `local` | the directory backend: `ab/<sha256>` |
//! | `reader` | streaming reads, with or without a range |
//!
//! A put returns only after the bytes and their name are on the disk, so an event that names them may
//! follow at once. Putting the same bytes twice is harmless. Nothing here deletes a blob.

mod error;
mod hash;
mod local;
mod reader;
mod spool;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use protos::common::v1::BlobRef;

pub use error::BlobError;
pub use hash::hash_file;
pub use reader::BlobReader;

use hash::Key;
use local::LocalStore;
use spool::Spool;

/// How many bytes are gathered before they go to the disk, and how many a reader hands out at once.
const CHUNK: usize = 128 * 1024;

/// A handle to the object store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    spool: Arc<Spool>,
    backend: Backend,
}

/// Where the bytes live in the end.
#[derive(Clone, Debug)]
enum Backend {
    Local(Arc<LocalStore>),
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
        Ok(Self { spool: Arc::new(spool), backend: Backend::Local(Arc::new(store)) })
    }

    /// Moves a finished file into the store: hashed where it is, then renamed, or copied when it lies on
    /// another filesystem. The file is gone from `path` afterwards.
    ///
    /// # Errors
    /// [`BlobError::Source`] when the file cannot be read, [`BlobError::Store`] when it cannot be kept.
    pub async fn put_file(&self, path: impl AsRef<Path>, content_type: &str) -> Result<BlobRef, BlobError> {
        let path = path.as_ref().to_owned();
        let this = self.clone();
        let (key, size) = blocking(move || match &this.backend {
            Backend::Local(store) => store.adopt(&this.spool, &path),
        })
        .await?;
        Ok(reference(&key, size, content_type))
    }

    /// Writes a stream into the store, hashing as it goes; at most about [`CHUNK`] bytes are held.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] as soon as more than `max_bytes` arrived, [`BlobError::Source`] when the
    /// stream fails, [`BlobError::Store`] when the disk does. In each case, and when the future is
    /// dropped, nothing is left behind.
    pub async fn put_stream(
        &self,
        stream: impl Stream<Item = io::Result<Bytes>> + Send,
        content_type: &str,
        max_bytes: Option<u64>,
    ) -> Result<BlobRef, BlobError> {
        let spool = self.spool.clone();
        let mut writing = blocking(move || spool.begin().map_err(BlobError::Store)).await?;
        let mut stream = std::pin::pin!(stream);
        let mut batch = Batch::default();
        let mut total = 0_u64;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(BlobError::Source)?;
            total += chunk.len() as u64;
            if let Some(limit) = max_bytes.filter(|limit| total > *limit) {
                return Err(BlobError::TooLarge { limit });
            }
            if batch.push(chunk) {
                let chunks = std::mem::take(&mut batch).chunks;
                writing = blocking(move || writing.write(&chunks).map_err(BlobError::Store)).await?;
            }
        }
        let backend = self.backend.clone();
        let (key, size) = blocking(move || {
            let spooled = writing.write(&batch.chunks).and_then(spool::Writing::finish);
            let spooled = spooled.map_err(BlobError::Store)?;
            let found = (spooled.key.clone(), spooled.size);
            match backend {
                Backend::Local(store) => store.commit(spooled).map_err(BlobError::Store)?,
            }
            Ok(found)
        })
        .await?;
        Ok(reference(&key, size, content_type))
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
        match &self.backend {
            Backend::Local(store) => store.read(&key, range).await,
        }
    }

    /// The blob's size in bytes, or none when it is not here.
    ///
    /// # Errors
    /// [`BlobError::BadHash`], or [`BlobError::Store`] when the store cannot be asked.
    pub async fn size(&self, sha256: &str) -> Result<Option<u64>, BlobError> {
        let key = Key::parse(sha256)?;
        match &self.backend {
            Backend::Local(store) => store.size(&key).await.map_err(BlobError::Store),
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
#[derive(Default)]
struct Batch {
    chunks: Vec<Bytes>,
    len: usize,
}

impl Batch {
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

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(lost) => Err(BlobError::Store(io::Error::other(lost))),
    }
}
