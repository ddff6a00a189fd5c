//! A reference to bytes in the object store.

use serde::{Deserialize, Serialize};

/// Bytes by reference: their SHA-256 (lower-case hex), size in bytes and content type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the bytes, 64 lower-case hex digits.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
    /// Media type, such as `video/mp4`.
    pub content_type: String,
}
