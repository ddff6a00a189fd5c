//! Storing events: one statement for all events of a batch, which also waits for its turn among the writers.

use tokio_postgres::{Client, Row, Statement as Prepared, types::ToSql};

use super::session::Session;
use super::statements::failed;
use crate::{LogError, NewEvent, value::time_text};

/// Columns that come as parameters, with their types, in the order of [`Rows`]. `after` says how the version comes
/// about: see [`Version`].
const PARAMETERS: [(&str, &str); 12] = [
    ("event_id", "text"),
    ("stream", "text"),
    ("version", "bigint"),
    ("kind", "text"),
    ("schema_version", "int"),
    ("data", "text"),
    ("correlation_id", "text"),
    ("causation_id", "text"),
    ("traceparent", "text"),
    ("actor", "text"),
    ("recorded_at", "text"),
    ("after", "bigint"),
];

/// The version of a row that comes with its [`Version`] in any of its forms.
const ANY: &str = "CASE WHEN after IS NULL THEN version \
     WHEN version IS NULL THEN after + coalesce((SELECT max(event.version) FROM event WHERE event.stream = new.stream), 0) \
     ELSE (SELECT event.version + 1 FROM event WHERE event.stream = new.stream AND event.version = new.after) END";

/// The version of a row for which it is [`Version::Certain`]; the last parameter is not needed.
const CERTAIN: &str = "version";

/// How an event gets its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// This one: that the one before it is stored is known. The unique key refuses one that is taken.
    Certain(i64),
    /// The one after this one, if this one is stored; otherwise the row has no version and the table refuses it.
    After(i64),
    /// So many after the last one that is stored.
    Counted(i64),
}

/// The prepared inserts: many rows come as arrays, a single one as it is, which costs the server half as much; less
/// still when it has nothing to look up, and does not have to get ready for it.
pub(super) struct Inserts {
    certain: Prepared,
    one: Prepared,
    many: Prepared,
}

impl Inserts {
    pub(super) async fn prepare(client: &Client, lock: i64) -> Result<Self, LogError> {
        let prepare = async |sql: String| client.prepare(&sql).await.map_err(|error| failed(&sql, &error));
        let places = |array: &str, count: usize| {
            let place = |(index, (_, kind)): (usize, &(&str, &str))| format!("${}::{kind}{array}", index + 1);
            PARAMETERS.iter().take(count).enumerate().map(place).collect::<Vec<_>>().join(", ")
        };
        let names = |count: usize| {
            PARAMETERS.iter().take(count).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        };
        let single = |count: usize| format!("(SELECT {}) AS new ({})", places("", count), names(count));
        let all = PARAMETERS.len();
        let rows = format!("unnest({}) WITH ORDINALITY AS new ({}, nth)", places("[]", all), names(all));
        Ok(Self {
            certain: prepare(text(lock, CERTAIN, &single(all - 1), "")).await?,
            one: prepare(text(lock, ANY, &single(all), "")).await?,
            many: prepare(text(lock, ANY, &rows, "ORDER BY nth ")).await?,
        })
    }
}

/// The lock is a condition of its own, so it is taken once, before the first row gets its position. Whoever holds it
/// until its commit therefore has positions above those of every commit before it.
fn text(lock: i64, version: &str, source: &str, order: &str) -> String {
    format!(
        "INSERT INTO event (event_id, stream, version, kind, schema_version, data, correlation_id, causation_id, \
         traceparent, actor, recorded_at) SELECT event_id, stream, {version}, kind, schema_version, data, \
         correlation_id, causation_id, traceparent, actor, recorded_at FROM {source} \
         WHERE (SELECT pg_advisory_xact_lock({lock}) IS NOT NULL) {order}RETURNING position, version"
    )
}

/// Rows to store, column by column.
#[derive(Default)]
pub(super) struct Rows<'a> {
    ids: Vec<String>,
    streams: Vec<&'a str>,
    versions: Vec<Option<i64>>,
    kinds: Vec<&'a str>,
    schema_versions: Vec<i32>,
    data: Vec<&'a str>,
    correlations: Vec<&'a str>,
    causations: Vec<Option<&'a str>>,
    traceparents: Vec<Option<&'a str>>,
    actors: Vec<&'a str>,
    recorded: Vec<String>,
    after: Vec<Option<i64>>,
}

impl<'a> Rows<'a> {
    pub(super) fn push(&mut self, stream: &'a str, version: Version, event: &'a NewEvent) {
        let (version, after) = match version {
            Version::Certain(version) => (Some(version), None),
            Version::After(last) => (Some(last + 1), Some(last)),
            Version::Counted(nth) => (None, Some(nth)),
        };
        self.ids.push(event.id.to_string());
        self.streams.push(stream);
        self.versions.push(version);
        self.kinds.push(&event.kind);
        self.schema_versions.push(i32::try_from(event.schema_version).unwrap_or(i32::MAX));
        self.data.push(event.data.as_str());
        self.correlations.push(&event.meta.correlation_id);
        self.causations.push(event.meta.causation_id.as_deref());
        self.traceparents.push(event.meta.traceparent.as_deref());
        self.actors.push(&event.meta.actor);
        self.recorded.push(time_text(event.recorded_at));
        self.after.push(after);
    }

    /// Stores them. Their positions and versions, in the order in which they were pushed.
    pub(super) async fn insert(&self, session: &Session) -> Result<Vec<(i64, i64)>, tokio_postgres::Error> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let (client, inserts) = (&session.client, &session.inserts);
        let stored = match self.single() {
            Some([certain @ .., _]) if self.after == [None] => {
                client.query(&inserts.certain, &certain).await?
            }
            Some(row) => client.query(&inserts.one, &row).await?,
            None => client.query(&inserts.many, &self.all()).await?,
        };
        let place = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
        stored.iter().map(place).collect()
    }

    fn all(&self) -> [&(dyn ToSql + Sync); 12] {
        [
            &self.ids,
            &self.streams,
            &self.versions,
            &self.kinds,
            &self.schema_versions,
            &self.data,
            &self.correlations,
            &self.causations,
            &self.traceparents,
            &self.actors,
            &self.recorded,
            &self.after,
        ]
    }

    /// The row, if it is the only one.
    fn single(&self) -> Option<[&(dyn ToSql + Sync); 12]> {
        if self.ids.len() != 1 {
            return None;
        }
        Some([
            self.ids.first()?,
            self.streams.first()?,
            self.versions.first()?,
            self.kinds.first()?,
            self.schema_versions.first()?,
            self.data.first()?,
            self.correlations.first()?,
            self.causations.first()?,
            self.traceparents.first()?,
            self.actors.first()?,
            self.recorded.first()?,
            self.after.first()?,
        ])
    }
}
