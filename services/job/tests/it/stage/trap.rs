//! A log that makes whoever claims a lease stumble.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use eventlog::{
    Append, AppendError, Appended, EventLog, Log, LogError, LogStats, Params, Row, Statement, StoredEvent,
};
use tokio::sync::watch;

/// The log behind it, but for the claims that panic.
#[derive(Debug)]
pub(crate) struct Trap {
    log: Log,
    panics: AtomicUsize,
}

impl Trap {
    pub(crate) fn new(log: Log) -> Arc<Self> {
        Arc::new(Self { log, panics: AtomicUsize::new(0) })
    }

    /// So many of the next claims panic.
    pub(crate) fn set(&self, panics: usize) {
        self.panics.store(panics, Ordering::SeqCst);
    }

    fn stumble(&self) {
        let taken = self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(taken.is_err(), "the trap is set");
    }

    /// How many claims are still to panic.
    pub(crate) fn left(&self) -> usize {
        self.panics.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl EventLog for Trap {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if append.statements.iter().any(|statement| statement.sql.starts_with("INSERT INTO lease")) {
            self.stumble();
        }
        self.log.append(append).await
    }

    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError> {
        self.log.load(stream, after_version).await
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        self.log.read_all(after_position, limit).await
    }

    async fn head(&self) -> Result<i64, LogError> {
        self.log.head().await
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.log.appended()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        self.log.query(sql, params).await
    }

    async fn execute(&self, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        self.log.execute(statements).await
    }

    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError> {
        self.stumble();
        self.log.execute_returning(statement).await
    }

    fn clock_sql(&self) -> &'static str {
        self.log.clock_sql()
    }

    fn stats(&self) -> LogStats {
        self.log.stats()
    }
}
