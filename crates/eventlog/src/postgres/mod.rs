//! The PostgreSQL backend: one writing connection that commits in groups, a pool of reading connections,
//! and a listener that hears of the commits of other processes.

mod address;
mod batch;
mod connect;
mod insert;
mod line;
mod looked;
mod migrate;
mod notify;
mod session;
mod statements;
mod straight;
mod tls;
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

/// Applies what is missing; refuses when this role may not. What it applied.
pub(crate) async fn migrate(address: Address, migrations: Migrations) -> Result<Vec<String>, LogError> {
    migrate::migrate(&address.for_service(migrations.service), &migrations).await
}

/// Whether this error is the end of a connection, or that there is none.
pub(crate) fn is_lost(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<statements::Spelled>().is_some_and(statements::Spelled::is_lost)
}

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
        Self::start(address).await
    }

    /// Connects and starts the writer; refuses when a migration is missing.
    pub(crate) async fn open_checked(address: Address, migrations: Migrations) -> Result<Self, LogError> {
        let address = address.for_service(migrations.service);
        migrate::check(&address, &migrations).await?;
        Self::start(address).await
    }

    async fn start(address: Address) -> Result<Self, LogError> {
        let readers = connect::pool(&address)?;
        let head = connect::read(&readers, statements::head).await?;
        let cancel = CancellationToken::new();
        let (announce, appended) = watch::channel(head);
        let (committed, to_tell) = watch::channel(head);
        let (jobs, counters) = writer::start(&address, announce.clone(), committed, cancel.clone()).await?;
        tokio::spawn(notify::listen(address, announce, to_tell, cancel.clone()));
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
        connect::read(&self.readers, |client| statements::load(client, stream, after_version)).await
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        connect::read(&self.readers, |client| statements::read_all(client, after_position, limit)).await
    }

    async fn head(&self) -> Result<i64, LogError> {
        connect::read(&self.readers, statements::head).await
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.appended.clone()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        let params = &params;
        connect::read(&self.readers, |client| async move {
            let prepared =
                client.prepare_cached(sql).await.map_err(|error| statements::failed(sql, &error))?;
            statements::rows(&client, sql, &prepared, params).await
        })
        .await
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
