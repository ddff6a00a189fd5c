//! What an append writes into the read tables.

use eventlog::{Statement, params};
use jiff::Timestamp;
use job_domain::{Job, JobStatus, view::is_due};

/// Whether there is a video that plays.
fn is_playable(job: &Job) -> bool {
    job.status == JobStatus::Completed && job.master.is_some()
}

/// The rows of a new job. Another job with the same id, or the same number in the campaign, refuses them.
#[must_use]
pub fn created(job: &Job, number: u32, version: i64, at: Timestamp) -> Vec<Statement> {
    let row = Statement::new(
        "INSERT INTO job (id, campaign_id, number, client_id, kind, status, playable, unfinished, video_name, \
         version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            job.id,
            &job.campaign_id,
            number,
            job.client_id.as_deref(),
            job.kind.as_str(),
            job.status.as_str(),
            is_playable(job),
            is_due(job),
            &job.video_name,
            version,
            at,
            at
        ],
    )
    .affecting(1);
    let scenes = job.scenes.iter().map(|scene| {
        Statement::new("INSERT INTO scene (id, job_id) VALUES ($1, $2)", params![&scene.spec.id, job.id])
    });
    std::iter::once(row).chain(scenes).collect()
}

/// The rows of a job that went from one state to another.
#[must_use]
pub fn moved(before: &Job, job: &Job, version: i64, at: Timestamp) -> Vec<Statement> {
    let row = Statement::new(
        "UPDATE job SET status = $2, playable = $3, unfinished = $4, version = $5, updated_at = $6 WHERE id = $1",
        params![job.id, job.status.as_str(), is_playable(job), is_due(job), version, at],
    )
    .affecting(1);
    let gone = before.scenes.iter().filter(|scene| job.scene(&scene.spec.id).is_none());
    let gone = gone.map(|scene| Statement::new("DELETE FROM scene WHERE id = $1", params![&scene.spec.id]));
    std::iter::once(row).chain(gone).collect()
}
