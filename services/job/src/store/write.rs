//! What an append writes into the read tables.

use eventlog::{CommandRecord, Log, LogError, Statement, params};
use jiff::Timestamp;
use job_domain::{
    Job, JobStatus,
    state::Scene,
    view::{self, is_due},
    watch::Patience,
};

use super::watch::Watched;

/// Whether there is a video that plays.
#[must_use]
pub fn is_playable(job: &Job) -> bool {
    job.status == JobStatus::Completed && job.master.is_some()
}

/// Remembers a command that changed nothing, with its reply.
///
/// # Errors
/// When the database fails.
pub async fn remember(log: &Log, record: Option<CommandRecord>, at: Timestamp) -> Result<(), LogError> {
    let Some(CommandRecord { id, digest, reply }) = record else { return Ok(()) };
    let sql = "INSERT INTO command (id, digest, reply, recorded_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (id) DO NOTHING";
    log.execute(vec![Statement::new(sql, params![id, digest, reply, at])]).await.map(|_| ())
}

/// A time of the job as its row has it: `at` when it is that moment, and else, of one that was brought over, its own.
fn moment(of_job_ms: i64, at: Timestamp) -> Timestamp {
    if at.as_millisecond() == of_job_ms { at } else { Timestamp::from_millisecond(of_job_ms).unwrap_or(at) }
}

/// The rows of a new job. Another job with the same id, or the same number in the campaign, refuses them.
#[must_use]
pub fn created(job: &Job, number: u32, version: i64, at: Timestamp, patience: &Patience) -> Vec<Statement> {
    let mut row = Statement::new(
        "INSERT INTO job (id, campaign_id, number, client_id, kind, status, playable, unfinished, video_name, \
         version, shown_version, watched_version, created_at, updated_at, spent_micros, \
         owner, unfinished_since, owed_since, deadline, stalled_since) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
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
            moment(job.created_at_ms, at),
            moment(job.updated_at_ms, at),
            view::actual_cost_micros(job)
        ],
    )
    .affecting(1);
    row.params.extend(Watched::of(job, patience).params());
    let scenes = job.scenes.iter().map(|scene| {
        Statement::new(
            "INSERT INTO scene (id, job_id, place, status) VALUES ($1, $2, $3, $4)",
            params![&scene.spec.id, job.id, scene.spec.index, view::scene_status(job, scene).as_str()],
        )
    });
    std::iter::once(row).chain(scenes).collect()
}

/// The rows of a job that went from one state, which was that of `from`, to another.
#[must_use]
pub fn moved(
    (before, from): (&Job, i64),
    (job, version): (&Job, i64),
    at: Timestamp,
    patience: &Patience,
) -> Vec<Statement> {
    let mut row = Statement::new(
        "UPDATE job SET status = $2, playable = $3, unfinished = $4, version = $5, updated_at = $6, \
         spent_micros = $7, shown_version = CASE WHEN shown_version = $8 THEN $5 ELSE shown_version END, \
         owner = $9, unfinished_since = $10, owed_since = $11, deadline = $12, stalled_since = $13, \
         watched_version = $5 WHERE id = $1",
        params![
            job.id,
            job.status.as_str(),
            is_playable(job),
            is_due(job),
            version,
            moment(job.updated_at_ms, at),
            view::actual_cost_micros(job),
            from
        ],
    )
    .affecting(1);
    row.params.extend(Watched::of(job, patience).params());
    let gone = before.scenes.iter().filter(|scene| job.scene(&scene.spec.id).is_none());
    let gone = gone.map(|scene| Statement::new("DELETE FROM scene WHERE id = $1", params![&scene.spec.id]));
    let shown = |job: &Job, scene: &Scene| (scene.spec.index, view::scene_status(job, scene));
    let changed = job.scenes.iter().filter_map(|scene| {
        let (place, status) = shown(job, scene);
        let same = before.scene(&scene.spec.id).is_some_and(|old| shown(before, old) == (place, status));
        (!same).then(|| {
            Statement::new(
                "UPDATE scene SET place = $2, status = $3 WHERE id = $1",
                params![&scene.spec.id, place, status.as_str()],
            )
        })
    });
    std::iter::once(row).chain(gone).chain(changed).collect()
}
