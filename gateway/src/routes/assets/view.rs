//! How an asset is shown.

use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::super::text;

/// An asset. What its bytes say wins over what its metadata says.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asset {
    /// UUID.
    id: String,
    /// From the metadata, or empty.
    user_id: String,
    #[schema(required)]
    client_id: Option<String>,
    #[schema(required)]
    campaign_id: Option<String>,
    name: String,
    /// Where its bytes are, relative to the API's root.
    url: String,
    /// Bytes.
    #[schema(required)]
    size: Option<u64>,
    /// RFC 3339, UTC.
    uploaded_at: String,
    #[schema(required)]
    description: Option<String>,
    tags: Vec<String>,
    /// SHA-256 of the thumbnail, unless the metadata says another id.
    #[schema(required)]
    thumbnail_blob_id: Option<Value>,
    #[schema(required)]
    source_url: Option<String>,
    /// `image`, `video` or `audio`; `document` for what was brought over from an older database.
    r#type: String,
    #[schema(required)]
    format: Option<String>,
    /// Pixels.
    #[schema(required)]
    width: Option<u32>,
    #[schema(required)]
    height: Option<u32>,
    /// Media type read from the bytes.
    #[schema(required)]
    content_type: Option<String>,
    /// Of the bytes, hexadecimal.
    #[schema(required)]
    sha256: Option<String>,
    /// Whole seconds; videos and audio only.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    /// Videos only.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
    /// Audio only.
    #[serde(skip_serializing_if = "Option::is_none")]
    waveform_url: Option<Option<String>>,
}

impl From<pb::Asset> for Asset {
    fn from(asset: pb::Asset) -> Self {
        let metadata = Metadata(text::object(asset.metadata_json.as_deref()).unwrap_or_default());
        let (video, audio) = (asset.r#type == "video", asset.r#type == "audio");
        let names = ["name", "original_name", "originalName"];
        let name = text::filled(asset.name).or_else(|| metadata.text(&names));
        let own_tags = Some(asset.tags).filter(|tags| !tags.is_empty());
        let blob = asset.blob;
        Self {
            user_id: metadata.text(&["userId", "user_id"]).unwrap_or_default(),
            client_id: asset.client_id.or_else(|| metadata.text(&["clientId", "client_id"])),
            campaign_id: asset.campaign_id,
            name: name.unwrap_or_else(|| asset.id.clone()),
            url: format!("/api/v3/assets/{}/data", asset.id),
            size: blob.as_ref().map(|blob| blob.size),
            uploaded_at: asset.created_at,
            description: text::filled(asset.description)
                .or_else(|| metadata.text(&["description", "caption", "summary"])),
            tags: own_tags.or_else(|| super::fields::tags(metadata.0.get("tags")?).ok()).unwrap_or_default(),
            thumbnail_blob_id: metadata
                .value(&["thumbnail_blob_id", "thumbnailBlobId"])
                .or_else(|| asset.thumbnail.map(|thumbnail| thumbnail.sha256.into())),
            source_url: asset.source_url,
            format: text::filled(Some(asset.format)),
            width: asset.width,
            height: asset.height,
            content_type: blob.as_ref().map(|blob| blob.content_type.clone()),
            sha256: blob.map(|blob| blob.sha256),
            duration: (video || audio)
                .then(|| asset.duration_ms.unwrap_or_default().saturating_add(500) / 1000),
            thumbnail_url: video.then(|| format!("/api/v3/assets/{}/thumbnail", asset.id)),
            waveform_url: audio.then(|| metadata.text(&["waveform_url", "waveformUrl"])),
            r#type: asset.r#type,
            id: asset.id,
        }
    }
}

/// The metadata that a caller gave, read leniently.
struct Metadata(Map<String, Value>);

impl Metadata {
    fn value(&self, names: &[&str]) -> Option<Value> {
        names.iter().find_map(|name| self.0.get(*name).filter(|value| !value.is_null()).cloned())
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| match self.0.get(*name)? {
            Value::String(text) => text::filled(Some(text.clone())),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }
}

/// One asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetReply {
    pub(crate) data: Asset,
}

/// One asset, and whether it has a thumbnail.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnifiedReply {
    pub(crate) data: Asset,
    pub(crate) meta: UnifiedMeta,
}

/// What was made of an upload.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnifiedMeta {
    /// Whether a thumbnail was made.
    pub(crate) has_thumbnail: bool,
}

/// A page of assets.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetList {
    pub(crate) data: Vec<Asset>,
    pub(crate) meta: Page,
}

/// Where a page lies.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    /// All that match, on every page.
    pub(crate) total: u64,
    pub(crate) limit: u32,
    pub(crate) offset: u32,
    /// `cursor` of the next page; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}
