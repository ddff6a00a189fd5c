//! Questions to the read tables.

use eventlog::{Log, LogError, params};
use jiff::Timestamp;
use job_domain::JobId;
use kit::work::Work;

/// The id that the next job takes unless another takes it first.
///
/// # Errors
/// When the database fails.
pub async fn next_id(log: &Log) -> Result<JobId, LogError> {
    let rows = log.query("SELECT coalesce(max(id), 0) + 1 AS next FROM job", params![]).await?;
    rows.first().map_or(Ok(1), |row| row.get("next"))
}

/// The number that the campaign's next video takes unless another takes it first.
///
/// # Errors
/// When the database fails.
pub async fn campaign_number(log: &Log, campaign: &str) -> Result<u32, LogError> {
    let sql = "SELECT coalesce(max(number), 0) + 1 AS next FROM job WHERE campaign_id = $1";
    let rows = log.query(sql, params![campaign]).await?;
    rows.first().map_or(Ok(1), |row| row.get("next"))
}

/// The job that has this scene.
///
/// # Errors
/// When the database fails.
pub async fn job_of_scene(log: &Log, scene: &str) -> Result<Option<JobId>, LogError> {
    // PostgreSQL takes no text with a zero byte, not even to compare it.
    if scene.contains('\0') {
        return Ok(None);
    }
    let rows = log.query("SELECT job_id FROM scene WHERE id = $1", params![scene]).await?;
    rows.first().map(|row| row.get("job_id")).transpose()
}

/// Name of the lease under which a job is run.
#[must_use]
pub fn runner_lease(id: JobId) -> String {
    format!("{RUNNER}{id}")
}

const RUNNER: &str = "runner/job-";

/// The jobs that somebody has to run, by the leases of those that do; one that nobody runs waits since it last changed.
///
/// # Errors
/// When the database fails.
pub async fn backlog(log: &Log, now: Timestamp) -> Result<Work, LogError> {
    let held = format!("lease.name IS NOT NULL AND lease.expires_at > {}", log.clock_sql());
    let sql = format!(
        "SELECT count(*) FILTER (WHERE {held}) AS active, count(*) FILTER (WHERE NOT ({held})) AS due, \
         min(job.updated_at) FILTER (WHERE NOT ({held})) AS oldest \
         FROM job LEFT JOIN lease ON lease.name = $1 || CAST(job.id AS TEXT) WHERE job.unfinished"
    );
    let rows = log.query(&sql, params![RUNNER]).await?;
    let Some(row) = rows.first() else { return Ok(Work::default()) };
    Ok(Work::since(row.get("due")?, row.get("active")?, row.get("oldest")?, now))
}

/// A job for which something should be outstanding and that no other process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    /// The job.
    pub job: JobId,
    /// Number of the last claim of its lease, 0 if there was none.
    pub last_fence: i64,
}

/// Jobs for which something should be outstanding and that no other process than `instance` holds, oldest first:
/// all of them, or those among the given ones. Only reads: many processes ask this for every event.
///
/// # Errors
/// When the database fails.
pub async fn free(log: &Log, instance: &str, among: Option<&[JobId]>) -> Result<Vec<Free>, LogError> {
    let now = log.clock_sql();
    let mut sql = format!(
        "SELECT job.id AS id, coalesce(lease.fence, 0) AS fence \
         FROM job LEFT JOIN lease ON lease.name = $1 || CAST(job.id AS TEXT) \
         WHERE job.unfinished AND (lease.name IS NULL OR lease.expires_at <= {now} OR lease.owner = $2)"
    );
    let mut params = params![RUNNER, instance];
    if let Some(among) = among {
        let places: Vec<String> = (0..among.len()).map(|at| format!("${}", at + 3)).collect();
        params.extend(among.iter().copied().map(Into::into));
        sql = format!("{sql} AND job.id IN ({})", places.join(", "));
    }
    let rows = log.query(&format!("{sql} ORDER BY job.id"), params).await?;
    rows.iter().map(|row| Ok(Free { job: row.get("id")?, last_fence: row.get("fence")? })).collect()
}
