//! A log in memory for simulations: each call is carried out at once, on the caller's thread, and leases run by a
//! clock that the caller moves. The statements are the backend's own.

use async_trait::async_trait;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::watch;

use super::{append::append, connection, statements};
use crate::{
    Append, AppendError, Appended, EventLog, LogError, LogStats, Migrations, Params, Row, Statement,
    StoredEvent,
};

/// Where the statements find the time.
const CLOCK: &str = "(SELECT millis FROM temp.simulated_clock)";

/// Milliseconds since 1970, as the simulation has it.
type Now = Box<dyn Fn() -> i64 + Send + Sync>;

/// Connections that have their tables and nothing in them, with their migrations' names: making tables and reading
/// statements takes longer than a whole simulation.
static IDLE: Mutex<Vec<(String, Connection)>> = Mutex::new(Vec::new());

/// One connection, one call at a time. All of it is one transaction, which is undone in the end.
pub(crate) struct MemoryLog {
    /// None once it is being dropped.
    connection: Mutex<Option<Connection>>,
    tables: String,
    announce: watch::Sender<i64>,
    now: Now,
}

impl std::fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLog").finish_non_exhaustive()
    }
}

impl MemoryLog {
    pub(crate) fn new(migrations: &Migrations, now: Now) -> Result<Self, LogError> {
        let names = migrations.sqlite.iter().map(|(name, _)| *name);
        let tables = [migrations.service].into_iter().chain(names).collect::<Vec<_>>().join("/");
        let failed = |error| LogError::database("making a clock", error);
        let idle = {
            let mut idle = IDLE.lock();
            let at = idle.iter().position(|(known, _)| *known == tables);
            at.map(|at| idle.swap_remove(at).1)
        };
        let connection = match idle {
            Some(idle) => idle,
            None => {
                let made = connection::in_memory(migrations)?;
                made.execute_batch(
                    "CREATE TEMP TABLE simulated_clock (millis INTEGER NOT NULL); \
                     INSERT INTO temp.simulated_clock VALUES (0)",
                )
                .map_err(failed)?;
                made
            }
        };
        connection.execute_batch("BEGIN").map_err(failed)?;
        let connection = Mutex::new(Some(connection));
        Ok(Self { connection, tables, announce: watch::Sender::new(0), now })
    }

    fn with<T, E: From<LogError>>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        match &*self.connection.lock() {
            Some(connection) => work(connection),
            None => Err(LogError::Closed.into()),
        }
    }

    /// Everything that `work` does, or nothing.
    fn whole<T, E: From<LogError>>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        self.with(|connection| self.whole_on(connection, work))
    }

    fn whole_on<T, E: From<LogError>>(
        &self,
        connection: &Connection,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let run = |sql: &str, params: &[i64]| {
            let bound = rusqlite::params_from_iter(params);
            let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(bound));
            done.map(drop).map_err(|error| LogError::database(sql, error))
        };
        run("UPDATE temp.simulated_clock SET millis = ?1", &[(self.now)()])?;
        run("SAVEPOINT one_write", &[])?;
        let outcome = work(connection);
        if outcome.is_err() {
            run("ROLLBACK TO one_write", &[])?;
        }
        run("RELEASE one_write", &[])?;
        outcome
    }
}

impl Drop for MemoryLog {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.get_mut().take()
            && connection.execute_batch("ROLLBACK").is_ok()
        {
            IDLE.lock().push((std::mem::take(&mut self.tables), connection));
        }
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, write: Append) -> Result<Appended, AppendError> {
        if write.events.is_empty() {
            return Err(AppendError::Empty);
        }
        let appended = self.whole(|connection| append(connection, &write))?;
        self.announce.send_replace(appended.last_position);
        Ok(appended)
    }

    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError> {
        self.with(|connection| statements::load(connection, stream, after_version))
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        self.with(|connection| statements::read_all(connection, after_position, limit))
    }

    async fn head(&self) -> Result<i64, LogError> {
        self.with(statements::head)
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.announce.subscribe()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        self.with(|connection| statements::rows(connection, sql, &params))
    }

    async fn execute(&self, all: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        self.whole(|connection| {
            all.iter().map(|statement| statements::execute(connection, statement)).collect()
        })
    }

    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError> {
        self.whole(|connection| statements::execute_returning(connection, &statement))
    }

    fn clock_sql(&self) -> &'static str {
        CLOCK
    }

    fn stats(&self) -> LogStats {
        LogStats::default()
    }
}
