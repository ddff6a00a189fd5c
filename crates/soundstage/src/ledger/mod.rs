//! The lasting memory of the outside world: one SQLite file, one connection, short statements.

mod deliveries;
mod files;
mod predictions;
mod schema;

use std::path::Path;

use base64::Engine;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) use deliveries::Outgoing;
pub(crate) use files::FileRow;
pub(crate) use predictions::{Ending, NewPrediction, Prediction};

pub(crate) type Result<T> = rusqlite::Result<T>;

/// The ledger. All calls block for well under a millisecond: the writes are not synced one by one, because a
/// stand-in has to outlive killed processes and not power cuts.
pub(crate) struct LedgerDb {
    conn: Mutex<Connection>,
}

impl LedgerDb {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let conn = Connection::open(path)?;
        schema::prepare(&conn)?;
        Ok(Self { conn: Mutex::new(conn) })
    }

    /// The secret that signs webhooks; kept with the directory.
    pub(crate) fn webhook_secret(&self) -> Result<String> {
        let known: Option<String> = self
            .conn
            .lock()
            .query_row("SELECT value FROM setting WHERE name = 'webhook_secret'", [], |row| row.get(0))
            .optional()?;
        known.map_or_else(|| self.new_webhook_secret(), Ok)
    }

    /// Makes another one, which counts from now on.
    pub(crate) fn new_webhook_secret(&self) -> Result<String> {
        let key: [u8; 24] = rand::random();
        let secret = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(key));
        self.conn.lock().execute(
            "INSERT INTO setting (name, value) VALUES ('webhook_secret', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [&secret],
        )?;
        Ok(secret)
    }

    /// Counts one request.
    pub(crate) fn count(&self, route: &str) -> Result<()> {
        self.conn
            .lock()
            .prepare_cached(
                "INSERT INTO request (route, count) VALUES (?1, 1)
                 ON CONFLICT (route) DO UPDATE SET count = count + 1",
            )?
            .execute(params![route])?;
        Ok(())
    }
}
