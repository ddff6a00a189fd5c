//! What came from a source: as it came, as it is now, and whether anything happened to it here. A few queries a page.
//!
//! Something counts as touched, by the log, when
//! - its stream goes on after its beginning, other than with bytes that were found later;
//! - or, of an asset, its campaign was deleted or went to another client, or its client was deleted;
//! - or, of a campaign, its client was deleted.

use std::collections::{HashMap, HashSet};

use eventlog::{Log, LogError, Params, Row, params};
use kit::ServiceError;
use protos::asset::v1 as pb;
use serde_json::Value;

use super::failed;
use super::known::{beginnings, unreadable};
use super::shown::{self, CAMPAIGN_CLIENT, Shown};
use crate::app::App;
use crate::events::{AssetBytesAdded, Event, Origin};
use crate::store::imported::among;
use crate::store::{assets, campaigns, clients, is_no_id, keys};

/// Things of one page.
const MOST: u32 = 1000;
/// Bytes of what the log says of a page's things: it has to fit into one message, twice.
const MOST_BYTES: usize = 12 * 1024 * 1024;

/// Those of a source that are on a page.
const ON_PAGE: &str = "imported.source = $1 AND imported.position > $2 AND imported.position <= $3";

/// Something as it came.
struct Came {
    origin: Origin,
    kind: String,
    id: String,
    position: i64,
    event: Event,
}

impl Came {
    fn stream(&self) -> String {
        format!("{}-{}", self.kind, self.id)
    }
}

pub(super) async fn list(
    app: &App,
    request: pb::ListImportedRequest,
) -> Result<pb::ListImportedReply, ServiceError> {
    let pb::ListImportedRequest { source, limit, after } = request;
    if is_no_id(&source) {
        return Ok(pb::ListImportedReply::default());
    }
    let limit = if limit == 0 { MOST } else { limit.min(MOST) };
    let log = &app.log;
    let (came, next) = page(log, &source, after.unwrap_or_default(), limit).await.map_err(failed)?;
    let (Some(first), Some(last)) = (came.first(), came.last()) else {
        return Ok(pb::ListImportedReply::default());
    };
    let on_page = params![&source, first.position - 1, last.position];
    let mut added = added(log, &on_page).await.map_err(failed)?;
    let touched = touched(log, &on_page, &came).await.map_err(failed)?;
    let mut now = now(log, &on_page, &came).await.map_err(failed)?;
    let things = came.into_iter().map(|came| {
        let stream = came.stream();
        let origin = Some(came.origin.into());
        let now = now.remove(&stream).map(|thing| shown::without_campaigns_client(thing, &came.event));
        let now = now.map(|thing| pb::LegacyThing { origin: origin.clone(), thing: Some(thing) });
        let thing = shown::as_it_came(came.event, added.remove(&stream));
        pb::ImportedThing {
            touched: touched.contains(&stream),
            kind: came.kind,
            id: came.id,
            now,
            came: Some(pb::LegacyThing { origin: origin.clone(), thing }),
            origin,
        }
    });
    Ok(pb::ListImportedReply { things: things.collect(), next })
}

/// The things of a page, and where the next one begins, if there is one.
async fn page(log: &Log, source: &str, after: i64, limit: u32) -> Result<(Vec<Came>, Option<i64>), LogError> {
    let sql = "SELECT imported.origin_table, imported.origin_row, imported.digest, imported.kind, imported.id, \
               imported.position, event.kind AS event_kind, event.data \
               FROM imported JOIN event ON event.position = imported.position \
               WHERE imported.source = $1 AND imported.position > $2 ORDER BY imported.position LIMIT $3";
    let rows = log.query(sql, params![source, after, i64::from(limit) + 1]).await?;
    let mut came: Vec<Came> = Vec::new();
    let mut size = 0;
    for row in &rows {
        let data: String = row.get("data")?;
        size += data.len();
        if let Some(last) = came.last()
            && (came.len() == limit as usize || size > MOST_BYTES)
        {
            let next = last.position;
            return Ok((came, Some(next)));
        }
        came.push(Came {
            origin: Origin {
                source: source.to_owned(),
                table: row.get("origin_table")?,
                row: row.get("origin_row")?,
                digest: row.get("digest")?,
            },
            kind: row.get("kind")?,
            id: row.get("id")?,
            position: row.get("position")?,
            event: event(&row.get::<String>("event_kind")?, &data)?,
        });
    }
    Ok((came, None))
}

fn event(kind: &str, data: &str) -> Result<Event, LogError> {
    let event = Event::from_text(kind, data).map_err(|error| unreadable(kind, &error))?;
    let unknown = || LogError::Column {
        column: "kind".to_owned(),
        reason: format!("{kind} is not known to this build"),
    };
    event.ok_or_else(unknown)
}

