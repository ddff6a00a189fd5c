//! A job's events as a readable timeline.

use std::path::Path;

use anyhow::{Context as _, ensure};
use eventlog::open_log;

use crate::standalone::database;

/// The lines of a job's strip, read from the data directory of a standalone, which may be running.
///
/// # Errors
/// There is no such directory or job, or the log cannot be read.
pub async fn lines(data_dir: &Path, job: i64) -> anyhow::Result<Vec<String>> {
    let path = database(data_dir, "job");
    let file = path.trim_start_matches("sqlite:");
    ensure!(Path::new(file).exists(), "{} holds no jobs; name the right --data-dir", data_dir.display());
    let log = open_log(&path, &job::MIGRATIONS).await.with_context(|| format!("opening {path}"))?;
    let id = i32::try_from(job).ok();
    let lines = match id {
        Some(id) => job::feed::strip(&log, id).await?,
        None => Vec::new(),
    };
    ensure!(!lines.is_empty(), "there is no job {job} in {}", data_dir.display());
    Ok(lines
        .iter()
        .map(|line| {
            let time = line.recorded_at.get(11..23).unwrap_or(&line.recorded_at);
            format!("{time}  {:>3}  {:<20} {}", line.version, line.event, line.text)
        })
        .collect())
}
