//! The table of assets.

use eventlog::{Log, LogError, Row, Statement, params};
use jiff::Timestamp;
use protos::asset::v1::Asset;
use protos::common::v1::BlobRef;

use super::{Filter, Listing, POSITION, Page, Source, is_no_id, object, time};
use crate::events::{AssetDeleted, AssetStored};

const COLUMNS: &str = "id, type, client_id, campaign_id, name, description, tags, metadata, source_url, sha256, \
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

pub(crate) fn insert(event: &AssetStored, stream: &str, at: Timestamp) -> Statement {
    let sql = format!(
        "INSERT INTO asset ({COLUMNS}, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
         $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, {POSITION}$21))"
    );
    let thumbnail = event.thumbnail.as_ref();
    let params = params![
        &event.asset_id,
        &event.kind,
        event.client_id.clone(),
        event.campaign_id.clone(),
        event.name.clone(),
        event.description.clone(),
        serde_json::Value::from(event.tags.clone()),
        object(event.metadata.as_ref()),
        event.source_url.clone(),
        &event.blob.sha256,
        event.blob.size,
        &event.blob.content_type,
        &event.format,
        event.width,
        event.height,
        event.duration_ms,
        thumbnail.map(|blob| blob.sha256.clone()),
        thumbnail.map(|blob| blob.size),
        thumbnail.map(|blob| blob.content_type.clone()),
        at,
        stream,
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

fn asset(row: &Row) -> Result<Asset, LogError> {
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
        blob: Some(BlobRef {
            sha256: row.get("sha256")?,
            size: row.get("size")?,
            content_type: row.get("content_type")?,
        }),
        thumbnail: thumbnail(row)?,
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

fn thumbnail(row: &Row) -> Result<Option<BlobRef>, LogError> {
    let Some(sha256) = row.get::<Option<String>>("thumbnail_sha256")? else { return Ok(None) };
    Ok(Some(BlobRef {
        sha256,
        size: row.get("thumbnail_size")?,
        content_type: row.get("thumbnail_content_type")?,
    }))
}
