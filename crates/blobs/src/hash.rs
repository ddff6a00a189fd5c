//! The key of a blob, and hashing in bounded memory.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::{BlobError, CHUNK};

/// A SHA-256 as 64 lower-case hex digits: safe as a file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    pub(crate) fn parse(text: &str) -> Result<Self, BlobError> {
        let valid = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !valid {
            return Err(BlobError::BadHash { given: text.chars().take(80).collect() });
        }
        Ok(Self(text.to_owned()))
    }

    /// A key that no bytes are known to have.
    pub(crate) fn nothing() -> Self {
        Self("0".repeat(64))
    }

    pub(crate) fn of(hasher: Sha256) -> Self {
        Self(hex::encode(hasher.finalize()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first two digits: the directory that the blob lies in.
    pub(crate) fn shard(&self) -> &str {
        &self.0[..2]
    }
}

/// The SHA-256 (lower-case hex) and size of a file, read in pieces.
///
/// # Errors
/// When the file cannot be read.
pub fn hash_file(path: impl AsRef<Path>) -> io::Result<(String, u64)> {
    let (key, size) = hash_path(path.as_ref())?;
    Ok((key.0, size))
}

pub(crate) fn hash_path(path: &Path) -> io::Result<(Key, u64)> {
    hash_reader(&mut File::open(path)?, |_| Ok(()))
}

/// Hashes all that a reader gives, handing each piece to `each` as well.
pub(crate) fn hash_reader(
    reader: &mut impl io::Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Key, u64)> {
    let mut hasher = Sha256::new();
    let mut size = 0_u64;
    let mut buffer = vec![0_u8; CHUNK];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok((Key::of(hasher), size)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        each(&buffer[..read])?;
        size += read as u64;
    }
}
