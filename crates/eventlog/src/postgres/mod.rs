//! The PostgreSQL backend: one writing connection that commits in groups, a pool of reading connections,
//! and a listener that hears of the commits of other processes.

mod address;
mod batch;
mod connect;
mod migrate;
mod notify;
mod statements;
mod writer;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Append, AppendError, Appended, EventLog, LogError, LogStats, Migrations, Params, Row, Statement,
    StoredEvent,
};
pub(crate) use address::Address;
use writer::{Counters, Job};

/// A log in a schema of a PostgreSQL database.
#[derive(Debug)]
pub(crate) struct PostgresLog {
    readers: Pool,
    jobs: mpsc::Sender<Job>,
    appended: watch::Receiver<i64>,
    counters: std::sync::Arc<Counters>,
    // Ends the writer and the listener with the last handle.
    _tasks: DropGuard,
}

impl PostgresLog {
    /// Connects, applies the migrations that are missing (or refuses when the role may not), starts the writer.
    pub(crate) async fn open(address: Address, migrations: Migrations) -> Result<Self, LogError> {
        let address = address.for_service(migrations.service);
        migrate::migrate(&address, &migrations).await?;
        let readers = connect::pool(&address)?;
        let head = statements::head(&connect::reader(&readers).await?).await?;
        let cancel = CancellationToken::new();
        let (announce, appended) = watch::channel(head);
        let (jobs, counters) = writer::start(&address, announce.clone(), cancel.clone()).await?;
        tokio::spawn(notify::listen(address, announce, cancel.clone()));
        Ok(Self { readers, jobs, appended, counters, _tasks: cancel.drop_guard() })
    }

    async fn answer<T>(&self, job: Job, answer: oneshot::Receiver<T>) -> Result<T, LogError> {
        self.jobs.send(job).await.map_err(|_| LogError::Closed)?;
        answer.await.map_err(|_| LogError::Closed)
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if append.events.is_empty() {
            return Err(AppendError::Empty);
        }
        let (sender, receiver) = oneshot::channel();
        self.answer(Job::Append(Box::new(append), sender), receiver).await?
    }

    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError> {
        statements::load(&connect::reader(&self.readers).await?, stream, after_version).await
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        statements::read_all(&connect::reader(&self.readers).await?, after_position, limit).await
    }

    async fn head(&self) -> Result<i64, LogError> {
        statements::head(&connect::reader(&self.readers).await?).await
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.appended.clone()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        let client = connect::reader(&self.readers).await?;
        let prepared = client.prepare_cached(sql).await.map_err(|error| statements::failed(sql, &error))?;
        statements::rows(&client, sql, &prepared, &params).await
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
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    }

    fn stats(&self) -> LogStats {
        self.counters.read()
    }
}
