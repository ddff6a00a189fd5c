//! Sources with one thing done to them.

use std::path::Path;

use rusqlite::Connection;

/// Runs SQL on a source, as its own service would.
pub(super) fn sql(source: &Path, sql: &str) {
    Connection::open(source).unwrap().execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The first text that a query finds.
pub(super) fn text(source: &Path, sql: &str) -> String {
    let found = Connection::open(source).unwrap().query_row(sql, [], |row| row.get(0));
    found.unwrap_or_else(|error| panic!("{sql}: {error}"))
}
