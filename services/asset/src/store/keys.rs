//! The tables of API keys: what is told of them, and apart from that the digests that recognise them.

use eventlog::{Log, LogError, Row, Statement, params};
use jiff::Timestamp;
use protos::asset::v1::{ApiKey, RingKey};

use super::{Filter, Listing, POSITION, Page, Source, is_no_id, time, time_text};
use crate::events::{ApiKeyCreated, KeyImported};

pub(crate) const COLUMNS: &str = "id, name, prefix, scopes, client_id, created_at, expires_at, revoked_at";

/// Whether a key could open anything, but for its expiry.
pub(crate) const OPENS: &str = "CASE WHEN revoked_at IS NULL OR scopes <> '[]' \
                                OR EXISTS (SELECT 1 FROM api_key_digest WHERE key_id = api_key.id) \
                                THEN 1 ELSE 0 END AS opens";

pub(crate) fn insert(event: &ApiKeyCreated, stream: &str, at: Timestamp) -> Statement {
    let sql = format!(
        "INSERT INTO api_key (id, name, prefix, scopes, client_id, created_at, expires_at, position) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, {POSITION}$8))"
    );
    let params = params![
        &event.key_id,
        &event.name,
        &event.prefix,
        serde_json::Value::from(event.scopes.clone()),
        event.client_id.clone(),
        at,
        event.expires_at,
        stream,
    ];
    Statement::new(sql, params).affecting(1)
}

/// A key of an older API: without a prefix, without scopes, without a digest, and revoked.
pub(crate) fn insert_imported(event: &KeyImported, stream: &str, revoked_at: Timestamp) -> Statement {
    let sql = format!(
        "INSERT INTO api_key (id, name, prefix, scopes, created_at, expires_at, revoked_at, position) \
         VALUES ($1, $2, '', '[]', $3, $4, $5, {POSITION}$6))"
    );
    let params = params![&event.key_id, &event.name, event.created_at, event.expires_at, revoked_at, stream];
    Statement::new(sql, params).affecting(1)
}

/// The digest is no event's: a log that is read, copied or replayed opens nothing.
pub(crate) fn insert_digest(key_id: &str, digest: &[u8]) -> Statement {
    let sql = "INSERT INTO api_key_digest (key_id, digest) VALUES ($1, $2)";
    Statement::new(sql, params![key_id, digest]).affecting(1)
}

pub(crate) fn revoke(key_id: &str, at: Timestamp) -> Statement {
    let sql = "UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Statement::new(sql, params![key_id, at]).affecting(1)
}

pub(crate) async fn find(log: &Log, id: &str) -> Result<Option<ApiKey>, LogError> {
    if is_no_id(id) {
        return Ok(None);
    }
    let rows = log.query(&format!("SELECT {COLUMNS} FROM api_key WHERE id = $1"), params![id]).await?;
    rows.first().map(key).transpose()
}

/// In the order of their creation.
pub(crate) async fn list(log: &Log, page: Page) -> Result<Listing<ApiKey>, LogError> {
    let source = Source { table: "api_key", columns: COLUMNS, newest_first: false, read: key };
    super::list(log, source, Filter::default(), page).await
}

/// Those in force at a moment.
pub(crate) async fn ring(log: &Log, now: Timestamp) -> Result<Vec<RingKey>, LogError> {
    let sql = "SELECT id, scopes, client_id, expires_at, digest FROM api_key JOIN api_key_digest ON key_id = id \
               WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) ORDER BY position";
    let rows = log.query(sql, params![now]).await?;
    let keys = rows.iter().map(|row| {
        let expires_at: Option<Timestamp> = row.get("expires_at")?;
        Ok(RingKey {
            id: row.get("id")?,
            digest: row.get("digest")?,
            scopes: scopes(row)?,
            client_id: row.get("client_id")?,
            expires_at: expires_at.map(Timestamp::as_second),
        })
    });
    keys.collect()
}

fn key(row: &Row) -> Result<ApiKey, LogError> {
    let later = |column: &str| Ok(row.get::<Option<Timestamp>>(column)?.map(time_text));
    Ok(ApiKey {
        id: row.get("id")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        scopes: scopes(row)?,
        client_id: row.get("client_id")?,
        created_at: time(row, "created_at")?,
        expires_at: later("expires_at")?,
        revoked_at: later("revoked_at")?,
    })
}

fn scopes(row: &Row) -> Result<Vec<String>, LogError> {
    let json: String = row.get("scopes")?;
    serde_json::from_str(&json)
        .map_err(|error| LogError::Column { column: "scopes".to_owned(), reason: error.to_string() })
}
