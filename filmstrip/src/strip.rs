//! A job's events as a readable timeline.

use std::path::Path;

use anyhow::{Context as _, ensure};
use eventlog::open_log;
use secrecy::SecretString;

use crate::standalone::{database, in_schema};

/// The lines of a job's strip, read from the data directory of a standalone, which may be running, or from the
/// PostgreSQL database that it uses instead.
///
/// # Errors
/// There is no such directory or job, or the log cannot be read.
pub async fn lines(data_dir: &Path, url: Option<&SecretString>, job: i64) -> anyhow::Result<Vec<String>> {
    let (address, place) = match url {
        Some(url) => (in_schema(url, "job"), "the database".to_owned()),
        None => (database(data_dir, "job"), data_dir.display().to_string()),
    };
    if url.is_none() {
        let file = address.trim_start_matches("sqlite:");
        ensure!(Path::new(file).exists(), "{place} holds no jobs; name the right --data-dir");
    }
    let log = open_log(&address, &job::MIGRATIONS).await.context("opening the job service's log")?;
    let id = i32::try_from(job).ok();
    let lines = match id {
        Some(id) => job::feed::strip(&log, id).await?,
        None => Vec::new(),
    };
    ensure!(!lines.is_empty(), "there is no job {job} in {place}");
    Ok(lines
        .iter()
        .map(|line| {
            let time = line.recorded_at.get(11..23).unwrap_or(&line.recorded_at);
            format!("{time}  {:>3}  {:<20} {}", line.version, line.event, line.text)
        })
        .collect())
}
