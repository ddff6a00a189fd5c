//! The SQLite backend: one file, one writing connection on a thread of its own, a few reading connections.

mod append;
mod connection;
mod memory;
mod readers;
mod statements;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use crate::migrations::Migrations;
use crate::{
    Append, AppendError, Appended, EventLog, LogError, LogStats, Params, Row, Statement, StoredEvent,
};
pub(crate) use memory::MemoryLog;
use readers::Readers;
use writer::{Job, Writer};

/// Applies what a file lacks; what it applied.
pub(crate) async fn migrate(path: PathBuf, migrations: Migrations) -> Result<Vec<String>, LogError> {
    let migrating = tokio::task::spawn_blocking(move || connection::migrate_file(&path, &migrations));
    migrating.await.map_err(|error| LogError::database("migrating", error))?
}

/// A log in a SQLite file.
#[derive(Debug)]
pub(crate) struct SqliteLog {
    readers: Arc<Readers>,
    // Dropped last: its connection is then the file's last one and leaves no write-ahead log behind.
    writer: Writer,
}

impl SqliteLog {
    /// Opens or creates the file, applies missing migrations, starts the writer.
    pub(crate) async fn open(path: PathBuf, migrations: Migrations) -> Result<Self, LogError> {
        Self::start(path, move |path| connection::open_writer(path, &migrations)).await
    }

    /// Opens a file that has every migration already, starts the writer.
    pub(crate) async fn open_checked(path: PathBuf, migrations: Migrations) -> Result<Self, LogError> {
        Self::start(path, move |path| connection::open_checked(path, &migrations)).await
    }

    async fn start(
        path: PathBuf,
        open: impl FnOnce(&Path) -> Result<Connection, LogError> + Send + 'static,
    ) -> Result<Self, LogError> {
        let opened = tokio::task::spawn_blocking(move || {
            let connection = open(&path)?;
            Ok(Self { readers: Arc::new(Readers::new(path)), writer: Writer::start(connection)? })
        });
        opened.await.map_err(|error| LogError::database("opening the log", error))?
    }

    async fn answer<T>(&self, job: Job, answer: oneshot::Receiver<T>) -> Result<T, LogError> {
        self.writer.send(job).await?;
        answer.await.map_err(|_| LogError::Closed)
    }
}

#[async_trait]
impl EventLog for SqliteLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if append.events.is_empty() {
            return Err(AppendError::Empty);
        }
        let (sender, receiver) = oneshot::channel();
        self.answer(Job::Append(Box::new(append), sender), receiver).await?
    }

    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError> {
        let stream = stream.to_owned();
        self.readers.run(move |connection| statements::load(connection, &stream, after_version)).await
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        self.readers.run(move |connection| statements::read_all(connection, after_position, limit)).await
    }

    async fn head(&self) -> Result<i64, LogError> {
        self.readers.run(statements::head).await
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.writer.appended()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        let sql = sql.to_owned();
        self.readers.run(move |connection| statements::rows(connection, &sql, &params)).await
    }

    async fn execute(&self, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        let (sender, receiver) = oneshot::channel();
        self.answer(Job::Execute(statements, sender), receiver).await?
    }

    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError> {
        let (sender, receiver) = oneshot::channel();
        self.answer(Job::Returning(statement, sender), receiver).await?
    }

    fn clock_sql(&self) -> &'static str {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    }

    fn stats(&self) -> LogStats {
        self.writer.stats()
    }
}
