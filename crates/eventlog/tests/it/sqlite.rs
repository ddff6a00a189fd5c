//! The SQLite backend: the suite that every backend passes, and what is its own.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use eventlog::conformance::{Backend, Held, TABLES};
use eventlog::testing::{NO_TABLES, scratch_log};
use eventlog::{
    Append, Log, LogError, Migrations, NewEvent, Statement, migrate, open_checked, open_log, params,
};
use futures::future::join_all;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

struct SqliteScratch(TempDir);

impl SqliteScratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("made for it").join("log.db")
    }
}

#[async_trait]
impl Backend for SqliteScratch {
    async fn open(&self, migrations: &Migrations) -> Result<Log, LogError> {
        open_log(&self.url(), migrations).await
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    async fn hold(&self, event: Uuid, stream: &str) -> Box<dyn Held> {
        let (path, stream) = (self.path(), stream.to_owned());
        let holding = tokio::task::spawn_blocking(move || {
            let connection = Connection::open(path).unwrap();
            connection.busy_timeout(Duration::from_secs(60)).unwrap();
            connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            let insert = "INSERT INTO event (event_id, stream, version, kind, schema_version, data, correlation_id, \
                          actor, recorded_at) VALUES (?1, ?2, 1, 'Late', 1, '{}', '', '', '2026-01-01T00:00:00Z')";
            connection.execute(insert, (event.to_string(), stream)).unwrap();
            connection
        });
        Box::new(SqliteHeld(holding.await.unwrap()))
    }
}

struct SqliteHeld(Connection);

#[async_trait]
impl Held for SqliteHeld {
    async fn commit(self: Box<Self>) {
        self.0.execute_batch("COMMIT").unwrap();
    }

    async fn roll_back(self: Box<Self>) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

eventlog::event_log_conformance!(conformance, SqliteScratch::new());

fn append(stream: String) -> Append {
    Append::to(stream).event(NewEvent::new(Uuid::now_v7(), "Counted", json!({}), Timestamp::UNIX_EPOCH))
}

/// Everything that waits while another connection holds the file's lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_waits_is_one_commit() {
    let scratch = SqliteScratch::new();
    let log = scratch.open(&NO_TABLES).await.unwrap();
    let other = Connection::open(scratch.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = log.stats();
    let appends = join_all((0..500).map(|number| log.append(append(format!("s-{number}")))));
    // The first poll hands all of them over, more than a task may do in one turn; the writer cannot begin before the
    // lock is gone.
    let mut appends = Box::pin(tokio::task::unconstrained(appends));
    assert!(futures::poll!(&mut appends).is_pending());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(appends.await.iter().all(Result::is_ok));
    assert_eq!(log.stats().commits - before.commits, 1);
    assert_eq!(log.stats().events - before.events, 500);
}

#[tokio::test]
async fn a_commit_is_on_the_disk_before_it_is_answered() {
    let (log, _directory) = scratch_log(&NO_TABLES).await;
    // Reading connections do not sync; ask the one that writes.
    let mode = |pragma: &str| log.execute_returning(Statement::new(format!("PRAGMA {pragma}"), params![]));
    assert_eq!(mode("synchronous").await.unwrap()[0].get::<i64>("synchronous").unwrap(), 2);
    assert_eq!(mode("journal_mode").await.unwrap()[0].get::<String>("journal_mode").unwrap(), "wal");
    assert_eq!(mode("foreign_keys").await.unwrap()[0].get::<i64>("foreign_keys").unwrap(), 1);
}

#[tokio::test]
async fn replacing_an_event_is_refused_too() {
    let (log, _directory) = scratch_log(&NO_TABLES).await;
    log.append(append("a".into())).await.unwrap();
    let stored = log.read_all(0, 10).await.unwrap();
    let replace = "REPLACE INTO event (event_id, stream, version, kind, schema_version, data, correlation_id, \
                   actor, recorded_at) VALUES ('x', 'a', 1, 'Forged', 1, '{}', '', '', '')";
    let error = log.execute(vec![Statement::new(replace, params![])]).await.unwrap_err();
    assert!(matches!(error, LogError::Database { .. }), "{error}");
    assert_eq!(log.read_all(0, 10).await.unwrap(), stored);
}

#[tokio::test]
async fn a_file_that_was_migrated_by_a_build_without_contracts_is_used_and_caught_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db").display().to_string();
    migrate(&path, &TABLES).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("ALTER TABLE migration DROP COLUMN contract_since").unwrap();
    drop(connection);
    drop(open_checked(&path, &TABLES).await.unwrap());
    assert_eq!(migrate(&path, &TABLES).await.unwrap(), [""; 0]);
    let log = open_checked(&path, &TABLES).await.unwrap();
    let sql = "SELECT name FROM migration WHERE contract_since IS NULL";
    assert!(log.query(sql, params![]).await.unwrap().len() > 4);
}

#[tokio::test]
async fn a_query_cannot_write() {
    let (log, _directory) = scratch_log(&TABLES).await;
    log.query("INSERT INTO item (id, n) VALUES ('a', 1)", params![]).await.unwrap_err();
    assert!(log.query("SELECT id FROM item", params![]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_held_by_another_row_is_the_callers_business() {
    let tables = Migrations {
        service: "scratch",
        sqlite: &[(
            "0001_family",
            "CREATE TABLE parent (id TEXT NOT NULL PRIMARY KEY);
             CREATE TABLE child (id TEXT NOT NULL PRIMARY KEY, parent TEXT NOT NULL REFERENCES parent (id))",
        )],
        postgres: &[],
    };
    let (log, _directory) = scratch_log(&tables).await;
    let orphan = Statement::new("INSERT INTO child (id, parent) VALUES ('c', 'p')", params![]);
    let error = log.execute(vec![orphan]).await.unwrap_err();
    assert!(matches!(error, LogError::Constraint(_)), "{error}");
}

#[tokio::test]
async fn a_write_is_carried_out_even_if_nobody_waits_for_it() {
    let scratch = SqliteScratch::new();
    let log = scratch.open(&NO_TABLES).await.unwrap();
    let mut appended = log.appended();
    // Until it lets go, the write cannot be through.
    let held = scratch.hold(Uuid::now_v7(), "held").await;
    {
        let mut abandoned = Box::pin(log.append(append("a".into())));
        assert!(futures::poll!(&mut abandoned).is_pending());
    }
    held.roll_back().await;
    tokio::time::timeout(Duration::from_secs(60), appended.changed()).await.unwrap().unwrap();
    assert_eq!(log.load("a", 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_file() {
    let scratch = SqliteScratch::new();
    let log = scratch.open(&NO_TABLES).await.unwrap();
    log.append(append("a".into())).await.unwrap();
    drop(log);
    // Closing the last connection moves everything into the file itself.
    assert!(!scratch.path().with_extension("db-wal").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    std::fs::write(&path, "this is not a database, however long it may be").unwrap();
    let error = open_log(&path.to_string_lossy(), &NO_TABLES).await.unwrap_err();
    assert!(error.to_string().contains("log.db"), "{error}");
}
