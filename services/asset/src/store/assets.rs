//! The table of assets.

use eventlog::{Log, LogError, Row, Statement, params};
use jiff::Timestamp;
use protos::asset::v1::Asset;
use protos::common::v1::BlobRef;

use serde_json::{Map, Value};

use super::{Filter, Listing, POSITION, Page, Source, Times, is_no_id, object, time};
use crate::events::{AssetBytesAdded, AssetDeleted, AssetImported, AssetStored, Blob};

pub(crate) const COLUMNS: &str = "id, type, client_id, campaign_id, name, description, tags, metadata, source_url, sha256, \
                       size, content_type, format, width, height, duration_ms, thumbnail_sha256, \
                       thumbnail_size, thumbnail_content_type, created_at, updated_at";

/// What is listed; an absent condition matches everything.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) client_id: Option<String>,
    pub(crate) campaign_id: Option<String>,
    pub(crate) kind: Option<String>,
    /// Instead of newest first.
    pub(crate) oldest_first: bool,
}

/// A row to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
    /// None: its campaign's client, if it has a campaign.
    pub(crate) client_id: Option<&'a String>,
    pub(crate) campaign_id: Option<&'a String>,
    pub(crate) name: Option<&'a String>,
    pub(crate) description: Option<&'a String>,
    pub(crate) tags: &'a [String],
    pub(crate) metadata: Option<&'a Map<String, Value>>,
    pub(crate) source_url: Option<&'a String>,
    pub(crate) blob: Option<&'a Blob>,
    pub(crate) thumbnail: Option<&'a Blob>,
    pub(crate) format: &'a str,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) times: Times,
}

impl<'a> NewRow<'a> {
    pub(crate) fn stored(event: &'a AssetStored, at: Timestamp) -> Self {
        Self {
            id: &event.asset_id,
            kind: &event.kind,
            client_id: event.client_id.as_ref(),
            campaign_id: event.campaign_id.as_ref(),
            name: event.name.as_ref(),
            description: event.description.as_ref(),
            tags: &event.tags,
            metadata: event.metadata.as_ref(),
            source_url: event.source_url.as_ref(),
            blob: Some(&event.blob),
            thumbnail: event.thumbnail.as_ref(),
            format: &event.format,
            width: event.width,
            height: event.height,
            duration_ms: event.duration_ms,
            times: Times::new(at),
        }
    }

    pub(crate) fn imported(event: &'a AssetImported) -> Self {
        Self {
            id: &event.asset_id,
            kind: &event.kind,
            client_id: event.client_id.as_ref(),
            campaign_id: event.campaign_id.as_ref(),
            name: event.name.as_ref(),
            description: event.description.as_ref(),
            tags: &event.tags,
            metadata: event.metadata.as_ref(),
            source_url: event.source_url.as_ref(),
            blob: event.blob.as_ref(),
            thumbnail: event.thumbnail.as_ref(),
            format: &event.format,
            width: event.width,
            height: event.height,
            duration_ms: event.duration_ms,
            times: Times { created_at: event.created_at, updated_at: event.updated_at },
        }
    }
}

pub(crate) fn insert(row: NewRow<'_>, stream: &str) -> Statement {
    let sql = format!(
        "INSERT INTO asset ({COLUMNS}, position) VALUES ($1, $2, \
         coalesce($3, (SELECT client_id FROM campaign WHERE id = $4)), $4, $5, $6, $7, $8, $9, $10, \
         $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, {POSITION}$22))"
    );
    let params = params![
        row.id,
        row.kind,
        row.client_id,
        row.campaign_id,
        row.name,
        row.description,
        Value::from(row.tags),
        object(row.metadata),
        row.source_url,
        row.blob.map(|blob| &blob.sha256),
        row.blob.map(|blob| blob.size),
        row.blob.map(|blob| &blob.content_type),
        row.format,
        row.width,
        row.height,
        row.duration_ms,
        row.thumbnail.map(|blob| &blob.sha256),
        row.thumbnail.map(|blob| blob.size),
        row.thumbnail.map(|blob| &blob.content_type),
        row.times.created_at,
        row.times.updated_at,
        stream,
    ];
    Statement::new(sql, params).affecting(1)
}

