//! The table of clients.

use eventlog::{Log, LogError, Row, Statement, params};
use jiff::Timestamp;
use protos::asset::v1::Client;

use super::{Filter, Listing, POSITION, Page, Source, Times, is_no_id, object, time};
use crate::events::ClientCreated;

pub(crate) const COLUMNS: &str =
    "id, name, description, homepage, brand_guidelines, metadata, created_at, updated_at";

pub(crate) fn insert(event: &ClientCreated, stream: &str, times: Times) -> Statement {
    let sql = format!(
        "INSERT INTO client ({COLUMNS}, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, {POSITION}$9))"
    );
    let params = params![
        &event.client_id,
        &event.name,
        event.description.clone(),
        event.homepage.clone(),
        event.brand_guidelines.clone(),
        object(event.metadata.as_ref()),
        times.created_at,
        times.updated_at,
        stream,
    ];
    Statement::new(sql, params).affecting(1)
}

pub(crate) fn update(now: &ClientCreated, at: Timestamp) -> Statement {
    let sql = "UPDATE client SET name = $2, description = $3, homepage = $4, brand_guidelines = $5, \
               metadata = $6, updated_at = $7 WHERE id = $1";
    let params = params![
        &now.client_id,
        &now.name,
        now.description.clone(),
        now.homepage.clone(),
        now.brand_guidelines.clone(),
        object(now.metadata.as_ref()),
        at,
    ];
    Statement::new(sql, params).affecting(1)
}

pub(crate) async fn find(log: &Log, id: &str) -> Result<Option<Client>, LogError> {
    if is_no_id(id) {
        return Ok(None);
    }
    let rows = log.query(&format!("SELECT {COLUMNS} FROM client WHERE id = $1"), params![id]).await?;
    rows.first().map(client).transpose()
}

pub(crate) async fn exists(log: &Log, id: &str) -> Result<bool, LogError> {
    Ok(!is_no_id(id) && !log.query("SELECT id FROM client WHERE id = $1", params![id]).await?.is_empty())
}

/// In the order of their creation; with `id` that one alone.
pub(crate) async fn list(log: &Log, id: Option<String>, page: Page) -> Result<Listing<Client>, LogError> {
    let mut filter = Filter::default();
    filter.equals("id", id);
    let source = Source { table: "client", columns: COLUMNS, newest_first: false, read: client };
    super::list(log, source, filter, page).await
}

pub(crate) fn client(row: &Row) -> Result<Client, LogError> {
    Ok(Client {
        id: row.get("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        homepage: row.get("homepage")?,
        brand_guidelines: row.get("brand_guidelines")?,
        metadata_json: row.get("metadata")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
