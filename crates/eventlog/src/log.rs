//! The log as its users see it, whatever database it lies in.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::postgres::{self, Address, PostgresLog};
use crate::sqlite::{self, SqliteLog};
use crate::watched::watched;
use crate::{Append, AppendError, Appended, LogError, Migrations, Params, Row, Statement, StoredEvent};

/// A log that is shared by everything in a service; cheap to clone.
pub type Log = Arc<dyn EventLog>;

/// One service's log with its read tables and coordination tables.
#[async_trait]
pub trait EventLog: std::fmt::Debug + Send + Sync + 'static {
    /// Stores one write, all of it or nothing, and answers once it is durable. Appends that wait at the same
    /// time share a commit. A write that was handed over is carried out even if the future is dropped.
    ///
    /// # Errors
    /// Why it was refused; see [`AppendError`].
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// The events of a stream after `after_version`, in order; 0 loads all of them.
    ///
    /// # Errors
    /// When the database fails.
    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError>;

    /// At most `limit` events of the whole log after `after_position`, in order. An event that is committed
    /// later never has a lower position than one that was returned.
    ///
    /// # Errors
    /// When the database fails.
    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError>;

    /// Position of the last event, 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    async fn head(&self) -> Result<i64, LogError>;

    /// Changes after every commit of this process that stored events. A wake-up only: read to be correct.
    fn appended(&self) -> watch::Receiver<i64>;

    /// Reads the tables as of the last commit.
    ///
    /// # Errors
    /// When the database fails or the statement and its parameters do not fit.
    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError>;

    /// Changes coordination tables (leases, checkpoints, caches) in one transaction; how many rows each
    /// statement changed. Facts go through [`EventLog::append`].
    ///
    /// # Errors
    /// When the database fails, or a statement did not change the number of rows that it had to.
    async fn execute(&self, statements: Vec<Statement>) -> Result<Vec<u64>, LogError>;

    /// Like [`EventLog::execute`] for one statement that ends in `RETURNING`: the rows that it returned.
    ///
    /// # Errors
    /// As for [`EventLog::execute`].
    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError>;

    /// An SQL expression for the database's clock in whole milliseconds since 1970.
    fn clock_sql(&self) -> &'static str;

    /// What this handle has written so far.
    fn stats(&self) -> LogStats;
}

/// Counters of one open log, from zero at its opening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Commits made; each is one sync to the disk.
    pub commits: u64,
    /// Writes (appends and executes) that were answered by those commits, refused ones included.
    pub writes: u64,
    /// Events stored.
    pub events: u64,
}

/// Where a log lies.
enum Place {
    Postgres(Box<Address>),
    Sqlite(PathBuf),
}

fn place(path_or_url: &str) -> Result<Place, LogError> {
    if path_or_url.starts_with("postgres://") || path_or_url.starts_with("postgresql://") {
        return Ok(Place::Postgres(Box::new(Address::parse(path_or_url)?)));
    }
    Ok(Place::Sqlite(sqlite_path(path_or_url)?.into()))
}

/// Whether `path_or_url` can be the address of a log; nothing is opened, and no secret is repeated.
///
/// # Errors
/// [`LogError::Address`] says what is wrong with it.
pub fn check_address(path_or_url: &str) -> Result<(), LogError> {
    let query = path_or_url.split_once('?').map_or("", |(_, query)| query);
    place(path_or_url).map(drop).map_err(|error| {
        // What looks like a parameter is the end of a password then, which the error may repeat.
        if !query.contains('@') {
            return error;
        }
        let reason = "a ? in a password must be written as %3F".to_owned();
        LogError::Address { url: "postgres://…".to_owned(), reason }
    })
}

