//! What the tables know about a request: asked once for all of its things.

use std::collections::{BTreeMap, HashMap, HashSet};

use eventlog::{Log, LogError, params};

use crate::events::{Event, Origin};
use crate::store::imported::among;

/// A row of an older database.
pub(super) type RowKey = (String, String, String);

pub(super) fn key(origin: &Origin) -> RowKey {
    (origin.source.clone(), origin.table.clone(), origin.row.clone())
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) digest: String,
    /// `client`, `campaign`, `asset` or `key`.
    pub(super) kind: String,
    pub(super) id: String,
}

/// What is known, and what is going to be.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) came: HashMap<RowKey, Came>,
    /// Streams that have begun: what they are about is or was here.
    pub(super) begun: HashSet<String>,
    pub(super) clients: HashSet<String>,
    /// Campaigns, and the client that each belongs to.
    pub(super) campaigns: HashMap<String, String>,
    /// SHA-256 of the bytes of assets that are here, if they have any.
    pub(super) bytes: HashMap<String, Option<String>>,
    /// Rows and streams of what is going to be stored.
    pub(super) rows_to_come: HashSet<RowKey>,
    pub(super) streams_to_come: HashSet<String>,
}

impl Known {
    pub(super) async fn of(log: &Log, events: &[&Event]) -> Result<Self, LogError> {
        let mut known = Self::default();
        // Before the rows that came: what another importer stores in between is then known by its row, and is nobody
        // else's. What it stores after both is a conflict.
        let streams = distinct(events.iter().map(|event| event.stream()));
        let sql = "SELECT stream FROM event WHERE version = 1 AND stream";
        for row in among(log, sql, &params![], &streams).await? {
            known.begun.insert(row.get("stream")?);
        }
        known.came = came(log, events).await?;
        let clients = distinct(events.iter().filter_map(|event| event.owner_client().cloned()));
        for row in among(log, "SELECT id FROM client WHERE id", &params![], &clients).await? {
            known.clients.insert(row.get("id")?);
        }
        let campaigns = distinct(events.iter().filter_map(|event| event.owner_campaign().cloned()));
        for row in among(log, "SELECT id, client_id FROM campaign WHERE id", &params![], &campaigns).await? {
            known.campaigns.insert(row.get("id")?, row.get("client_id")?);
        }
        let assets = known.came.values().filter(|came| came.kind == "asset").map(|came| came.id.clone());
        let assets = distinct(assets);
        for row in among(log, "SELECT id, sha256 FROM asset WHERE id", &params![], &assets).await? {
            known.bytes.insert(row.get("id")?, row.get("sha256")?);
        }
        Ok(known)
    }
}

async fn came(log: &Log, events: &[&Event]) -> Result<HashMap<RowKey, Came>, LogError> {
    let mut tables: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for origin in events.iter().filter_map(|event| event.origin()) {
        tables.entry((&origin.source, &origin.table)).or_default().push(origin.row.clone());
    }
    let mut all = HashMap::new();
    for ((source, table), rows) in tables {
        let sql = "SELECT origin_row, digest, kind, id FROM imported \
                   WHERE source = $1 AND origin_table = $2 AND origin_row";
        for row in among(log, sql, &params![source, table], &distinct(rows)).await? {
            let key = (source.to_owned(), table.to_owned(), row.get("origin_row")?);
            let came = Came { digest: row.get("digest")?, kind: row.get("kind")?, id: row.get("id")? };
            all.insert(key, came);
        }
    }
    Ok(all)
}

fn distinct(values: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut values: Vec<String> = values.into_iter().collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// How streams began, by their names.
pub(super) async fn beginnings(log: &Log, streams: Vec<String>) -> Result<HashMap<String, Event>, LogError> {
    let sql = "SELECT stream, kind, data FROM event WHERE version = 1 AND stream";
    let mut began = HashMap::new();
    for row in among(log, sql, &params![], &distinct(streams)).await? {
        let (kind, data) = (row.get::<String>("kind")?, row.get::<String>("data")?);
        let event = Event::from_text(&kind, &data).map_err(|error| unreadable(&kind, &error))?;
        if let Some(event) = event {
            began.insert(row.get("stream")?, event);
        }
    }
    Ok(began)
}

/// An event that this build cannot read.
pub(super) fn unreadable(kind: &str, error: &serde_json::Error) -> LogError {
    LogError::Column { column: "data".to_owned(), reason: format!("reading {kind}: {error}") }
}
