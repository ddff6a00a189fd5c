//! Rows that a program wrote that did not know all of their columns.

use eventlog::{Log, LogError, Statement, params};
use jiff::Timestamp;
use job_domain::{Job, JobId, view, watch::Patience};

use super::watch::first_watched;

/// Jobs whose rows are behind their streams, oldest first, after `after`.
///
/// # Errors
/// When the database fails.
pub async fn behind(log: &Log, after: JobId, limit: u32) -> Result<Vec<JobId>, LogError> {
    let sql = "SELECT id FROM job WHERE (shown_version < version OR watched_version < version) AND id > $1 \
               ORDER BY id LIMIT $2";
    let rows = log.query(sql, params![after, limit]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// What the rows of a job are made up to date with, unless it is no longer at that version.
#[must_use]
pub fn catch_up(job: &Job, version: i64, patience: &Patience, now: Timestamp) -> Vec<Statement> {
    let scenes = job.scenes.iter().map(|scene| {
        let status = view::scene_status(job, scene).as_str();
        Statement::new(
            "UPDATE scene SET place = $2, status = $3 \
             WHERE id = $1 AND EXISTS (SELECT 1 FROM job WHERE job.id = $4 AND job.version = $5)",
            params![&scene.spec.id, scene.spec.index, status, job.id, version],
        )
    });
    let row = Statement::new(
        "UPDATE job SET spent_micros = $2, shown_version = $3 WHERE id = $1 AND version = $3",
        params![job.id, view::actual_cost_micros(job), version],
    );
    scenes.chain([row, first_watched(job, version, patience, now)]).collect()
}
