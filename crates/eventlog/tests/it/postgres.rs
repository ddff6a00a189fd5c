//! The PostgreSQL backend: the suite that every backend passes, and what is its own.

use async_trait::async_trait;
use eventlog::conformance::{Backend, TABLES};
use eventlog::testing::NO_TABLES;
use eventlog::{Append, Log, LogError, Migrations, NewEvent, Tail, open_log};
use jiff::Timestamp;
use serde_json::json;
use testservers::PostgresServer;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A server of its own, with an owner that migrates and a role that the service runs under.
struct PostgresScratch(PostgresServer);

impl PostgresScratch {
    async fn start() -> Self {
        let server = PostgresServer::start().await.unwrap();
        server
            .sql("CREATE ROLE owner LOGIN; CREATE ROLE app LOGIN; GRANT CREATE ON DATABASE postgres TO owner")
            .await
            .unwrap();
        Self(server)
    }

    fn owner(&self) -> String {
        format!("{}?schema=scratch&grant_to=app", self.0.url("owner", "postgres"))
    }

    fn app(&self) -> String {
        format!("{}?schema=scratch", self.0.url("app", "postgres"))
    }
}

#[async_trait]
impl Backend for PostgresScratch {
    /// Migrated by the owner, used by the service's own role.
    async fn open(&self, migrations: &Migrations) -> Result<Log, LogError> {
        drop(open_log(&self.owner(), migrations).await?);
        open_log(&self.app(), migrations).await
    }
}

eventlog::event_log_conformance!(conformance, PostgresScratch::start().await);

fn append(stream: &str) -> Append {
    Append::to(stream).event(NewEvent::new(Uuid::now_v7(), "Counted", json!({}), Timestamp::UNIX_EPOCH))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_migrate_says_who_must() {
    let scratch = PostgresScratch::start().await;
    drop(open_log(&scratch.owner(), &NO_TABLES).await.unwrap());
    let error = open_log(&scratch.app(), &TABLES).await.unwrap_err().to_string();
    assert!(error.contains("run `migrate`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_services_role_may_not_change_the_past() {
    let scratch = PostgresScratch::start().await;
    let log = scratch.open(&NO_TABLES).await.unwrap();
    log.append(append("s")).await.unwrap();
    for sql in ["UPDATE event SET kind = 'x'", "DELETE FROM event", "TRUNCATE event"] {
        let error = log.query(sql, Vec::new()).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("permission denied"), "{sql}: {cause}");
    }
}

/// A transaction that took its place before others commits after them, or is rolled back: nobody overtakes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_skips_a_transaction_that_commits_late() {
    let scratch = PostgresScratch::start().await;
    let (first, second) = (scratch.open(&NO_TABLES).await.unwrap(), scratch.open(&NO_TABLES).await.unwrap());
    first.append(append("before")).await.unwrap();
    let (held, connection) =
        tokio_postgres::connect(&scratch.0.superuser_url(), tokio_postgres::NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    let lock = lock_of("scratch");
    let insert = "INSERT INTO scratch.event (event_id, stream, version, kind, schema_version, data, correlation_id, \
                  actor, recorded_at) VALUES ('01890000-0000-7000-8000-000000000001', 'late', 1, 'Late', 1, '{}', '', \
                  '', '2026-01-01T00:00:00Z')";
    held.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({lock}); {insert}")).await.unwrap();
    let waiting = tokio::spawn({
        let log = second.clone();
        async move { log.append(append("overtaking")).await }
    });
    // Handed over and at the lock, which another transaction holds: nothing new is visible.
    let cancel = CancellationToken::new();
    let mut tail = Tail::new(first.clone(), 0);
    let seen = tail.next_batch(&cancel).await.unwrap().unwrap();
    assert_eq!(seen.iter().map(|event| event.stream.as_str()).collect::<Vec<_>>(), ["before"]);
    held.batch_execute("COMMIT").await.unwrap();
    waiting.await.unwrap().unwrap();
    let mut streams = Vec::new();
    while streams.len() < 2 {
        streams
            .extend(tail.next_batch(&cancel).await.unwrap().unwrap().into_iter().map(|event| event.stream));
    }
    assert_eq!(streams, ["late", "overtaking"]);
    drop(held);
    driven.await.unwrap().unwrap();
}

/// The same lock as the backend takes: FNV-1a of the schema's name.
fn lock_of(schema: &str) -> i64 {
    let hash = schema.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::from_be_bytes(hash.to_be_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commits_of_another_process_wake_a_reader() {
    let scratch = PostgresScratch::start().await;
    let (here, there) = (scratch.open(&NO_TABLES).await.unwrap(), scratch.open(&NO_TABLES).await.unwrap());
    let mut woken = here.appended();
    let appending = tokio::spawn(async move {
        // Until the listener has subscribed an announcement may be missed; polling covers that in practice.
        loop {
            there.append(append("s")).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    tokio::time::timeout(std::time::Duration::from_secs(60), woken.changed()).await.unwrap().unwrap();
    appending.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_server_writing_and_reading_go_on() {
    let mut scratch = PostgresScratch::start().await;
    let log = scratch.open(&NO_TABLES).await.unwrap();
    log.append(append("s")).await.unwrap();
    scratch.0.stop();
    scratch.0.run().await.unwrap();
    // The first tries may meet connections that died with the server; a caller repeats what it was refused.
    let again = async {
        while log.append(append("s")).await.is_err() {
            tokio::task::yield_now().await;
        }
        while log.load("s", 0).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), again).await.unwrap();
    assert!(log.load("s", 0).await.unwrap().len() >= 2);
}
