//! Jobs that were brought over from older databases: which row each of them was.

use eventlog::{Log, LogError, Row, SqlValue, Statement, params};
use job_domain::{JobId, JobImported, LegacyOrigin, SceneId};

/// A row that was brought over before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The job that it is here.
    pub job: JobId,
    /// Its number in the older database.
    pub legacy_id: JobId,
    /// Digest of what was read of it.
    pub digest: String,
    /// Position of the event that brought it over.
    pub position: i64,
}

const KNOWN: &str = "SELECT job_id, legacy_id, digest, position FROM imported";

impl Known {
    fn of(row: &Row) -> Result<Self, LogError> {
        let (job, legacy_id) = (row.get("job_id")?, row.get("legacy_id")?);
        Ok(Self { job, legacy_id, digest: row.get("digest")?, position: row.get("position")? })
    }
}

/// What is known of a row of an older database.
///
/// # Errors
/// When the database fails.
pub async fn known(log: &Log, origin: &LegacyOrigin) -> Result<Option<Known>, LogError> {
    let sql = format!("{KNOWN} WHERE source = $1 AND origin_table = $2 AND origin_row = $3");
    let rows = log.query(&sql, params![&origin.source, &origin.table, &origin.row]).await?;
    rows.first().map(Known::of).transpose()
}

/// What came from a source after a position, in the order in which it came.
///
/// # Errors
/// When the database fails.
pub async fn imported(log: &Log, source: &str, after: i64, limit: u32) -> Result<Vec<Known>, LogError> {
    // PostgreSQL takes no text with a zero byte, and no row has one.
    if source.contains('\0') {
        return Ok(Vec::new());
    }
    let sql = format!("{KNOWN} WHERE source = $1 AND position > $2 ORDER BY position LIMIT $3");
    let rows = log.query(&sql, params![source, after, limit]).await?;
    rows.iter().map(Known::of).collect()
}

/// Remembers the row that a job is, in the append of the event that brings it over to `stream`.
#[must_use]
pub fn brought_over(came: &JobImported, stream: &str) -> Statement {
    Statement::new(
        "INSERT INTO imported (source, origin_table, origin_row, digest, job_id, legacy_id, position) \
         VALUES ($1, $2, $3, $4, $5, $6, (SELECT max(position) FROM event WHERE stream = $7))",
        params![
            &came.origin.source,
            &came.origin.table,
            &came.origin.row,
            &came.origin.digest,
            came.job,
            came.legacy_id,
            stream
        ],
    )
    .affecting(1)
}

/// Remembers what the row of a job that was brought over holds by now, in the append of the event that says so.
#[must_use]
pub fn holds(came: &JobImported) -> Statement {
    let LegacyOrigin { source, table, row, digest } = &came.origin;
    Statement::new(
        "UPDATE imported SET digest = $4 WHERE source = $1 AND origin_table = $2 AND origin_row = $3",
        params![source, table, row, digest],
    )
}

/// Whether no job has this id.
///
/// # Errors
/// When the database fails.
pub async fn is_free(log: &Log, id: JobId) -> Result<bool, LogError> {
    Ok(log.query("SELECT id FROM job WHERE id = $1", params![id]).await?.is_empty())
}

/// Whether no job of the campaign has this number.
///
/// # Errors
/// When the database fails.
pub async fn is_free_number(log: &Log, campaign: &str, number: u32) -> Result<bool, LogError> {
    let sql = "SELECT id FROM job WHERE campaign_id = $1 AND number = $2";
    Ok(log.query(sql, params![campaign, number]).await?.is_empty())
}

/// One of these scenes that a job has, with that job.
///
/// # Errors
/// When the database fails.
pub async fn held(log: &Log, scenes: &[&str]) -> Result<Option<(SceneId, JobId)>, LogError> {
    if scenes.is_empty() {
        return Ok(None);
    }
    let places: Vec<String> = (1..=scenes.len()).map(|at| format!("${at}")).collect();
    let places = places.join(", ");
    let sql = format!("SELECT id, job_id FROM scene WHERE id IN ({places}) ORDER BY id LIMIT 1");
    let rows = log.query(&sql, scenes.iter().map(|id| SqlValue::from(*id)).collect()).await?;
    rows.first().map(|row| Ok((row.get("id")?, row.get("job_id")?))).transpose()
}

/// The row of a job, and those of its scenes by their ids, as they are.
///
/// # Errors
/// When the database fails.
pub async fn rows(log: &Log, id: JobId) -> Result<(Option<Row>, Vec<Row>), LogError> {
    let sql = "SELECT campaign_id, number, client_id, kind, status, playable, unfinished, video_name, version, \
               shown_version, created_at, updated_at, spent_micros FROM job WHERE id = $1";
    let job = log.query(sql, params![id]).await?.into_iter().next();
    let sql = "SELECT id, place, status FROM scene WHERE job_id = $1 ORDER BY id";
    Ok((job, log.query(sql, params![id]).await?))
}