/// Gives an asset without bytes those that were found. When it was changed there stays as it is: it was not changed.
pub(crate) fn add_bytes(event: &AssetBytesAdded) -> Statement {
    let sql = "UPDATE asset SET type = $2, sha256 = $3, size = $4, content_type = $5, format = $6, width = $7, \
               height = $8, duration_ms = $9, thumbnail_sha256 = $10, thumbnail_size = $11, \
               thumbnail_content_type = $12 WHERE id = $1 AND sha256 IS NULL";
    let thumbnail = event.thumbnail.as_ref();
    let params = params![
        &event.asset_id,
        &event.kind,
        &event.blob.sha256,
        event.blob.size,
        &event.blob.content_type,
        &event.format,
        event.width,
        event.height,
        event.duration_ms,
        thumbnail.map(|blob| &blob.sha256),
        thumbnail.map(|blob| blob.size),
        thumbnail.map(|blob| &blob.content_type),
    ];
    Statement::new(sql, params).affecting(1)
}

/// Whom assets go with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum With<'a> {
    /// Its own, and those of its campaigns.
    Client(&'a str),
    Campaign(&'a str),
}

/// What will be said of each asset that goes with its owner, in the order of their creation.
pub(crate) async fn going(log: &Log, owner: With<'_>) -> Result<Vec<AssetDeleted>, LogError> {
    let (condition, id) = match owner {
        With::Client(id) => {
            ("client_id = $1 OR campaign_id IN (SELECT id FROM campaign WHERE client_id = $1)", id)
        }
        With::Campaign(id) => ("campaign_id = $1", id),
    };
    let sql = format!("SELECT id, client_id, campaign_id FROM asset WHERE {condition} ORDER BY position");
    let rows = log.query(&sql, params![id]).await?;
    let going = rows.iter().map(|row| {
        Ok(AssetDeleted {
            asset_id: row.get("id")?,
            client_id: row.get("client_id")?,
            campaign_id: row.get("campaign_id")?,
        })
    });
    going.collect()
}

pub(crate) async fn find(log: &Log, id: &str) -> Result<Option<Asset>, LogError> {
    if is_no_id(id) {
        return Ok(None);
    }
    let rows = log.query(&format!("SELECT {COLUMNS} FROM asset WHERE id = $1"), params![id]).await?;
    rows.first().map(asset).transpose()
}

/// Newest first, unless asked otherwise.
pub(crate) async fn list(log: &Log, wanted: Wanted, page: Page) -> Result<Listing<Asset>, LogError> {
    let mut filter = Filter::default();
    filter.equals("client_id", wanted.client_id);
    filter.equals("campaign_id", wanted.campaign_id);
    filter.equals("type", wanted.kind);
    let newest_first = !wanted.oldest_first;
    let source = Source { table: "asset", columns: COLUMNS, newest_first, read: asset };
    super::list(log, source, filter, page).await
}

pub(crate) fn asset(row: &Row) -> Result<Asset, LogError> {
    Ok(Asset {
        id: row.get("id")?,
        r#type: row.get("type")?,
        client_id: row.get("client_id")?,
        campaign_id: row.get("campaign_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        tags: tags(row)?,
        metadata_json: row.get("metadata")?,
        source_url: row.get("source_url")?,
        blob: bytes(row, ["sha256", "size", "content_type"])?,
        thumbnail: bytes(row, ["thumbnail_sha256", "thumbnail_size", "thumbnail_content_type"])?,
        format: row.get("format")?,
        width: row.get("width")?,
        height: row.get("height")?,
        duration_ms: row.get("duration_ms")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn tags(row: &Row) -> Result<Vec<String>, LogError> {
    let json: String = row.get("tags")?;
    serde_json::from_str(&json)
        .map_err(|error| LogError::Column { column: "tags".to_owned(), reason: error.to_string() })
}

fn bytes(row: &Row, [sha256, size, content_type]: [&str; 3]) -> Result<Option<BlobRef>, LogError> {
    let Some(sha256) = row.get::<Option<String>>(sha256)? else { return Ok(None) };
    Ok(Some(BlobRef { sha256, size: row.get(size)?, content_type: row.get(content_type)? }))
}
