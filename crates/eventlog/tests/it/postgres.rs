//! The PostgreSQL backend: the suite that every backend passes, and what is its own.

use async_trait::async_trait;
use eventlog::conformance::{Backend, Held, TABLES};
use eventlog::testing::NO_TABLES;
use eventlog::{
    Append, Log, LogError, Migrations, NewEvent, Statement, migrate, open_checked, open_log, params,
};
use jiff::Timestamp;
use serde_json::json;
use testservers::{PostgresServer, ServiceUrls};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A server of its own, with an owner that migrates and a role that the service runs under.
pub(crate) struct PostgresScratch {
    pub(crate) server: PostgresServer,
    pub(crate) urls: ServiceUrls,
}

impl PostgresScratch {
    pub(crate) async fn start() -> Self {
        let server = PostgresServer::start().await.unwrap();
        let urls = server.role_and_schema("scratch").await.unwrap();
        Self { server, urls }
    }

    /// A connection of somebody else.
    async fn foreign(&self) -> Foreign {
        let url = self.server.superuser_url();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        Foreign { client, driven: tokio::spawn(connection) }
    }
}

struct Foreign {
    client: tokio_postgres::Client,
    driven: JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Foreign {
    async fn end(self, with: &str) {
        self.client.batch_execute(with).await.unwrap();
        drop(self.client);
        self.driven.await.unwrap().unwrap();
    }
}

#[async_trait]
impl Held for Foreign {
    async fn commit(self: Box<Self>) {
        self.end("COMMIT").await;
    }

    async fn roll_back(self: Box<Self>) {
        self.end("ROLLBACK").await;
    }
}

#[async_trait]
impl Backend for PostgresScratch {
    /// Migrated by the owner, used by the service's own role.
    async fn open(&self, migrations: &Migrations) -> Result<Log, LogError> {
        migrate(&self.urls.owner, migrations).await?;
        open_log(&self.urls.service, migrations).await
    }

    fn url(&self) -> String {
        self.urls.owner.clone()
    }

