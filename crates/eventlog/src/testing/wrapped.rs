//! A log with something around it: a test holds up, breaks or watches single calls, all others pass through.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    Append, AppendError, Appended, EventLog, Log, LogError, LogStats, Params, Row, Statement, StoredEvent,
};

/// What becomes of single calls; whatever is not said otherwise passes through.
#[async_trait]
pub trait Around: std::fmt::Debug + Send + Sync + 'static {
    /// An append.
    ///
    /// # Errors
    /// The log's, and what the test makes of it.
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        log.append(append).await
    }

    /// A query.
    ///
    /// # Errors
    /// The log's, and what the test makes of it.
    async fn query(&self, log: &Log, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        log.query(sql, params).await
    }

    /// Statements without rows, such as the renewal of a lease.
    ///
    /// # Errors
    /// The log's, and what the test makes of it.
    async fn execute(&self, log: &Log, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        log.execute(statements).await
    }

    /// A statement that returns rows, such as a claim of a lease.
    ///
    /// # Errors
    /// The log's, and what the test makes of it.
    async fn execute_returning(&self, log: &Log, statement: Statement) -> Result<Vec<Row>, LogError> {
        log.execute_returning(statement).await
    }
}

/// A log with `A` around it, which it derefs to.
#[derive(Debug)]
pub struct Wrapped<A> {
    log: Log,
    around: A,
}

impl<A: Around> Wrapped<A> {
    /// `log` with `around` around it.
    #[must_use]
    pub fn new(log: Log, around: A) -> Arc<Self> {
        Arc::new(Self { log, around })
    }
}

impl<A> Deref for Wrapped<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.around
    }
}

#[async_trait]
impl<A: Around> EventLog for Wrapped<A> {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.around.append(&self.log, append).await
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
        self.around.query(&self.log, sql, params).await
    }

    async fn execute(&self, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        self.around.execute(&self.log, statements).await
    }

    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError> {
        self.around.execute_returning(&self.log, statement).await
    }

    fn clock_sql(&self) -> &'static str {
        self.log.clock_sql()
    }

    fn stats(&self) -> LogStats {
        self.log.stats()
    }
}

/// Makes whoever claims a lease panic, by itself or in an append.
#[derive(Debug, Default)]
pub struct Trap {
    panics: AtomicUsize,
}

impl Trap {
    /// So many of the next claims panic.
    pub fn set(&self, panics: usize) {
        self.panics.store(panics, Ordering::SeqCst);
    }

    /// How many claims are still to panic.
    #[must_use]
    pub fn left(&self) -> usize {
        self.panics.load(Ordering::SeqCst)
    }

    fn stumble(&self, statement: &Statement) {
        if !statement.sql.starts_with("INSERT INTO lease") {
            return;
        }
        let taken = self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(taken.is_err(), "the trap is set");
    }
}

#[async_trait]
impl Around for Trap {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        append.statements.iter().for_each(|statement| self.stumble(statement));
        log.append(append).await
    }

    async fn execute_returning(&self, log: &Log, statement: Statement) -> Result<Vec<Row>, LogError> {
        self.stumble(&statement);
        log.execute_returning(statement).await
    }
}
