//! A log whose appends can be held up.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use eventlog::{
    Append, AppendError, Appended, EventLog, Log, LogError, LogStats, Params, Row, Statement, StoredEvent,
};
use tokio::sync::watch;

/// The log behind it, whose appends wait while it is closed.
#[derive(Debug)]
pub(crate) struct Gate {
    log: Log,
    closed: watch::Sender<bool>,
    appends: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(log: Log) -> Arc<Self> {
        Arc::new(Self { log, closed: watch::Sender::new(false), appends: AtomicUsize::new(0) })
    }

    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn open(&self) {
        self.closed.send_replace(false);
    }

    /// How many appends went through.
    pub(crate) fn appends(&self) -> usize {
        self.appends.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl EventLog for Gate {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let opened = self.closed.subscribe().wait_for(|closed| !closed).await.map(drop);
        opened.map_err(|_| AppendError::Log(LogError::Closed))?;
        self.appends.fetch_add(1, Ordering::SeqCst);
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
        self.log.execute_returning(statement).await
    }

    fn clock_sql(&self) -> &'static str {
        self.log.clock_sql()
    }

    fn stats(&self) -> LogStats {
        self.log.stats()
    }
}
