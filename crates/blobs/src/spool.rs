//! Where bytes wait while they are hashed.
//!
//! Each open store has its own directory in the spool and holds a lock in it; the kernel drops the lock
//! when the process dies, however it dies. Opening a store removes the directories without a live lock.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempDir, TempPath};

use crate::hash::Key;

const LOCK: &str = ".lock";

/// This store's own directory in the spool; removed with the last handle.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: TempDir,
    _lock: File,
}

impl Spool {
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        // Held while sweeping and until our own lock is taken: nobody sweeps a directory that is being made.
        let gate = File::create(root.join(LOCK))?;
        gate.lock()?;
        sweep(root)?;
        let dir = tempfile::Builder::new().prefix("in-").tempdir_in(root)?;
        let lock = File::create(dir.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { dir, _lock: lock })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts a write; dropping it removes the file.
    pub(crate) fn begin(&self) -> io::Result<Writing> {
        let file = tempfile::Builder::new().prefix("put-").tempfile_in(self.dir.path())?;
        Ok(Writing { file, hasher: Sha256::new(), size: 0 })
    }
}

/// Removes the directories whose owners are dead.
fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        match File::open(entry.path().join(LOCK)).map(|lock| lock.try_lock()) {
            Ok(Err(TryLockError::WouldBlock)) => continue,
            Ok(Err(TryLockError::Error(error))) => return Err(error),
            Ok(Ok(())) | Err(_) => fs::remove_dir_all(entry.path())?,
        }
        tracing::info!(dir = %entry.path().display(), "removed what an earlier run left in the spool");
    }
    Ok(())
}

/// A put in progress.
#[derive(Debug)]
pub(crate) struct Writing {
    file: NamedTempFile,
    hasher: Sha256,
    size: u64,
}

impl Writing {
    pub(crate) fn write(mut self, chunks: &[Bytes]) -> io::Result<Self> {
        for chunk in chunks {
            self.hasher.update(chunk);
            self.file.write_all(chunk)?;
            self.size += chunk.len() as u64;
        }
        Ok(self)
    }

    /// Everything is on the disk, under no name yet.
    pub(crate) fn finish(self) -> io::Result<Spooled> {
        self.file.as_file().sync_all()?;
        Ok(self.close())
    }

    /// Everything is written, and not yet certain to be on the disk.
    pub(crate) fn close(self) -> Spooled {
        Spooled { path: self.file.into_temp_path(), key: Key::of(self.hasher), size: self.size }
    }
}

/// Whole and hashed bytes that have no name in the store yet; dropping removes them.
#[derive(Debug)]
pub(crate) struct Spooled {
    pub(crate) path: TempPath,
    pub(crate) key: Key,
    pub(crate) size: u64,
}
