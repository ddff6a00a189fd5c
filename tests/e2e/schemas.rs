//! Both databases hold the same tables.

use std::collections::BTreeMap;

use eventlog::{Log, Migrations, open_log, params};
use testservers::PostgresServer;

pub(crate) const SERVICES: [&Migrations; 5] = [
    &asset::store::MIGRATIONS,
    &job::MIGRATIONS,
    &render::MIGRATIONS,
    &stitch::MIGRATIONS,
    &audio::MIGRATIONS,
];

const SQLITE: &str = "SELECT m.name AS table_name, p.name AS column_name, \
     CASE WHEN p.\"notnull\" = 1 OR p.pk > 0 THEN 'NO' ELSE 'YES' END AS is_nullable \
     FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
const POSTGRES: &str = "SELECT table_name::text AS table_name, column_name::text AS column_name, \
     is_nullable::text AS is_nullable FROM information_schema.columns WHERE table_schema = current_schema()";

/// Indexes that a migration names; those that a key brings with it have names of each engine's own.
const SQLITE_INDEXES: &str =
    "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_autoindex_%' ORDER BY 1";
const POSTGRES_INDEXES: &str = "SELECT c.relname::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
     WHERE c.relnamespace = current_schema()::regnamespace \
     AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY 1";

async fn names(log: &Log, sql: &str) -> Vec<String> {
    let rows = log.query(sql, params![]).await.unwrap();
    rows.iter().map(|row| row.get("name").unwrap()).collect()
}

/// Whether each column of each table may be empty.
async fn columns(log: &Log, sql: &str) -> BTreeMap<String, String> {
    let rows = log.query(sql, params![]).await.unwrap();
    let text = |row: &eventlog::Row, column: &str| row.get::<String>(column).unwrap();
    rows.iter()
        .map(|row| {
            (format!("{}.{}", text(row, "table_name"), text(row, "column_name")), text(row, "is_nullable"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_tables_and_columns() {
    let server = PostgresServer::start().await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for migrations in SERVICES {
        let named =
            |texts: &[(&'static str, &'static str)]| texts.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(named(migrations.sqlite), named(migrations.postgres), "{}", migrations.service);
        let path = scratch.path().join(migrations.service).display().to_string();
        let files = open_log(&path, migrations).await.unwrap();
        let tables = open_log(&server.superuser_url(), migrations).await.unwrap();
        let (left, right) = (columns(&files, SQLITE).await, columns(&tables, POSTGRES).await);
        assert_eq!(left, right, "{}", migrations.service);
        assert!(left.len() > 20);
        // A table that SQLite has to make again must get all of its indexes again.
        let (left, right) = (names(&files, SQLITE_INDEXES).await, names(&tables, POSTGRES_INDEXES).await);
        assert_eq!(left, right, "{}", migrations.service);
    }
}
