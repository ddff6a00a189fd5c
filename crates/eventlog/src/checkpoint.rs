//! Checkpoints: how far a reader has come in a log.
//!
//! A checkpoint lives in the reader's own database, so that it can be saved in the same write as what the
//! reader did.

use crate::{Log, LogError, Statement, params};

/// The saved position, 0 when there is none yet.
///
/// # Errors
/// When the database fails.
pub async fn load(log: &Log, name: &str) -> Result<i64, LogError> {
    let rows = log.query("SELECT position FROM checkpoint WHERE name = $1", params![name]).await?;
    rows.first().map_or(Ok(0), |row| row.get("position"))
}

/// Saves a position.
///
/// # Errors
/// When the database fails.
pub async fn save(log: &Log, name: &str, position: i64) -> Result<(), LogError> {
    log.execute(vec![statement(name, position)]).await.map(drop)
}

/// The statement that saves a position, to be part of an append.
#[must_use]
pub fn statement(name: &str, position: i64) -> Statement {
    Statement::new(
        "INSERT INTO checkpoint (name, position) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET position = excluded.position",
        params![name, position],
    )
    .affecting(1)
}
