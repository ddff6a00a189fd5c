//! The table of clients.

use eventlog::{Log, LogError, Row, Statement, params};
use jiff::Timestamp;
use protos::asset::v1::Client;

use super::{POSITION, Page, object, time};
use crate::events::ClientCreated;

const COLUMNS: &str = "id, name, description, homepage, brand_guidelines, metadata, created_at, updated_at";

pub(crate) fn insert(event: &ClientCreated, stream: &str, at: Timestamp) -> Statement {
    let sql = format!(
        "INSERT INTO client ({COLUMNS}, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, {POSITION}$8))"
    );
    let params = params![
        &event.client_id,
        &event.name,
        event.description.clone(),
        event.homepage.clone(),
        event.brand_guidelines.clone(),
        object(event.metadata.as_ref()),
        at,
        stream,
    ];
    Statement::new(sql, params)
}

pub(crate) async fn find(log: &Log, id: &str) -> Result<Option<Client>, LogError> {
    let rows = log.query(&format!("SELECT {COLUMNS} FROM client WHERE id = $1"), params![id]).await?;
    rows.first().map(client).transpose()
}

pub(crate) async fn exists(log: &Log, id: &str) -> Result<bool, LogError> {
    Ok(!log.query("SELECT id FROM client WHERE id = $1", params![id]).await?.is_empty())
}

/// In the order of their creation, with the number of all of them.
pub(crate) async fn list(log: &Log, page: Page) -> Result<(Vec<Client>, u64), LogError> {
    let total = log.query("SELECT count(*) AS total FROM client", params![]).await?;
    let mut params = params![];
    let page = page.clause(&mut params);
    let rows = log.query(&format!("SELECT {COLUMNS} FROM client ORDER BY position{page}"), params).await?;
    let clients = rows.iter().map(client).collect::<Result<_, _>>()?;
    Ok((clients, total.first().map_or(Ok(0), |row| row.get("total"))?))
}

fn client(row: &Row) -> Result<Client, LogError> {
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
