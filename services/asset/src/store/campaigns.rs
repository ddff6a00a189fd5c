//! The table of campaigns.

use eventlog::{Log, LogError, Row, Statement, params};
use jiff::Timestamp;
use protos::asset::v1::Campaign;

use super::{Filter, POSITION, Page, object, time};
use crate::events::CampaignCreated;

const COLUMNS: &str =
    "id, client_id, name, goal, status, product_url, brief, metadata, created_at, updated_at";

pub(crate) fn insert(event: &CampaignCreated, stream: &str, at: Timestamp) -> Statement {
    let sql = format!(
        "INSERT INTO campaign ({COLUMNS}, position) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, {POSITION}$10))"
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
        at,
        stream,
    ];
    Statement::new(sql, params)
}

pub(crate) async fn find(log: &Log, id: &str) -> Result<Option<Campaign>, LogError> {
    let rows = log.query(&format!("SELECT {COLUMNS} FROM campaign WHERE id = $1"), params![id]).await?;
    rows.first().map(campaign).transpose()
}

/// In the order of their creation, with the number of all that match.
pub(crate) async fn list(
    log: &Log,
    client_id: Option<String>,
    page: Page,
) -> Result<(Vec<Campaign>, u64), LogError> {
    let mut filter = Filter::default();
    filter.equals("client_id", client_id);
    let matching = filter.clause();
    let count = format!("SELECT count(*) AS total FROM campaign{matching}");
    let total = log.query(&count, filter.params.clone()).await?;
    let page = page.clause(&mut filter.params);
    let sql = format!("SELECT {COLUMNS} FROM campaign{matching} ORDER BY position{page}");
    let rows = log.query(&sql, filter.params).await?;
    let campaigns = rows.iter().map(campaign).collect::<Result<_, _>>()?;
    Ok((campaigns, total.first().map_or(Ok(0), |row| row.get("total"))?))
}

fn campaign(row: &Row) -> Result<Campaign, LogError> {
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
