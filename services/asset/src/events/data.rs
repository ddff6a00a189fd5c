//! What the events hold.

use jiff::Timestamp;
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A client is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientCreated {
    /// UUID v4.
    pub client_id: String,
    /// One to 255 characters.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Free text.
    pub homepage: Option<String>,
    /// Free text.
    pub brand_guidelines: Option<String>,
    /// Whatever the caller keeps with it.
    pub metadata: Option<Map<String, Value>>,
}

/// A campaign is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignCreated {
    /// UUID v4.
    pub campaign_id: String,
    /// Whose it is.
    pub client_id: String,
    /// One to 255 characters.
    pub name: String,
    /// Free text.
    pub goal: Option<String>,
    /// Free text.
    pub status: Option<String>,
    /// Free text.
    pub product_url: Option<String>,
    /// Free text.
    pub brief: Option<String>,
    /// Whatever the caller keeps with it.
    pub metadata: Option<Map<String, Value>>,
}

/// Bytes in the object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// 64 lower-case hex digits.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// As read from the bytes.
    pub content_type: String,
}

/// An asset is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetStored {
    /// UUID v4.
    pub asset_id: String,
    /// `image`, `video` or `audio`, as read from the bytes.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose it is; at least one of this and `campaign_id`.
    pub client_id: Option<String>,
    /// What it is for.
    pub campaign_id: Option<String>,
    /// As given, else the file's name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// As given.
    pub tags: Vec<String>,
    /// Whatever the caller keeps with it.
    pub metadata: Option<Map<String, Value>>,
    /// Where it was fetched from.
    pub source_url: Option<String>,
    /// Its bytes.
    pub blob: Blob,
    /// Its thumbnail, a JPEG; absent for audio.
    pub thumbnail: Option<Blob>,
    /// Such as `jpeg`, `png`, `mp4`, `mp3`.
    pub format: String,
    /// Pixels a row, as shown.
    pub width: Option<u32>,
    /// Rows, as shown.
    pub height: Option<u32>,
    /// Length of a video or sound.
    pub duration_ms: Option<u64>,
}

/// A client's fields have changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientUpdated {
    /// Names of the fields that have other values now.
    pub changed: Vec<String>,
    /// All its fields, as they are now.
    #[serde(flatten)]
    pub now: ClientCreated,
}

/// A client is gone. Its campaigns and the assets of both went before it, in the same write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientDeleted {
    /// UUID v4.
    pub client_id: String,
}

/// A campaign's fields have changed. With another client its assets went there too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignUpdated {
    /// Names of the fields that have other values now.
    pub changed: Vec<String>,
    /// All its fields, as they are now.
    #[serde(flatten)]
    pub now: CampaignCreated,
}

/// A campaign is gone. Its assets went before it, in the same write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignDeleted {
    /// UUID v4.
    pub campaign_id: String,
    /// Whose it was.
    pub client_id: String,
}

/// An asset is gone. Its bytes stay: storyboards may use them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetDeleted {
    /// UUID v4.
    pub asset_id: String,
    /// Whose it was.
    pub client_id: Option<String>,
    /// What it was for.
    pub campaign_id: Option<String>,
}

/// A key is in force. Neither the key nor its digest is told: the log is read by many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyCreated {
    /// UUID v4.
    pub key_id: String,
    /// One to 255 characters.
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    /// `read`, `write`, `admin`.
    pub scopes: Vec<String>,
    /// The only client whose things it reaches.
    pub client_id: Option<String>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A key is in force no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    /// UUID v4.
    pub key_id: String,
}

impl From<BlobRef> for Blob {
    fn from(BlobRef { sha256, size, content_type }: BlobRef) -> Self {
        Self { sha256, size, content_type }
    }
}

impl From<Blob> for BlobRef {
    fn from(Blob { sha256, size, content_type }: Blob) -> Self {
        Self { sha256, size, content_type }
    }
}
