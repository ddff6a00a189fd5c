//! Putting rows into a new database.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rusqlite::{Connection, ToSql, params_from_iter};
use sha2::{Digest as _, Sha256};

use crate::truth::BytesTruth;

/// Columns of a row with their values.
pub(crate) type Values<'a> = &'a [(&'a str, &'a dyn ToSql)];

/// A new database, which nothing is spent on to survive a crash.
pub(crate) fn create(path: &Path) -> Result<Connection> {
    ensure!(!path.exists(), "{} is there already", path.display());
    let conn = Connection::open(path).with_context(|| format!("making {}", path.display()))?;
    conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF")?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Puts a row in.
pub(crate) fn insert(conn: &Connection, table: &str, values: Values<'_>) -> Result<()> {
    let names = values.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let places = vec!["?"; values.len()].join(", ");
    let sql = format!("INSERT INTO {table} ({names}) VALUES ({places})");
    conn.prepare_cached(&sql)
        .and_then(|mut insert| insert.execute(params_from_iter(values.iter().map(|(_, value)| *value))))
        .with_context(|| format!("putting a row into {table}"))?;
    Ok(())
}

/// What is to be told about bytes that go into `table.column` of a row.
pub(crate) fn told(
    bytes: &[u8],
    content_type: &'static str,
    (table, column): (&'static str, &'static str),
    row: impl ToString,
) -> BytesTruth {
    BytesTruth {
        sha256: hex::encode(Sha256::digest(bytes)),
        size: bytes.len() as u64,
        content_type,
        table,
        column,
        row: row.to_string(),
    }
}
