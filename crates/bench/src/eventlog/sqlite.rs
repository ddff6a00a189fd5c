//! The peer on SQLite: one writer, one commit for each row, as durable as the log.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};

use super::sample::{COLUMNS, Plain};

/// Rows per second.
#[allow(clippy::cast_precision_loss, reason = "a rate")]
pub(super) async fn plain(file: &Path, each: Duration) -> anyhow::Result<f64> {
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(eventlog::COMMON_SQLITE[0].1)?;
        let mut insert = connection.prepare(&format!(
            "INSERT INTO event ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        ))?;
        let (started, mut version) = (Instant::now(), 0);
        while started.elapsed() < each {
            version += 1;
            let plain = Plain::new("job-1", version);
            insert.execute(params![
                plain.id,
                plain.stream,
                plain.version,
                plain.kind,
                1,
                plain.data,
                plain.correlation,
                plain.causation,
                plain.traceparent,
                plain.actor,
                plain.recorded_at
            ])?;
        }
        Ok(version as f64 / started.elapsed().as_secs_f64())
    })
    .await?
}