/// Bytes that were found later, by the streams of their assets.
async fn added(log: &Log, on_page: &Params) -> Result<HashMap<String, AssetBytesAdded>, LogError> {
    let sql = format!(
        "SELECT event.stream, event.data FROM imported JOIN event ON event.stream = 'asset-' || imported.id \
         WHERE {ON_PAGE} AND imported.kind = 'asset' AND event.version > 1 AND event.kind = 'AssetBytesAdded'"
    );
    let mut added = HashMap::new();
    for row in log.query(&sql, on_page.clone()).await? {
        let data: String = row.get("data")?;
        let event = serde_json::from_str(&data).map_err(|error| unreadable("AssetBytesAdded", &error))?;
        added.insert(row.get("stream")?, event);
    }
    Ok(added)
}

/// Streams of those that something happened to; see above.
async fn touched(log: &Log, on_page: &Params, came: &[Came]) -> Result<HashSet<String>, LogError> {
    let sql = format!(
        "SELECT DISTINCT event.stream FROM imported \
         JOIN event ON event.stream = imported.kind || '-' || imported.id \
         WHERE {ON_PAGE} AND event.version > 1 AND event.kind <> 'AssetBytesAdded'"
    );
    let mut touched = HashSet::new();
    for row in log.query(&sql, on_page.clone()).await? {
        touched.insert(row.get("stream")?);
    }
    let clients = clients_of_campaigns(log, came).await?;
    let mut streams: Vec<String> = came.iter().flat_map(|came| owners(came, &clients)).collect();
    streams.sort_unstable();
    streams.dedup();
    let sql = "SELECT stream, kind, data FROM event WHERE version > 1 \
               AND kind IN ('CampaignUpdated', 'CampaignDeleted', 'ClientDeleted') AND stream";
    let mut unlike = HashSet::new();
    for row in among(log, sql, &params![], &streams).await? {
        if moves_what_it_owns(&row)? {
            unlike.insert(row.get::<String>("stream")?);
        }
    }
    let by_owner = came.iter().filter(|came| owners(came, &clients).any(|owner| unlike.contains(&owner)));
    touched.extend(by_owner.map(Came::stream));
    Ok(touched)
}

/// Whether what belongs to a stream's client or campaign is not as it was after this event of it. A client's stream
/// tells of each of its campaigns that goes with it, and at last of itself.
fn moves_what_it_owns(row: &Row) -> Result<bool, LogError> {
    let (kind, stream) = (row.get::<String>("kind")?, row.get::<String>("stream")?);
    Ok(match kind.as_str() {
        "ClientDeleted" => true,
        "CampaignDeleted" => stream.starts_with("campaign-"),
        _ => {
            let data: Value = row.get("data")?;
            let changed = data["changed"].as_array().map(Vec::as_slice).unwrap_or_default();
            changed.iter().any(|field| field == "client_id")
        }
    })
}

/// Streams of what something belongs to.
fn owners(came: &Came, clients: &HashMap<String, String>) -> impl Iterator<Item = String> {
    let campaign = came.event.owner_campaign().map(|id| format!("campaign-{id}"));
    let its_client = || campaign.as_ref().and_then(|campaign| clients.get(campaign)).cloned();
    let client = came.event.owner_client().cloned().or_else(its_client).map(|id| format!("client-{id}"));
    client.into_iter().chain(campaign)
}

/// Whose the campaigns of assets without a client were at their beginning, by the campaigns' streams.
async fn clients_of_campaigns(log: &Log, came: &[Came]) -> Result<HashMap<String, String>, LogError> {
    let without = came.iter().filter(|came| came.event.owner_client().is_none());
    let campaigns = without.filter_map(|came| came.event.owner_campaign());
    let began = beginnings(log, campaigns.map(|id| format!("campaign-{id}")).collect()).await?;
    let client = |event: Event| match event {
        Event::CampaignCreated(event) => Some(event.client_id),
        Event::CampaignImported(event) => Some(event.campaign.client_id),
        _ => None,
    };
    Ok(began.into_iter().filter_map(|(stream, event)| Some((stream, client(event)?))).collect())
}

/// What is here now, by streams.
async fn now(log: &Log, on_page: &Params, came: &[Came]) -> Result<HashMap<String, Shown>, LogError> {
    let mut all = HashMap::new();
    for (kind, table, columns) in [
        ("client", "client", clients::COLUMNS.to_owned()),
        ("campaign", "campaign", campaigns::COLUMNS.to_owned()),
        ("asset", "asset", format!("{}, {CAMPAIGN_CLIENT}", assets::COLUMNS)),
        ("key", "api_key", format!("id, name, created_at, expires_at, {}", keys::OPENS)),
    ] {
        if !came.iter().any(|came| came.kind == kind) {
            continue;
        }
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE id IN \
             (SELECT imported.id FROM imported WHERE {ON_PAGE} AND imported.kind = '{kind}')"
        );
        for row in log.query(&sql, on_page.clone()).await? {
            all.insert(format!("{kind}-{}", row.get::<String>("id")?), shown::as_it_is(kind, &row)?);
        }
    }
    Ok(all)
}
