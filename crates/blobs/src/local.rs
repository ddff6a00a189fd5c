//! The directory backend: one file per blob, `ab/<sha256>`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::budget::Budget;
use crate::hash::{Key, hash_reader};
use crate::reader::BlobReader;
use crate::spool::{Spool, Spooled};
use crate::{BlobError, at_hand};

#[derive(Debug)]
pub(crate) struct LocalStore {
    dir: PathBuf,
}

impl LocalStore {
    /// All 256 directories are made here, so that a put never has to make one durable.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for shard in 0..=255_u8 {
            match fs::create_dir(dir.join(format!("{shard:02x}"))) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        sync_dir(dir)?;
        Ok(Self { dir: dir.to_owned() })
    }

    fn place(&self, key: &Key) -> PathBuf {
        self.dir.join(key.shard()).join(key.as_str())
    }

    /// Gives whole, synced bytes their name. A blob of the right size stays; a damaged one is replaced.
    pub(crate) fn commit(&self, spooled: Spooled) -> io::Result<()> {
        self.name(&spooled.key, spooled.size, &spooled.path)
    }

    /// As [`LocalStore::commit`] for many that were not synced yet, with two syncs in all. Nothing has a name before all
    /// bytes are on the disk.
    pub(crate) fn commit_all(&self, spooled: &[Spooled], disk: &Disk) -> io::Result<()> {
        disk.sync_files(spooled.iter().map(|one| &*one.path))?;
        for one in spooled {
            self.rename(&one.key, one.size, &one.path)?;
        }
        // Also where all were present, as for one.
        let shards: BTreeSet<&str> = spooled.iter().map(|one| one.key.shard()).collect();
        disk.sync_dirs(shards.into_iter().map(|shard| self.dir.join(shard)))
    }

    fn rename(&self, key: &Key, size: u64, from: &Path) -> io::Result<()> {
        let place = self.place(key);
        let present = fs::metadata(&place).is_ok_and(|found| found.is_file() && found.len() == size);
        if present { Ok(()) } else { fs::rename(from, &place) }
    }

    fn name(&self, key: &Key, size: u64, from: &Path) -> io::Result<()> {
        self.rename(key, size, from)?;
        // Also when it was present: whoever renamed it may not have synced the directory yet.
        sync_dir(&self.dir.join(key.shard()))
    }

    /// Takes over a file of the caller.
    pub(crate) fn adopt(&self, spool: &Spool, budget: &Budget, path: &Path) -> Result<(Key, u64), BlobError> {
        let mut file = File::open(path).map_err(BlobError::Source)?;
        let (key, size) = hash_reader(&mut file, |_| Ok(())).map_err(BlobError::Source)?;
        file.sync_all().map_err(BlobError::Store)?;
        match self.name(&key, size, path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let _room = budget.try_reserve(size)?;
                return self.adopt_copy(spool, path);
            }
            Err(error) => return Err(BlobError::Store(error)),
        }
        remove_if_there(path)?;
        Ok((key, size))
    }

    /// From another filesystem: copied through the spool, hashing what is really copied.
    fn adopt_copy(&self, spool: &Spool, path: &Path) -> Result<(Key, u64), BlobError> {
        let mut source = File::open(path).map_err(BlobError::Source)?;
        let mut copy = tempfile::NamedTempFile::new_in(spool.dir()).map_err(BlobError::Store)?;
        let copied = hash_reader(&mut source, |piece| copy.write_all(piece));
        let (key, size) = copied.map_err(BlobError::Store)?;
        let (file, copy) = copy.into_parts();
        file.sync_all().map_err(BlobError::Store)?;
        self.name(&key, size, &copy).map_err(BlobError::Store)?;
        remove_if_there(path)?;
        Ok((key, size))
    }

    pub(crate) async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<BlobReader, BlobError> {
        let place = self.place(key);
        let opened = match at_hand::open(&place) {
            Some(file) => file.metadata().map(|found| (file, found.len())).map_err(BlobError::Store),
            // Opened and looked at in one go: each trip to the threads for files costs more than both.
            None => {
                crate::blocking(move || {
                    let file = File::open(place).map_err(BlobError::Store)?;
                    let size = file.metadata().map_err(BlobError::Store)?.len();
                    Ok((file, size))
                })
                .await
            }
        };
        match opened {
            Ok((file, size)) => BlobReader::of_file(file, size, range),
            Err(BlobError::Store(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(BlobError::NotFound { sha256: key.as_str().to_owned() })
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn size(&self, key: &Key) -> io::Result<Option<u64>> {
        match tokio::fs::metadata(self.place(key)).await {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn path(&self, key: &Key) -> Option<PathBuf> {
        Some(self.place(key)).filter(|place| place.is_file())
    }
}

pub(crate) fn remove_if_there(path: &Path) -> Result<(), BlobError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BlobError::Source(error)),
        _ => Ok(()),
    }
}

/// The filesystem that the spool and the blobs are on.
#[derive(Debug)]
pub(crate) struct Disk {
    /// Opened before anything is written: a sync tells of what failed since then.
    #[cfg(target_os = "linux")]
    dir: File,
}

#[cfg(target_os = "linux")]
impl Disk {
    pub(crate) fn of(dir: &Path) -> io::Result<Self> {
        Ok(Self { dir: File::open(dir)? })
    }

    fn sync_files<'a>(&self, _: impl Iterator<Item = &'a Path>) -> io::Result<()> {
        self.sync()
    }

    fn sync_dirs(&self, _: impl Iterator<Item = PathBuf>) -> io::Result<()> {
        self.sync()
    }

    /// All of the filesystem at once, whatever is in it.
    fn sync(&self) -> io::Result<()> {
        use std::os::fd::AsRawFd as _;
        // SAFETY: the descriptor is open for as long as the call takes.
        match unsafe { libc::syncfs(self.dir.as_raw_fd()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Elsewhere each file and each directory is synced by itself.
#[cfg(not(target_os = "linux"))]
impl Disk {
    pub(crate) fn of(_: &Path) -> io::Result<Self> {
        Ok(Self {})
    }

    fn sync_files<'a>(&self, mut files: impl Iterator<Item = &'a Path>) -> io::Result<()> {
        files.try_for_each(|file| File::open(file)?.sync_all())
    }

    fn sync_dirs(&self, mut dirs: impl Iterator<Item = PathBuf>) -> io::Result<()> {
        dirs.try_for_each(|dir| sync_dir(&dir))
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
