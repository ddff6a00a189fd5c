//! Pieces of files on their way to S3: how large they are, and how many may be in memory at once.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Up to this size an object is put in one request; beyond it, in parts of this size.
pub(super) const PART: u64 = 8 * 1024 * 1024;
/// Parts of one upload under way at once.
pub(super) const AT_ONCE: usize = 3;
/// Parts of all uploads in memory at once: 64 MiB.
const IN_MEMORY: usize = 8;
/// S3 takes no more parts than this.
const MOST_PARTS: u64 = 10_000;

/// The ranges of the parts of an object of `size` bytes, all but the last of one size.
pub(super) fn parts(size: u64) -> impl Iterator<Item = Range<u64>> {
    let step = PART.max(size.div_ceil(MOST_PARTS));
    (0..size.div_ceil(step)).map(move |index| index * step..((index + 1) * step).min(size))
}

/// The memory that uploads may use.
#[derive(Debug)]
pub(super) struct PartPool {
    permits: Arc<Semaphore>,
    held: Arc<AtomicU64>,
    peak: AtomicU64,
}

/// Bytes of a file in memory, counted until dropped.
#[derive(Debug)]
pub(super) struct Part {
    bytes: Bytes,
    length: u64,
    held: Arc<AtomicU64>,
    _permit: OwnedSemaphorePermit,
}

impl Default for PartPool {
    fn default() -> Self {
        let permits = Arc::new(Semaphore::new(IN_MEMORY));
        Self { permits, held: Arc::default(), peak: AtomicU64::default() }
    }
}

impl PartPool {
    /// Reads a part of a file, once there is room for it.
    pub(super) async fn read(&self, file: &Path, range: Range<u64>) -> io::Result<Part> {
        let permit = self.permits.clone().acquire_owned().await.map_err(io::Error::other)?;
        let length = range.end - range.start;
        let held = self.held.fetch_add(length, Ordering::Relaxed) + length;
        self.peak.fetch_max(held, Ordering::Relaxed);
        let mut part = Part { bytes: Bytes::new(), length, held: self.held.clone(), _permit: permit };
        let file = file.to_owned();
        // The part goes along: whoever gives up waiting does not free memory that is still in use.
        let read = tokio::task::spawn_blocking(move || {
            part.bytes = read_range(&file, &range)?;
            Ok(part)
        });
        read.await.map_err(io::Error::other)?
    }

    /// The most bytes that were in memory at once, and the most that may be.
    pub(super) fn peak(&self) -> (u64, u64) {
        (self.peak.load(Ordering::Relaxed), PART * IN_MEMORY as u64)
    }
}

impl Part {
    /// The bytes, to send; drop them before the part.
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.held.fetch_sub(self.length, Ordering::Relaxed);
    }
}

fn read_range(file: &Path, range: &Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn parts_cover_the_whole_without_gaps() {
        for size in [1, PART - 1, PART, PART + 1, 5 * PART, 40_000_001, PART * MOST_PARTS + 1, 1 << 40] {
            let parts: Vec<_> = parts(size).collect();
            assert!(parts.len() as u64 <= MOST_PARTS, "{size}");
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, size));
            assert!(
                parts
                    .windows(2)
                    .all(|pair| pair[0].end == pair[1].start && pair[0].end - pair[0].start >= PART)
            );
        }
        assert_eq!(parts(0).count(), 0);
    }

    #[tokio::test]
    async fn no_more_parts_are_in_memory_than_there_is_room_for() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        file.as_file().set_len(100).expect("a size");
        let pool = PartPool::default();
        let mut held = Vec::new();
        for _ in 0..IN_MEMORY {
            held.push(pool.read(file.path(), 0..100).await.expect("room"));
        }
        assert!(pool.read(file.path(), 0..100).now_or_never().is_none(), "it waits");
        held.pop();
        held.push(pool.read(file.path(), 10..20).await.expect("room again"));
        assert_eq!(pool.peak().0, 100 * IN_MEMORY as u64);
        drop(held);
        assert_eq!(pool.held.load(Ordering::Relaxed), 0);
        assert!(pool.read(file.path(), 90..101).await.is_err(), "past the end");
        assert_eq!(pool.held.load(Ordering::Relaxed), 0);
    }
}
