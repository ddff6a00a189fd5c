//! What is brought over from older databases: as it was there, with the row that it comes from.

use jiff::Timestamp;
use protos::common::v1 as pb;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Blob, CampaignCreated, ClientCreated};

/// The row of an older database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Which database.
    pub source: String,
    /// Its table.
    pub table: String,
    /// The row's primary key.
    pub row: String,
    /// SHA-256 of what was read of it, 64 lower-case hex digits.
    pub digest: String,
}

/// A client was brought over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientImported {
    /// Where it comes from.
    pub origin: Origin,
    /// When it was made there.
    pub created_at: Timestamp,
    /// When it was last changed there.
    pub updated_at: Timestamp,
    /// All its fields; its name may be longer than names may be here.
    #[serde(flatten)]
    pub client: ClientCreated,
}

/// A campaign was brought over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignImported {
    /// Where it comes from.
    pub origin: Origin,
    /// When it was made there.
    pub created_at: Timestamp,
    /// When it was last changed there.
    pub updated_at: Timestamp,
    /// All its fields; its name may be longer than names may be here.
    #[serde(flatten)]
    pub campaign: CampaignCreated,
}

/// An asset was brought over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetImported {
    /// Where it comes from.
    pub origin: Origin,
    /// When it was made there.
    pub created_at: Timestamp,
    /// When it was last changed there.
    pub updated_at: Timestamp,
    /// As it was there.
    pub asset_id: String,
    /// `image`, `video`, `audio` or `document`, as read from the bytes; as said there when they are missing.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose it was said to be. When nobody was named, its row has its campaign's client.
    pub client_id: Option<String>,
    /// What it is for.
    pub campaign_id: Option<String>,
    /// As it was there.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// As they were there.
    pub tags: Vec<String>,
    /// Whatever was kept with it.
    pub metadata: Option<Map<String, Value>>,
    /// Where it was fetched from.
    pub source_url: Option<String>,
    /// Its bytes; absent when they are missing.
    pub blob: Option<Blob>,
    /// The thumbnail that it had; without one it is drawn when somebody asks for it.
    pub thumbnail: Option<Blob>,
    /// Such as `jpeg`, `png`, `mp4`, `pdf`; empty when nobody knows.
    pub format: String,
    /// Pixels a row, as shown.
    pub width: Option<u32>,
    /// Rows, as shown.
    pub height: Option<u32>,
    /// Length of a video or sound, as far as it is known.
    pub duration_ms: Option<u64>,
}

/// The bytes of an asset that was brought over without them were found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetBytesAdded {
    /// Where it comes from, with what the row holds by now.
    pub origin: Origin,
    /// Which asset.
    pub asset_id: String,
    /// As for [`AssetImported`]; so are all that follow.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its bytes.
    pub blob: Blob,
    /// Its thumbnail.
    pub thumbnail: Option<Blob>,
    /// Such as `jpeg`.
    pub format: String,
    /// Pixels a row, as shown.
    pub width: Option<u32>,
    /// Rows, as shown.
    pub height: Option<u32>,
    /// Length of a video or sound.
    pub duration_ms: Option<u64>,
}

/// A key of an older API was brought over: a record that opens nothing, revoked by the time of the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyImported {
    /// Where it comes from.
    pub origin: Origin,
    /// When it was made there.
    pub created_at: Timestamp,
    /// As it was there.
    pub key_id: String,
    /// As it was there.
    pub name: String,
    /// When it would have ended.
    pub expires_at: Option<Timestamp>,
}

impl From<pb::Origin> for Origin {
    fn from(pb::Origin { source, table, row, digest }: pb::Origin) -> Self {
        Self { source, table, row, digest }
    }
}

impl From<Origin> for pb::Origin {
    fn from(Origin { source, table, row, digest }: Origin) -> Self {
        Self { source, table, row, digest }
    }
}
