//! A log whose appends are watched: what [`crate::open_log`] and [`crate::open_checked`] give. Whatever database it lies in,
//! each append is told, and in a drill it is a boundary.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    Append, AppendError, Appended, EventLog, Log, LogError, LogStats, Params, Row, Statement, StoredEvent,
    told::Telling,
};

pub(crate) fn watched(log: impl EventLog) -> Log {
    Arc::new(Watched(log))
}

/// Tells of each append, and crosses a boundary for each kind of event before an append is handed over, and after it is
/// durable while the caller does not know yet.
#[derive(Debug)]
struct Watched<L>(L);

#[async_trait]
impl<L: EventLog> EventLog for Watched<L> {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let telling = Telling::begin(&append);
        for kind in telling.kinds() {
            boundary::cross(format_args!("append.before/{kind}"));
        }
        let outcome = self.0.append(append).await;
        telling.ended(&outcome);
        let appended = outcome?;
        for kind in telling.kinds() {
            boundary::cross(format_args!("append.after/{kind}"));
        }
        Ok(appended)
    }

    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError> {
        self.0.load(stream, after_version).await
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        self.0.read_all(after_position, limit).await
    }

    async fn head(&self) -> Result<i64, LogError> {
        self.0.head().await
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.0.appended()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        self.0.query(sql, params).await
    }

    async fn execute(&self, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        self.0.execute(statements).await
    }

    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError> {
        self.0.execute_returning(statement).await
    }

    fn clock_sql(&self) -> &'static str {
        self.0.clock_sql()
    }

    fn stats(&self) -> LogStats {
        self.0.stats()
    }
}
