//! The fold: one event into the job. One match, no rules; an event that does not fit changes nothing.

mod cuts;
pub(crate) mod imported;
mod scenes;
mod soundtrack;
mod stalls;

use crate::event::{JobCreated, JobEvent};
use crate::progress;
use crate::state::{Job, JobStatus, Making, Soundtrack, Stage};
use stalls::Moment;

/// Folds one event into the job. `at_ms` is when the event was recorded, in milliseconds since 1970.
#[must_use]
pub fn evolve(job: Option<Job>, event: &JobEvent, at_ms: i64) -> Option<Job> {
    let mut job = match (job, event) {
        // It is as old as it was there.
        (None, JobEvent::JobImported(came)) => return Some(imported::job(came)),
        (None, JobEvent::JobCreated(created)) => new_job(created, at_ms),
        (None, _) => return None,
        (Some(job), _) => job,
    };
    fold(&mut job, event, at_ms);
    Some(job)
}

/// Folds one event into a job that exists.
pub(crate) fn fold(job: &mut Job, event: &JobEvent, at_ms: i64) {
    if let (JobEvent::JobImported(came), true) = (event, job.imported.is_some()) {
        *job = imported::again(job, came);
        return;
    }
    let moment = Moment::of(job, event);
    apply(job, event, at_ms);
    moment.apply(job, event, at_ms);
    // A stall is nothing that happened to the job.
    if !matches!(event, JobEvent::JobStalled { .. } | JobEvent::JobResumed { .. }) {
        job.updated_at_ms = at_ms;
    }
    raise_percentage(job);
}

/// Folds a stream of events, each with the time at which it was recorded.
#[must_use]
pub fn replay<'a>(events: impl IntoIterator<Item = (&'a JobEvent, i64)>) -> Option<Job> {
    events.into_iter().fold(None, |job, (event, at_ms)| evolve(job, event, at_ms))
}

fn raise_percentage(job: &mut Job) {
    let Some(making) = &job.making else { return };
    let percentage = making.percentage.max(progress::percentage(job, making));
    if let Some(making) = &mut job.making {
        making.percentage = percentage;
    }
}

fn new_job(created: &JobCreated, at_ms: i64) -> Job {
    Job {
        id: created.job,
        kind: created.job_kind,
        campaign_id: created.campaign_id.clone(),
        campaign_name: created.campaign_name.clone(),
        client_id: created.client_id.clone(),
        video_name: created.video_name.clone(),
        model: created.model.clone(),
        price_micros_per_second: created.price_micros_per_second,
        aspect_ratio: created.aspect_ratio.clone(),
        resolution: created.resolution.clone(),
        parameters: created.parameters.clone(),
        total_assets: created.total_assets,
        terms: created.terms.clone(),
        planner: String::new(),
        status: JobStatus::Pending,
        outcome: None,
        error: None,
        scenes: Vec::new(),
        removed: Vec::new(),
        estimate_micros: 0,
        soundtrack: Soundtrack {
            enabled: created.soundtrack,
            prompt: created.music_prompt.clone(),
            ..Soundtrack::default()
        },
        making: None,
        unwanted: Vec::new(),
        cuts: 0,
        reached: 0,
        last_cut: None,
        master: None,
        next_cut_error: None,
        warnings: Vec::new(),
        created_at_ms: at_ms,
        updated_at_ms: at_ms,
        moved_at_ms: at_ms,
        approved_at_ms: None,
        unfinished_since_ms: at_ms,
        stall: None,
        imported: None,
    }
}

fn apply(job: &mut Job, event: &JobEvent, at_ms: i64) {
    match event {
        JobEvent::JobCreated(_)
        | JobEvent::JobImported(_)
        | JobEvent::JobStalled { .. }
        | JobEvent::JobResumed { .. } => {}
        JobEvent::StoryboardDrafted { .. }
        | JobEvent::SceneEdited { .. }
        | JobEvent::SceneOverridden { .. }
        | JobEvent::SceneRemoved { .. }
        | JobEvent::SceneReordered { .. }
        | JobEvent::SceneTakeRequested { .. }
        | JobEvent::SceneAttemptStarted { .. }
        | JobEvent::SceneRendered { .. }
        | JobEvent::SceneFailed { .. }
        | JobEvent::SceneTakeClosed { .. }
        | JobEvent::SceneTakeCharged { .. } => scenes::apply(job, event, at_ms),
        JobEvent::SoundtrackWished { .. }
        | JobEvent::SoundtrackRequested { .. }
        | JobEvent::SoundtrackReady { .. }
        | JobEvent::SoundtrackFailed { .. }
        | JobEvent::SoundtrackCharged { .. } => soundtrack::apply(job, event, at_ms),
        JobEvent::JobApproved { estimate_micros, .. } => {
            job.status = JobStatus::Approved;
            job.approved_at_ms = Some(at_ms);
            job.estimate_micros = *estimate_micros;
            for scene in &mut job.scenes {
                scene.wanted = true;
                scene.overridden = None;
            }
            // A soundtrack that somebody bought before is the video's.
            let bought = job.soundtrack.is_open() || job.soundtrack.ready().is_some();
            job.soundtrack.wanted = job.soundtrack.enabled && !bought;
            begin_cut(job, 1);
        }
        JobEvent::JobCanceled { reason } => cancel(job, reason.as_deref(), at_ms),
        JobEvent::RegenerationRequested { cut, scenes, soundtrack } => {
            job.soundtrack.merge_due = false;
            begin_cut(job, *cut);
            if job.status == JobStatus::Failed {
                job.status = JobStatus::Processing;
                job.error = None;
            }
            for scene in job.scenes.iter_mut().filter(|scene| scenes.contains(&scene.spec.id)) {
                scene.wanted = true;
                scene.overridden = None;
                scene.updated_at_ms = at_ms;
            }
            job.soundtrack.wanted |= *soundtrack;
            job.soundtrack.enabled |= *soundtrack;
        }
        JobEvent::CutRequested { .. }
        | JobEvent::CutReady { .. }
        | JobEvent::CutFailed { .. }
        | JobEvent::MixRequested { .. }
        | JobEvent::MixReady { .. }
        | JobEvent::MixFailed { .. }
        | JobEvent::ProductClosed { .. }
        | JobEvent::JobCompleted { .. }
        | JobEvent::JobFailed { .. }
        | JobEvent::CutReplaced { .. } => cuts::apply(job, event, at_ms),
    }
}

/// Makes `cut` the cut that is being made; nothing happens when it already is.
fn begin_cut(job: &mut Job, cut: u32) {
    if job.making.as_ref().is_some_and(|making| making.cut == cut) {
        return;
    }
    job.cuts = cut;
    job.next_cut_error = None;
    job.making = Some(Making {
        cut,
        percentage: 0,
        takes: Vec::new(),
        soundtrack_take: None,
        stage: Stage::Rendering,
        requested_at_ms: 0,
    });
}

fn cancel(job: &mut Job, reason: Option<&str>, at_ms: i64) {
    job.status = JobStatus::Canceled;
    job.error = Some(reason.map_or_else(|| "canceled".to_owned(), |reason| format!("canceled: {reason}")));
    job.reached = job.making.as_ref().map_or(0, |making| making.percentage);
    job.unwanted.extend(job.making.as_ref().and_then(Making::outstanding));
    job.making = None;
    job.soundtrack.wanted = false;
    job.soundtrack.wishes.clear();
    for scene in &mut job.scenes {
        if scene.clip().is_none() {
            scene.updated_at_ms = at_ms;
        }
        scene.wanted = false;
        scene.overridden = None;
    }
}
