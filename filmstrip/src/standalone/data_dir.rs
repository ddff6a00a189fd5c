//! The data directory: one process at a time, one place for each thing.

use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use rand::RngExt as _;
use secrecy::SecretString;

/// A data directory that this process holds.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    // Unlocked by the kernel when we end, however we end.
    _lock: File,
}

impl DataDir {
    /// Creates what is missing and takes the lock.
    pub(crate) fn open(root: &Path) -> anyhow::Result<Self> {
        for part in ["db", "blobs"] {
            let path = root.join(part);
            fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        }
        let path = root.join("lock");
        let lock = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "{} is in use by another filmstrip; stop it, or give this one its own --data-dir",
                root.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("locking {}", path.display()))
            }
        }
    }

    /// The database of a service.
    pub(crate) fn database(&self, service: &str) -> String {
        database(&self.root, service)
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Where bytes wait on their way to an object store elsewhere.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    pub(crate) fn soundstage(&self) -> PathBuf {
        self.root.join("soundstage")
    }

    /// The secret that signs URLs; made at the first start, readable by the owner only.
    pub(crate) fn secret(&self) -> anyhow::Result<SecretString> {
        self.made_once("url-signing-secret", || hexadecimal(&rand::rng().random::<[u8; 32]>()))
            .map(Into::into)
    }

    /// Names whoever works in this directory among all that work on one database; the same after a restart, so
    /// that it takes up at once what it left. Two processes never have it: the directory is locked.
    pub(crate) fn id(&self) -> anyhow::Result<String> {
        self.made_once("id", || hexadecimal(&rand::rng().random::<[u8; 6]>()))
    }

    /// A text that is made at the first start and kept.
    fn made_once(&self, name: &str, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        let path = self.root.join(name);
        let mut text = String::new();
        if let Ok(mut file) = File::open(&path) {
            file.read_to_string(&mut text).with_context(|| format!("reading {}", path.display()))?;
        }
        let made = make();
        if text.trim().len() < made.len() {
            text = made;
            let mut file = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)
                .with_context(|| format!("creating {}", path.display()))?;
            file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
            file.sync_all().with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(text.trim().to_owned())
    }
}

/// Where the database of `service` lies under the data directory `root`.
pub(crate) fn database(root: &Path, service: &str) -> String {
    format!("sqlite:{}", root.join("db").join(format!("{service}.sqlite")).display())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_data_directory_serves_one_process() {
        let scratch = tempfile::tempdir().unwrap();
        let first = DataDir::open(scratch.path()).unwrap();
        let error = DataDir::open(scratch.path()).unwrap_err().to_string();
        assert!(error.contains("in use by another filmstrip"), "{error}");
        drop(first);
        DataDir::open(scratch.path()).unwrap();
    }

    #[test]
    fn a_data_directory_keeps_its_name_and_shares_it_with_none() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = DataDir::open(one.path()).unwrap().id().unwrap();
        assert_eq!(DataDir::open(one.path()).unwrap().id().unwrap(), first);
        assert_ne!(DataDir::open(other.path()).unwrap().id().unwrap(), first);
    }

    #[test]
    fn the_signing_secret_is_made_once() {
        let scratch = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(scratch.path()).unwrap();
        let first = data_dir.secret().unwrap();
        assert_eq!(first.expose_secret(), data_dir.secret().unwrap().expose_secret());
        assert_eq!(first.expose_secret().len(), 64);
    }
}
