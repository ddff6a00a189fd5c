//! Many blobs that become durable together: a disk is asked to sync twice for all of them, not twice for each.
//!
//! Each blob is written to a file in the spool while it is hashed. None is in the store before [`Batch::commit`], which
//! gives out the references once all of them are durable. What the caller hands over next is waited for while what came
//! before is written.

use std::sync::Arc;

use boundary::around;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use protos::common::v1::BlobRef;
use tokio::task::JoinHandle;

use crate::local::{Disk, LocalStore};
use crate::s3::S3Store;
use crate::spool::{Spooled, Writing};
use crate::{Backend, BlobError, Blobs, Gathered, Room, blocking, reference};

/// How much of a blob is kept for whoever says what type it has.
const FIRST: usize = 8 * 1024;
/// Objects that are sent to S3 at one time.
const AT_ONCE: usize = 4;

/// Blobs that are written one after the other and become durable together. Dropped, it leaves nothing behind; after an
/// error it can only be dropped.
#[derive(Debug)]
pub struct Batch {
    blobs: Blobs,
    disk: Option<Disk>,
    ended: Vec<Ended>,
    current: Option<Current>,
    size: u64,
    /// For blobs to come.
    spare: Room,
}

/// A blob that is whole.
#[derive(Debug)]
struct Ended {
    spooled: Spooled,
    content_type: String,
}

/// A blob that is being written.
#[derive(Debug)]
struct Current {
    /// Writes what came before.
    writing: JoinHandle<Result<Writing, BlobError>>,
    gathered: Gathered,
    first: Vec<u8>,
}

impl Blobs {
    /// A batch without blobs, which takes room in scratch as bytes come.
    #[must_use]
    pub fn batch(&self) -> Batch {
        self.batch_within(self.budget.nothing())
    }

    /// A batch without blobs, in room that was taken before: as much as that can always be written.
    #[must_use]
    pub fn batch_within(&self, room: Room) -> Batch {
        Batch { blobs: self.clone(), disk: None, ended: Vec::new(), current: None, size: 0, spare: room }
    }
}

impl Batch {
    /// How many blobs are whole.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ended.len()
    }

    /// Whether no blob is whole.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ended.is_empty()
    }

    /// Whether a blob was begun and not ended.
    #[must_use]
    pub fn is_within_a_blob(&self) -> bool {
        self.current.is_some()
    }

    /// Bytes that were handed over so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds bytes to the blob that is being written, or begins one with them. At most two pieces and about 256 KiB are
    /// held.
    ///
    /// # Errors
    /// [`BlobError::NoRoom`] when scratch has no room for it, [`BlobError::Store`] when the disk cannot be written.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        let mut current = self.current().await?;
        let room = FIRST.saturating_sub(current.first.len());
        current.first.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
        self.size += piece.len() as u64;
        if current.gathered.push(piece) {
            let mut writing = written(current.writing).await?;
            writing.make_room_out_of(&mut self.spare, current.gathered.len)?;
            let chunks = std::mem::take(&mut current.gathered).chunks;
            current.writing =
                tokio::task::spawn_blocking(move || writing.write(&chunks).map_err(BlobError::Store));
        }
        self.current = Some(current);
        Ok(())
    }

    /// Ends the blob that is being written; an empty one when none is. `type_of` says what type it has, of its first
    /// 8 KiB.
    ///
    /// # Errors
    /// As for [`Batch::write`].
    pub async fn end(&mut self, type_of: impl FnOnce(&[u8]) -> String) -> Result<(), BlobError> {
        let current = self.current().await?;
        let mut writing = written(current.writing).await?;
        writing.make_room_out_of(&mut self.spare, current.gathered.len)?;
        let chunks = current.gathered.chunks;
        let closing = move || Ok(writing.write(&chunks).map_err(BlobError::Store)?.close());
        let mut spooled = blocking(closing).await?;
        spooled.room.hand_surplus(&mut self.spare, spooled.size);
        self.ended.push(Ended { spooled, content_type: type_of(&current.first) });
        Ok(())
    }

    async fn current(&mut self) -> Result<Current, BlobError> {
        if let Some(current) = self.current.take() {
            return Ok(current);
        }
        if self.disk.is_none() {
            let dir = self.blobs.scratch_dir();
            self.disk = Some(blocking(move || Disk::of(&dir).map_err(BlobError::Store)).await?);
        }
        let spool = self.blobs.spool.clone();
        // It gets room when it is written to.
        let nothing = self.blobs.budget.nothing();
        let writing = tokio::task::spawn_blocking(move || spool.begin(nothing).map_err(BlobError::Store));
        Ok(Current { writing, gathered: Gathered::default(), first: Vec::new() })
    }

    /// Puts all whole blobs into the store; their references in order. A blob that was not ended is left out.
    ///
    /// # Errors
    /// [`BlobError::Store`] when the store cannot be written: some of the blobs may be in it then, each whole, and may be
    /// put again.
    pub async fn commit(self) -> Result<Vec<BlobRef>, BlobError> {
        let Self { blobs, disk, ended, .. } = self;
        let Some(disk) = disk.filter(|_| !ended.is_empty()) else { return Ok(Vec::new()) };
        around("file.batch", "", async {
            match &blobs.backend {
                Backend::Local(store) => commit_local(store.clone(), disk, ended).await,
                Backend::S3(store) => {
                    stream::iter(ended.into_iter().map(|one| put(store, one)))
                        .buffered(AT_ONCE)
                        .try_collect()
                        .await
                }
            }
        })
        .await
    }
}

async fn commit_local(
    store: Arc<LocalStore>,
    disk: Disk,
    ended: Vec<Ended>,
) -> Result<Vec<BlobRef>, BlobError> {
    let (spooled, types): (Vec<_>, Vec<_>) =
        ended.into_iter().map(|one| (one.spooled, one.content_type)).unzip();
    blocking(move || {
        store.commit_all(&spooled, &disk).map_err(BlobError::Store)?;
        let pairs = spooled.iter().zip(&types);
        Ok(pairs.map(|(one, content_type)| reference(&one.key, one.size, content_type)).collect())
    })
    .await
}

/// S3 knows no batches.
async fn put(store: &S3Store, one: Ended) -> Result<BlobRef, BlobError> {
    let Ended { spooled, content_type } = one;
    store.put(&spooled.key, spooled.size, &spooled.path, &content_type).await?;
    Ok(reference(&spooled.key, spooled.size, &content_type))
}

async fn written(writing: JoinHandle<Result<Writing, BlobError>>) -> Result<Writing, BlobError> {
    writing.await.unwrap_or_else(|lost| Err(BlobError::Store(std::io::Error::other(lost))))
}
