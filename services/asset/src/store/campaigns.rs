//! The table of campaigns.

use eventlog::{Log, LogError, Row, Statement, params};
use jiff::Timestamp;
use protos::asset::v1::Campaign;

use super::{Filter, Listing, POSITION, Page, Source, Times, is_no_id, object, time};
use crate::events::CampaignCreated;

pub(crate) const COLUMNS: &str =
    "id, client_id, name, goal, status, product_url, brief, metadata, created_at, updated_at";

pub(crate) fn insert(event: &CampaignCreated, stream: &str, times: Times) -> Statement {
    let sql = format!(
        "INSERT INTO campaign ({COLUMNS}, position) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {POSITION}$11))"
    );
    let params = params![
        &event.campaign_id,
        &event.client_id,
        &event.name,
        event.goal.clone(),
        event.status.clone(),
        event.product_url.clone(),
        event.brief.clone(),
        object(event.metadata.as_ref()),
        times.created_at,
        times.updated_at,
        stream,
    ];
    Statement::new(sql, params).affecting(1)
}

/// The campaign as it is now; its assets are its client's.
pub(crate) fn update(now: &CampaignCreated, at: Timestamp) -> Vec<Statement> {
    let sql = "UPDATE campaign SET client_id = $2, name = $3, goal = $4, status = $5, product_url = $6, \
               brief = $7, metadata = $8, updated_at = $9 WHERE id = $1";
    let params = params![
        &now.campaign_id,
        &now.client_id,
        &now.name,
        now.goal.clone(),
        now.status.clone(),
        now.product_url.clone(),
        now.brief.clone(),
        object(now.metadata.as_ref()),
        at,
    ];
    let assets = "UPDATE asset SET client_id = $2 WHERE campaign_id = $1 AND client_id <> $2";
    vec![
        Statement::new(sql, params).affecting(1),
        Statement::new(assets, params![&now.campaign_id, &now.client_id]),
    ]
}

/// Changes nothing, and fails what is stored with it unless the campaign is still this client's.
pub(crate) fn is_still_of(id: &str, client_id: Option<&str>) -> Statement {
    let sql = "UPDATE campaign SET client_id = client_id WHERE id = $1 AND client_id = $2";
    Statement::new(sql, params![id, client_id]).affecting(1)
}

/// Ids of a client's campaigns.
pub(crate) async fn ids_of(log: &Log, client_id: &str) -> Result<Vec<String>, LogError> {
    let sql = "SELECT id FROM campaign WHERE client_id = $1 ORDER BY position";
    log.query(sql, params![client_id]).await?.iter().map(|row| row.get("id")).collect()
}

pub(crate) async fn find(log: &Log, id: &str) -> Result<Option<Campaign>, LogError> {
    if is_no_id(id) {
        return Ok(None);
    }
    let rows = log.query(&format!("SELECT {COLUMNS} FROM campaign WHERE id = $1"), params![id]).await?;
    rows.first().map(campaign).transpose()
}

/// In the order of their creation.
pub(crate) async fn list(
    log: &Log,
    client_id: Option<String>,
    newest_first: bool,
    page: Page,
) -> Result<Listing<Campaign>, LogError> {
    let mut filter = Filter::default();
    filter.equals("client_id", client_id);
    let source = Source { table: "campaign", columns: COLUMNS, newest_first, read: campaign };
    super::list(log, source, filter, page).await
}

pub(crate) fn campaign(row: &Row) -> Result<Campaign, LogError> {
    Ok(Campaign {
        id: row.get("id")?,
        client_id: row.get("client_id")?,
        name: row.get("name")?,
        goal: row.get("goal")?,
        status: row.get("status")?,
        product_url: row.get("product_url")?,
        brief: row.get("brief")?,
        metadata_json: row.get("metadata")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
