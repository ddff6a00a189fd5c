//! The fold of what concerns the watch over a job: when it last moved, since when it is unfinished, and its stall.

use crate::event::JobEvent;
use crate::has_outstanding;
use crate::state::{Job, Stall};
use crate::watch::is_unfinished;

/// What an event means for the watch, told from the job before it.
pub(super) struct Moment {
    moves: bool,
    may_take_up: bool,
}

impl Moment {
    pub(super) fn of(job: &Job, event: &JobEvent) -> Self {
        Self { moves: moves(job, event), may_take_up: may_take_up(job, event) }
    }

    /// Folds it in. `at_ms` is when the event was recorded.
    pub(super) fn apply(&self, job: &mut Job, event: &JobEvent, at_ms: i64) {
        if self.may_take_up && is_unfinished(job) {
            job.unfinished_since_ms = at_ms;
        }
        if self.moves {
            job.moved_at_ms = at_ms;
            job.stall = None;
        }
        match event {
            JobEvent::JobStalled { owner, what, cause, times, .. } => {
                job.stall = Some(Stall {
                    owner: *owner,
                    what: what.clone(),
                    cause: cause.clone(),
                    since_ms: job.stall.as_ref().map_or(at_ms, |stall| stall.since_ms),
                    told_at_ms: at_ms,
                    times: *times,
                });
            }
            JobEvent::JobResumed { .. } => job.stall = None,
            _ => {}
        }
    }
}

/// Whether something happens that the job waited for.
fn moves(job: &Job, event: &JobEvent) -> bool {
    match event {
        // Only what people see of it.
        JobEvent::SceneOverridden { .. }
        // The price of what is over.
        | JobEvent::SceneTakeCharged { .. }
        | JobEvent::SoundtrackCharged { .. }
        // What is over already.
        | JobEvent::JobImported(_)
        | JobEvent::JobStalled { .. }
        | JobEvent::JobResumed { .. } => false,
        // More to do; while a worker owes something it is the worker that is waited for.
        JobEvent::RegenerationRequested { cut, .. } | JobEvent::SceneRemoved { cut: Some(cut), .. } => {
            !has_outstanding(job) || supersedes(job, *cut)
        }
        JobEvent::SceneEdited { .. }
        | JobEvent::SceneRemoved { .. }
        | JobEvent::SceneReordered { .. }
        | JobEvent::SoundtrackWished { .. }
        | JobEvent::SceneTakeRequested { .. }
        | JobEvent::SoundtrackRequested { .. }
        | JobEvent::CutRequested { .. }
        | JobEvent::MixRequested { .. } => !has_outstanding(job),
        JobEvent::JobCreated(_)
        | JobEvent::StoryboardDrafted { .. }
        | JobEvent::JobApproved { .. }
        | JobEvent::JobCanceled { .. }
        | JobEvent::SceneAttemptStarted { .. }
        | JobEvent::SceneRendered { .. }
        | JobEvent::SceneFailed { .. }
        | JobEvent::SceneTakeClosed { .. }
        | JobEvent::SoundtrackReady { .. }
        | JobEvent::SoundtrackFailed { .. }
        | JobEvent::CutReady { .. }
        | JobEvent::CutFailed { .. }
        | JobEvent::MixReady { .. }
        | JobEvent::MixFailed { .. }
        | JobEvent::ProductClosed { .. }
        | JobEvent::JobCompleted { .. }
        | JobEvent::JobFailed { .. }
        | JobEvent::CutReplaced { .. } => true,
    }
}

/// Whether a video that the stitch worker was asked for is not waited for any more, because another cut takes its place.
fn supersedes(job: &Job, cut: u32) -> bool {
    job.making.as_ref().is_some_and(|making| making.cut != cut && making.outstanding().is_some())
}

/// Whether a finished job may have something to do again.
fn may_take_up(job: &Job, event: &JobEvent) -> bool {
    let wants_more = matches!(
        event,
        JobEvent::RegenerationRequested { .. }
            | JobEvent::SoundtrackWished { .. }
            | JobEvent::SceneRemoved { .. }
    );
    wants_more && !is_unfinished(job)
}
