//! A client's, a campaign's and an asset's events as the log stores them.
//!
//! Each holds everything that was decided, so that the read tables can be made again from the log alone.

use anyhow::Context as _;
use eventlog::{Append, Meta, NewEvent, Statement, StoredEvent};
use jiff::Timestamp;
use kit::ServiceError;
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::store;

/// Version of the shapes below; a change to one of them needs a new version and an upcaster.
pub const SCHEMA_VERSION: u32 = 1;

/// What is stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A client is there.
    ClientCreated(ClientCreated),
    /// A campaign is there.
    CampaignCreated(CampaignCreated),
    /// An asset is there; its bytes were durable before.
    AssetStored(Box<AssetStored>),
}

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

impl Event {
    /// The name that it is stored under.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ClientCreated(_) => "ClientCreated",
            Self::CampaignCreated(_) => "CampaignCreated",
            Self::AssetStored(_) => "AssetStored",
        }
    }

    /// The id of what it is about.
    #[must_use]
    pub fn entity(&self) -> &str {
        match self {
            Self::ClientCreated(event) => &event.client_id,
            Self::CampaignCreated(event) => &event.campaign_id,
            Self::AssetStored(event) => &event.asset_id,
        }
    }

    /// The stream that it belongs to.
    #[must_use]
    pub fn stream(&self) -> String {
        let noun = match self {
            Self::ClientCreated(_) => "client",
            Self::CampaignCreated(_) => "campaign",
            Self::AssetStored(_) => "asset",
        };
        format!("{noun}-{}", self.entity())
    }

    /// Reads a stored event; none when it is of a kind that this build does not know.
    ///
    /// # Errors
    /// The data does not fit its kind.
    pub fn from_stored(stored: &StoredEvent) -> anyhow::Result<Option<Self>> {
        let event = match stored.kind.as_str() {
            "ClientCreated" => Self::ClientCreated(read(stored)?),
            "CampaignCreated" => Self::CampaignCreated(read(stored)?),
            "AssetStored" => Self::AssetStored(read(stored)?),
            _ => return Ok(None),
        };
        Ok(Some(event))
    }

    /// Its data.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn data(&self) -> serde_json::Result<Value> {
        match self {
            Self::ClientCreated(event) => serde_json::to_value(event),
            Self::CampaignCreated(event) => serde_json::to_value(event),
            Self::AssetStored(event) => serde_json::to_value(event),
        }
    }

    /// The event, to be appended.
    pub(crate) fn to_new(&self, meta: Meta, at: Timestamp) -> Result<NewEvent, ServiceError> {
        let data = self.data().map_err(ServiceError::internal)?;
        Ok(NewEvent::new(Uuid::now_v7(), self.kind(), data, at).schema_version(SCHEMA_VERSION).meta(meta))
    }

    /// The statement that makes its row.
    pub(crate) fn row(&self, at: Timestamp) -> Statement {
        match self {
            Self::ClientCreated(event) => store::clients::insert(event, &self.stream(), at),
            Self::CampaignCreated(event) => store::campaigns::insert(event, &self.stream(), at),
            Self::AssetStored(event) => store::assets::insert(event, &self.stream(), at),
        }
    }
}

/// The append that stores an event of another log as it was there, with its row: a log replayed into an empty
/// database gives the same tables.
///
/// # Errors
/// The event cannot be read.
pub fn replay(stored: &StoredEvent) -> anyhow::Result<Append> {
    let again = NewEvent {
        id: stored.id,
        kind: stored.kind.clone(),
        schema_version: stored.schema_version,
        data: stored.data.clone(),
        meta: stored.meta.clone(),
        recorded_at: stored.recorded_at,
    };
    let row = Event::from_stored(stored)?.map(|event| event.row(stored.recorded_at));
    Ok(Append::to(&stored.stream).event(again).statements(row))
}

fn read<T: DeserializeOwned>(stored: &StoredEvent) -> anyhow::Result<T> {
    stored.data.read().with_context(|| format!("reading {} at position {}", stored.kind, stored.position))
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
