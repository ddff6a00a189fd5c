//! Questions to the read tables.

use eventlog::{Log, LogError, Params, params};
use job_domain::JobId;

/// Which videos are wanted; what is `None` filters nothing.
#[derive(Clone, Debug, Default)]
pub struct VideoFilter {
    /// Only this job.
    pub job: Option<JobId>,
    /// Only this campaign's.
    pub campaign: Option<String>,
    /// Only this client's.
    pub client: Option<String>,
}

/// One page of ids, newest first, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The jobs of the page.
    pub jobs: Vec<JobId>,
    /// All that the filter lets through.
    pub total: u64,
}

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
    let rows = log.query("SELECT job_id FROM scene WHERE id = $1", params![scene]).await?;
    rows.first().map(|row| row.get("job_id")).transpose()
}

/// Name of the lease under which a job is run.
#[must_use]
pub fn runner_lease(id: JobId) -> String {
    format!("{RUNNER}{id}")
}

const RUNNER: &str = "runner/job-";

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

/// Jobs whose video plays, newest first.
///
/// # Errors
/// When the database fails.
pub async fn videos(log: &Log, filter: &VideoFilter, limit: u32, offset: u32) -> Result<Page, LogError> {
    let (conditions, params) = conditions(filter);
    let count = format!("SELECT count(*) AS total FROM job WHERE {conditions}");
    let total = log.query(&count, params.clone()).await?;
    let total = total.first().map_or(Ok(0), |row| row.get("total"))?;
    let mut paged = params;
    let (limit_at, offset_at) = (paged.len() + 1, paged.len() + 2);
    paged.extend(params![limit, offset]);
    let page = format!(
        "SELECT id FROM job WHERE {conditions} ORDER BY id DESC LIMIT ${limit_at} OFFSET ${offset_at}"
    );
    let rows = log.query(&page, paged).await?;
    Ok(Page { jobs: rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?, total })
}

fn conditions(filter: &VideoFilter) -> (String, Params) {
    let mut conditions = vec!["playable".to_owned()];
    let mut params = Params::new();
    let wanted = [
        ("id", filter.job.map(Into::into)),
        ("campaign_id", filter.campaign.as_deref().map(Into::into)),
        ("client_id", filter.client.as_deref().map(Into::into)),
    ];
    for (column, value) in wanted {
        if let Some(value) = value {
            params.push(value);
            conditions.push(format!("{column} = ${}", params.len()));
        }
    }
    (conditions.join(" AND "), params)
}
