//! The writing connection: its settings, its prepared statements and what it knows of the streams.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio_postgres::{Client, Statement as Prepared};

use super::{
    Address,
    batch::Failure,
    connect, insert,
    line::Line,
    statements::{Spelled, failed, is_lost},
};
use crate::LogError;

pub(super) const VERSIONS: &str = "SELECT wanted.stream, (SELECT max(version) FROM event WHERE event.stream = wanted.stream) \
     FROM unnest($1::text[]) AS wanted (stream)";
pub(super) const COMMANDS: &str = "SELECT id, digest, reply FROM command WHERE id = ANY($1)";
pub(super) const STORED: &str =
    "SELECT event_id, position, version, stream FROM event WHERE event_id = ANY($1)";
pub(super) const RECORD: &str =
    "INSERT INTO command (id, digest, reply, recorded_at) VALUES ($1, $2, $3, $4)";

/// How long a batch may stand still between two of its statements.
const STANDSTILL: Duration = Duration::from_secs(5);

/// Streams whose last version is remembered.
const STREAMS: usize = 16_384;

/// The writing connection and its prepared statements.
pub(super) struct Session {
    pub(super) client: Client,
    prepared: HashMap<String, Prepared>,
    pub(super) inserts: insert::Inserts,
    pub(super) known: Known,
    begin: String,
}

impl Session {
    /// Connects; the line has to be driven whenever the session is used.
    pub(super) async fn connect(address: &Address) -> Result<(Self, Line), LogError> {
        let (client, driver) = connect::dedicated(address).await?;
        let mut line = Line::new(driver);
        let session = line.drive(Self::set_up(client, address)).await?;
        Ok((session, line))
    }

    async fn set_up(client: Client, address: &Address) -> Result<Self, LogError> {
        // A process that stands still in the middle of a batch holds the lock: the server ends its connection, and
        // when it wakes up the batch runs once more.
        // A plan is kept for as long as the connection. Made while a table is nearly empty it would read the whole
        // table, and go on doing so when it has grown: only plans that use an index are worth keeping. Where there is no
        // index to use, its cost looks so high that it would be compiled first.
        let settings = format!(
            "SET idle_in_transaction_session_timeout = {}; SET enable_seqscan = off; \
             SET plan_cache_mode = force_generic_plan; SET jit = off",
            STANDSTILL.as_millis()
        );
        client.batch_execute(&settings).await.map_err(|error| failed(&settings, &error))?;
        let inserts = insert::Inserts::prepare(&client, address.lock()).await?;
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({})", address.lock());
        Ok(Self { client, prepared: HashMap::new(), inserts, known: Known::default(), begin })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), LogError> {
        self.client.batch_execute(sql).await.map_err(|error| failed(sql, &error))
    }

    /// Begins a transaction and waits for its turn among the writers.
    pub(super) async fn begin(&self) -> Result<(), LogError> {
        self.run(&self.begin).await
    }

    /// Prepares what is not prepared yet. Outside of the transaction, which a faulty text would spoil.
    pub(super) async fn prepare<'a>(
        &mut self,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> HashMap<String, LogError> {
        let mut faulty = HashMap::new();
        let missing: HashSet<&str> =
            texts.into_iter().filter(|sql| !self.prepared.contains_key(*sql)).collect();
        for sql in missing {
            match self.client.prepare(sql).await {
                Ok(prepared) => drop(self.prepared.insert(sql.to_owned(), prepared)),
                Err(error) => drop(faulty.insert(sql.to_owned(), failed(sql, &error))),
            }
        }
        faulty
    }

    pub(super) fn prepared(&self, sql: &str) -> Result<&Prepared, LogError> {
        self.prepared.get(sql).ok_or_else(|| LogError::Statement {
            sql: sql.to_owned(),
            reason: "cannot be prepared".to_owned(),
        })
    }

    pub(super) async fn commit(&self) -> Result<(), Failure> {
        self.client.batch_execute("COMMIT").await.map_err(|error| {
            // The server's refusal is certain; a lost connection leaves open what became of the commit.
            let lost = unknown(&error);
            if error.as_db_error().is_some() && !is_lost(&lost) {
                return Failure::NotStored(LogError::Commit(Arc::new(error)));
            }
            Failure::Unknown(lost)
        })
    }
}

/// What is said when the connection was lost while a commit was under way.
pub(super) fn unknown(error: &tokio_postgres::Error) -> LogError {
    let doing = "committing; whether this write is stored is not known: repeat it under the same ids";
    LogError::database(doing, Spelled::of(error))
}

/// The last versions of streams, as far as this connection has come across them. No event is ever removed, so every
/// version up to the known one is stored; others may have added more meanwhile. A new connection knows nothing: the
/// server behind it may be another one.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<String, i64>);

impl Known {
    pub(super) fn last(&self, stream: &str) -> Option<i64> {
        self.0.get(stream).copied()
    }

    pub(super) fn learn(&mut self, stream: &str, version: i64) {
        if let Some(known) = self.0.get_mut(stream) {
            *known = version.max(*known);
            return;
        }
        if self.0.len() >= STREAMS {
            self.0.clear();
        }
        self.0.insert(stream.to_owned(), version);
    }
}
