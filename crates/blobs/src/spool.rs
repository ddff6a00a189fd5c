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

use crate::budget::{NoRoom, Room};
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

    /// Starts a write; dropping it removes the file and gives the room back.
    pub(crate) fn begin(&self, room: Room) -> io::Result<Writing> {
        let file = tempfile::Builder::new().prefix("put-").tempfile_in(self.dir.path())?;
        Ok(Writing { file, room, hasher: Sha256::new(), size: 0 })
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
    // Dropped in this order: the room is free once the file is gone.
    file: NamedTempFile,
    room: Room,
    hasher: Sha256,
    size: u64,
}

impl Writing {
    /// Sees to it that there is room for `more` bytes behind those that are written.
    pub(crate) fn make_room(&mut self, more: usize) -> Result<(), NoRoom> {
        self.room.grow_in_steps(self.size + more as u64)
    }

    /// The same, out of room that is held already as far as that goes.
    pub(crate) fn make_room_out_of(&mut self, spare: &mut Room, more: usize) -> Result<(), NoRoom> {
        self.room.grow_out_of(spare, self.size + more as u64)
    }

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
        let mut spooled = self.close();
        spooled.room.shrink(spooled.size);
        Ok(spooled)
    }

    /// Everything is written, and not yet certain to be on the disk.
    pub(crate) fn close(self) -> Spooled {
        let Self { file, room, hasher, size } = self;
        Spooled { path: file.into_temp_path(), room, key: Key::of(hasher), size }
    }
}

/// Whole and hashed bytes that have no name in the store yet; dropping removes them.
#[derive(Debug)]
pub(crate) struct Spooled {
    // Dropped in this order: the room is free once the file is gone.
    pub(crate) path: TempPath,
    pub(crate) room: Room,
    pub(crate) key: Key,
    pub(crate) size: u64,
}