/// Opens the log at `postgres://…`, `sqlite:<path>` or a plain path, creates it when it is missing, and applies the
/// migrations that it lacks.
///
/// # Errors
/// When the address names no known backend, the file cannot be opened, or a migration does not fit.
pub async fn open_log(path_or_url: &str, migrations: &Migrations) -> Result<Log, LogError> {
    match place(path_or_url)? {
        Place::Postgres(address) => Ok(watched(PostgresLog::open(*address, *migrations).await?)),
        Place::Sqlite(path) => Ok(watched(SqliteLog::open(path, *migrations).await?)),
    }
}

/// Opens a log that has every migration already, and changes nothing about its tables: what a process among
/// many does, whose database is migrated once for all of them.
///
/// # Errors
/// [`LogError::Migration`] names the first migration that is missing and says to run `migrate`; else as for
/// [`open_log`].
pub async fn open_checked(path_or_url: &str, migrations: &Migrations) -> Result<Log, LogError> {
    match place(path_or_url)? {
        Place::Postgres(address) => Ok(watched(PostgresLog::open_checked(*address, *migrations).await?)),
        Place::Sqlite(path) => Ok(watched(SqliteLog::open_checked(path, *migrations).await?)),
    }
}

/// Applies the migrations that a log lacks, all of them or none, and grants the service's role what it needs
/// (`?grant_to=` in a PostgreSQL URL). Returns the names of what it applied, in order; none: nothing was missing.
///
/// # Errors
/// When the address names no known backend, the database cannot be opened, the role may not make tables, or a
/// migration does not fit.
pub async fn migrate(path_or_url: &str, migrations: &Migrations) -> Result<Vec<String>, LogError> {
    match place(path_or_url)? {
        Place::Postgres(address) => postgres::migrate(*address, *migrations).await,
        Place::Sqlite(path) => sqlite::migrate(path, *migrations).await,
    }
}

fn sqlite_path(path_or_url: &str) -> Result<&str, LogError> {
    let refuse =
        |url: &str, reason: &str| Err(LogError::Address { url: url.to_owned(), reason: reason.to_owned() });
    let path = match path_or_url.split_once(':') {
        Some(("sqlite", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        // Whatever stands behind a foreign scheme may hold a password: it is not repeated.
        Some((scheme, rest)) if rest.starts_with("//") => {
            return refuse(
                &format!("{scheme}://…"),
                "use postgres://<role>@<host>/<database> or sqlite:<path>",
            );
        }
        _ => path_or_url,
    };
    if path.is_empty() || path == ":memory:" {
        return refuse(
            path_or_url,
            "a log needs a file: its writer and its readers are separate connections",
        );
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_address_is_a_path_with_or_without_its_scheme() {
        assert_eq!(sqlite_path("sqlite:/data/job.db").unwrap(), "/data/job.db");
        assert_eq!(sqlite_path("sqlite:///data/job.db").unwrap(), "/data/job.db");
        assert_eq!(sqlite_path("data/job.db").unwrap(), "data/job.db");
    }

    #[test]
    fn a_foreign_address_is_refused_without_repeating_its_password() {
        let error = sqlite_path("mysql://job:hunter2@db/job").unwrap_err().to_string();
        assert!(error.contains("mysql://") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_address_is_checked_without_opening_it_or_repeating_its_password() {
        for good in ["postgres://a:hush@db:5432/film?schema=job", "sqlite:/nowhere/job.db"] {
            check_address(good).unwrap();
        }
        for bad in [
            "postgres://a:hush@db:port/film",
            "postgres://a:hush@db/film?sslmode=prefer",
            "postgres://a:hush@db/film?colour=red",
            "postgres://a:p?schema=hush@db/film",
            "postgres://a:p?sslmode=hush@db/film",
            "mysql://a:hush@db/film",
        ] {
            let error = check_address(bad).unwrap_err();
            assert!(matches!(error, LogError::Address { .. }), "{bad}: {error}");
            assert!(!error.to_string().contains("hush"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_log_in_memory_is_refused() {
        assert!(sqlite_path("sqlite::memory:").is_err());
        assert!(sqlite_path("").is_err());
    }
}
