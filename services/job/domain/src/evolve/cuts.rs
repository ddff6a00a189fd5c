//! The fold of what happens to cuts, mixes and the end of a job.

use crate::event::JobEvent;
use crate::state::{CutFile, Job, JobStatus, Shown, Stage};

pub(super) fn apply(job: &mut Job, event: &JobEvent, at_ms: i64) {
    match event {
        JobEvent::CutRequested { key, digest, clips, .. } => {
            let (key, digest, clips) = (key.clone(), digest.clone(), clips.clone());
            ask(job, Stage::Cutting { key, digest, clips }, at_ms);
        }
        JobEvent::CutReady { video, poster, duration_ms, .. } => {
            let cut = CutFile {
                shown: clips_shown(job),
                video: video.clone(),
                poster: poster.clone(),
                duration_ms: *duration_ms,
            };
            job.last_cut = Some(cut.clone());
            set_stage(job, Stage::Cut(cut));
        }
        JobEvent::CutFailed { reason, .. } => fail_cut(job, reason),
        JobEvent::MixRequested { key, digest, input, .. } => {
            job.soundtrack.merge_due = false;
            let soundtrack_take = job.soundtrack.ready().map_or(0, |(take, _)| take);
            if let Some(cut) = job.last_cut.clone() {
                let (key, digest, input) = (key.clone(), digest.clone(), input.clone());
                ask(job, Stage::Mixing { key, digest, input, soundtrack_take, cut }, at_ms);
            }
        }
        JobEvent::MixReady { video, poster, duration_ms, .. } => {
            if let Some((soundtrack_take, cut)) = mixing(job) {
                let (video, poster) = (video.clone(), poster.clone());
                let duration_ms = *duration_ms;
                set_stage(job, Stage::Mixed { video, poster, duration_ms, soundtrack_take, cut });
            }
        }
        JobEvent::MixFailed { reason, .. } => fail_mix(job, reason),
        JobEvent::ProductClosed { key, .. } => job.unwanted.retain(|unwanted| unwanted.key != *key),
        JobEvent::JobCompleted { outcome, master, warnings, .. }
        | JobEvent::CutReplaced { outcome, master, warnings, .. } => {
            job.status = JobStatus::Completed;
            job.outcome = Some(*outcome);
            job.master = Some(master.clone());
            job.warnings.clone_from(warnings);
            job.making = None;
            job.next_cut_error = None;
            job.reached = 100;
        }
        JobEvent::JobFailed { reason, .. } => {
            job.status = JobStatus::Failed;
            job.error = Some(reason.clone());
            job.reached = job.making.as_ref().map_or(job.reached, |making| making.percentage);
            job.making = None;
        }
        _ => {}
    }
}

/// The stitch worker is asked for the step.
fn ask(job: &mut Job, stage: Stage, at_ms: i64) {
    if let Some(making) = &mut job.making {
        making.stage = stage;
        making.requested_at_ms = at_ms;
    }
}

fn set_stage(job: &mut Job, stage: Stage) {
    if let Some(making) = &mut job.making {
        making.stage = stage;
    }
}

fn clips_shown(job: &Job) -> Vec<Shown> {
    match job.making.as_ref().map(|making| &making.stage) {
        Some(Stage::Cutting { clips, .. }) => {
            clips.iter().map(|clip| Shown { scene: clip.scene.clone(), take: clip.take }).collect()
        }
        _ => Vec::new(),
    }
}

fn mixing(job: &Job) -> Option<(u32, CutFile)> {
    match &job.making.as_ref()?.stage {
        Stage::Mixing { soundtrack_take, cut, .. } => Some((*soundtrack_take, cut.clone())),
        _ => None,
    }
}

/// A completed job keeps its video when a new cut fails; otherwise the job's own end follows.
fn fail_cut(job: &mut Job, reason: &str) {
    if job.status == JobStatus::Completed {
        job.making = None;
        job.next_cut_error = Some(reason.to_owned());
    } else {
        set_stage(job, Stage::Failed { reason: reason.to_owned() });
    }
}

fn fail_mix(job: &mut Job, reason: &str) {
    if job.status == JobStatus::Completed {
        job.making = None;
        job.next_cut_error = Some(reason.to_owned());
    } else if let Some((_, cut)) = mixing(job) {
        set_stage(job, Stage::Unmixed { reason: reason.to_owned(), cut });
    }
}