    async fn hold(&self, event: Uuid, stream: &str) -> Box<dyn Held> {
        let foreign = self.foreign().await;
        let lock = lock_of("scratch");
        let insert = format!(
            "INSERT INTO scratch.event (event_id, stream, version, kind, schema_version, data, correlation_id, \
             actor, recorded_at) VALUES ('{event}', '{stream}', 1, 'Late', 1, '{{}}', '', '', '2026-01-01T00:00:00Z')"
        );
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({lock}); {insert}");
        foreign.client.batch_execute(&begin).await.unwrap();
        Box::new(foreign)
    }
}

eventlog::event_log_conformance!(conformance, PostgresScratch::start().await);

pub(crate) fn append(stream: &str) -> Append {
    Append::to(stream).event(NewEvent::new(Uuid::now_v7(), "Counted", json!({}), Timestamp::UNIX_EPOCH))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_migrate_says_who_must() {
    let scratch = PostgresScratch::start().await;
    migrate(&scratch.urls.owner, &NO_TABLES).await.unwrap();
    for error in [
        open_log(&scratch.urls.service, &TABLES).await.unwrap_err(),
        migrate(&scratch.urls.service, &TABLES).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("conformance/0001_item") && error.contains("run `migrate`"), "{error}");
    }
}

/// How the password of a service is replaced while both are valid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_login_of_the_services_role_may_do_the_same() {
    let scratch = PostgresScratch::start().await;
    let first = scratch.open(&TABLES).await.unwrap();
    scratch.server.sql("CREATE ROLE scratch_service_2 LOGIN IN ROLE scratch_service").await.unwrap();
    let second = scratch.urls.service.replace("scratch_service@", "scratch_service_2@");
    assert_ne!(second, scratch.urls.service);
    let second = open_checked(&second, &TABLES).await.unwrap();
    for log in [&first, &second] {
        log.append(append("s")).await.unwrap();
        log.execute(vec![Statement::new("DELETE FROM item", params![])]).await.unwrap();
    }
    assert_eq!(second.load("s", 0).await.unwrap().len(), 2);
    scratch.server.sql("ALTER ROLE scratch_service NOLOGIN").await.unwrap();
    second.append(append("s")).await.unwrap();
    let error = second.query("DELETE FROM event", Vec::new()).await.unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("permission denied"), "{error}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_migrated_by_a_build_without_contracts_is_used_and_caught_up() {
    let scratch = PostgresScratch::start().await;
    migrate(&scratch.urls.owner, &TABLES).await.unwrap();
    scratch.server.sql("ALTER TABLE scratch.migration DROP COLUMN contract_since").await.unwrap();
    drop(open_checked(&scratch.urls.service, &TABLES).await.unwrap());
    assert_eq!(migrate(&scratch.urls.owner, &TABLES).await.unwrap(), [""; 0]);
    let log = open_checked(&scratch.urls.service, &TABLES).await.unwrap();
    let sql = "SELECT name FROM migration WHERE contract_since IS NULL";
    assert!(log.query(sql, params![]).await.unwrap().len() > 4);
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
async fn a_role_that_nothing_was_granted_to_is_told_so() {
    let scratch = PostgresScratch::start().await;
    let ungranted = scratch.urls.owner.split("&grant_to").next().unwrap();
    migrate(ungranted, &NO_TABLES).await.unwrap();
    let error = open_checked(&scratch.urls.service, &NO_TABLES).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("grant_to"), "{error}: {cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_can_neither_read_nor_write_what_is_another_ones() {
    let scratch = PostgresScratch::start().await;
    let other = scratch.server.role_and_schema("other").await.unwrap();
    migrate(&other.owner, &NO_TABLES).await.unwrap();
    let log = scratch.open(&NO_TABLES).await.unwrap();
    for sql in [
        "SELECT kind FROM other.event",
        "SELECT name FROM other.lease",
        "INSERT INTO other.checkpoint (name, position) VALUES ('x', 1)",
        "DELETE FROM other.checkpoint",
        "CREATE TABLE other.mine (id TEXT)",
        "CREATE TABLE scratch.mine (id TEXT)",
    ] {
        let error = log.execute(vec![Statement::new(sql, params![])]).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("permission denied"), "{sql}: {cause}");
    }
    let schema = scratch.urls.service.replace("schema=scratch", "schema=other");
    open_checked(&schema, &NO_TABLES).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_only_a_server_that_can_be_trusted_is_spoken_to() {
    let server = PostgresServer::start_with_tls().await.unwrap();
    let url = format!("{}&schema=scratch", server.tls_url("postgres", "postgres"));
    let trusting = format!("{url}&sslrootcert={}", server.certificate().display());
    let log = open_log(&trusting, &NO_TABLES).await.unwrap();
    log.append(append("s")).await.unwrap();
    assert_eq!(log.load("s", 0).await.unwrap().len(), 1);
    let ours = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE application_name = 'filmstrip scratch'";
    let rows = log.query(ours, params![]).await.unwrap();
    assert!(rows.len() >= 2 && rows.iter().all(|row| row.get::<bool>("ssl").unwrap()), "{rows:?}");
    // Under another name, and without a reason to trust it.
    for stranger in [trusting.replace("@localhost", "@127.0.0.1"), url] {
        let error = open_log(&stranger, &NO_TABLES).await.unwrap_err();
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        assert!(cause.contains("certificate"), "{stranger}: {cause}");
    }
}

/// A plan that is kept must not depend on how small a table was when it was made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_keeps_no_plan_that_reads_a_whole_table() {
    let scratch = PostgresScratch::start().await;
    let log = scratch.open(&NO_TABLES).await.unwrap();
    for (setting, value) in [("enable_seqscan", "off"), ("plan_cache_mode", "force_generic_plan")] {
        let show = Statement::new("SELECT current_setting($1) AS value", params![setting]);
        let rows = log.execute_returning(show).await.unwrap();
        assert_eq!(rows[0].get::<String>("value").unwrap(), value);
    }
    let plan = "EXPLAIN SELECT event_id FROM event WHERE event_id = ANY('{a,b}')";
    let rows = log.execute_returning(Statement::new(plan, params![])).await.unwrap();
    assert!(
        rows.iter().all(|row| !row.get::<String>("QUERY PLAN").unwrap().contains("Seq Scan")),
        "{rows:?}"
    );
}
