//! What can go wrong with a blob.

use std::io;

use crate::NoRoom;

/// Why a blob could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More bytes arrived than the caller allows.
    #[error("the content is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The caller's limit, in bytes.
        limit: u64,
    },
    /// The bytes could not be read from where they come from.
    #[error("the content could not be read from its source")]
    Source(#[source] io::Error),
    /// There is not enough room in scratch.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// The store could not write or read.
    #[error("the object store could not be written or read")]
    Store(#[source] io::Error),
    /// There is no such blob.
    #[error("there is no blob {sha256}")]
    NotFound {
        /// The hash asked for.
        sha256: String,
    },
    /// The text is not a SHA-256.
    #[error("{given:?} is not a SHA-256: 64 lower-case hexadecimal digits are needed")]
    BadHash {
        /// What was given, shortened.
        given: String,
    },
    /// The range does not lie in the blob.
    #[error("bytes {start}..{end} are not in a blob of {size} bytes")]
    BadRange {
        /// First byte asked for.
        start: u64,
        /// One past the last byte asked for.
        end: u64,
        /// The blob's size.
        size: u64,
    },
    /// The stored bytes are not the ones that the hash names.
    #[error("blob {sha256} is damaged: its bytes do not match its hash; put it again to repair it")]
    Damaged {
        /// The hash asked for.
        sha256: String,
    },
}
