//! Work in progress in scratch: a directory or a file, with the room that it takes.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, TempPath};

use crate::{BlobError, Blobs, NoRoom, Room};

/// What a piece of work will put into its directory, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// What is copied there: known.
    pub copies: u64,
    /// What is made there: a guess. Work whose guess is larger than all of scratch has scratch to itself.
    pub made: u64,
}

/// A directory for one piece of work. Dropped, it is removed with what lies in it, and then its room is given back.
#[derive(Debug)]
pub struct WorkDir {
    // Dropped in this order.
    dir: TempDir,
    _room: Room,
}

impl WorkDir {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The path of a file in it.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// A file for one piece of work. Dropped, it is removed, and then its room is given back.
#[derive(Debug)]
pub struct ScratchFile {
    // Dropped in this order.
    path: TempPath,
    room: Room,
}

impl ScratchFile {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sees to it that there is room for `size` bytes in it: waits for it where it has none yet, and takes more at once
    /// or not at all where it has.
    ///
    /// # Errors
    /// There is never so much room, or not so much more right now.
    pub async fn make_room(&mut self, size: u64) -> Result<(), NoRoom> {
        if self.room.bytes() == 0 {
            self.room = self.room.budget().clone().reserve(size).await?;
        }
        self.room.grow_in_steps(size)
    }

    /// The most bytes that it may ever have room for, when that is less than `size`.
    #[must_use]
    pub fn at_most(&self, size: u64) -> u64 {
        self.room.budget().at_most(size)
    }

    /// Gives back what a file of `size` bytes does not need.
    pub fn fit(&mut self, size: u64) {
        self.room.shrink(size);
    }
}

impl Blobs {
    /// A directory for one piece of work, as soon as there is room for it: for work in the background, which never asks
    /// with another one in hand.
    ///
    /// # Errors
    /// [`BlobError::NoRoom`] when there is never room for what is copied, [`BlobError::Store`] when the directory cannot
    /// be made.
    pub async fn work_dir(&self, need: Need) -> Result<WorkDir, BlobError> {
        let room = self.budget.reserve(self.bytes_of(need)).await?;
        self.directory(room)
    }

    /// The same, at once or not at all: for whoever answers a caller.
    ///
    /// # Errors
    /// As for [`Blobs::work_dir`], also when there is no room right now.
    pub fn work_dir_now(&self, need: Need) -> Result<WorkDir, BlobError> {
        let room = self.budget.try_reserve(self.bytes_of(need))?;
        self.directory(room)
    }

    /// An empty file for one piece of work, which has no room yet.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch_file(&self, prefix: &str) -> io::Result<ScratchFile> {
        let file = tempfile::Builder::new().prefix(prefix).tempfile_in(self.spool.dir())?;
        Ok(ScratchFile { path: file.into_temp_path(), room: self.budget.nothing() })
    }

    fn bytes_of(&self, Need { copies, made }: Need) -> u64 {
        copies.max(self.budget.at_most(copies.saturating_add(made)))
    }

    fn directory(&self, room: Room) -> Result<WorkDir, BlobError> {
        let made = tempfile::Builder::new().prefix("work-").tempdir_in(self.spool.dir());
        Ok(WorkDir { dir: made.map_err(BlobError::Store)?, _room: room })
    }
}
