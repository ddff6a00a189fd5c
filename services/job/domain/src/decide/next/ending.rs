//! How a cut ends: a video, a better video, or a reason.

use crate::state::{CutFile, Job, JobStatus, Making, Master, Outcome, Scene, Stage, TakeState};
use crate::{JobEvent, view};

/// The end with what the stage holds.
pub(super) fn finish(job: &Job, making: &Making) -> Option<JobEvent> {
    match &making.stage {
        Stage::Mixed { video, poster, duration_ms, soundtrack_take, cut } => {
            let master = Master {
                video: video.clone(),
                poster: poster.clone().or_else(|| cut.poster.clone()),
                duration_ms: *duration_ms,
                silent: cut.video.clone(),
                soundtrack_take: Some(*soundtrack_take),
                shown: cut.shown.clone(),
            };
            Some(end(job, making, master, None))
        }
        Stage::Unmixed { reason, cut } => Some(silent(job, making, cut, Some(reason))),
        _ => None,
    }
}

/// The end without sound.
pub(super) fn silent(job: &Job, making: &Making, cut: &CutFile, unmixed: Option<&str>) -> JobEvent {
    let master = Master {
        video: cut.video.clone(),
        poster: cut.poster.clone(),
        duration_ms: cut.duration_ms,
        silent: cut.video.clone(),
        soundtrack_take: None,
        shown: cut.shown.clone(),
    };
    end(job, making, master, unmixed)
}

/// The same video again, because it already shows what is wanted.
pub(super) fn keep(job: &Job, making: &Making, master: &Master) -> JobEvent {
    end(job, making, master.clone(), None)
}

fn end(job: &Job, making: &Making, master: Master, unmixed: Option<&str>) -> JobEvent {
    let missing: Vec<&Scene> = job.scenes.iter().filter(|scene| scene.chosen.is_none()).collect();
    let outcome = if missing.is_empty() { Outcome::Full } else { Outcome::Partial };
    let warnings = warnings(job, &master, &missing, unmixed);
    let (cut, actual_cost_micros) = (making.cut, view::actual_cost_micros(job));
    if job.status == JobStatus::Completed {
        JobEvent::CutReplaced { cut, outcome, master, actual_cost_micros, warnings }
    } else {
        JobEvent::JobCompleted { cut, outcome, master, actual_cost_micros, warnings }
    }
}

fn warnings(job: &Job, master: &Master, missing: &[&Scene], unmixed: Option<&str>) -> Vec<String> {
    let scene = |scene: &&Scene| {
        let reason = failure(scene).unwrap_or("it has no clip");
        format!("Scene {} is missing from the video: {reason}", scene.spec.number)
    };
    let mut warnings: Vec<String> = missing.iter().map(scene).collect();
    if let Some(reason) = unmixed {
        warnings.push(format!("The video is silent: the mix failed: {reason}"));
    } else if master.soundtrack_take.is_none() && job.soundtrack.enabled && job.terms.merge_audio {
        let reason = job.soundtrack.failure().unwrap_or("there is no soundtrack");
        warnings.push(format!("The video is silent: {reason}"));
    }
    let sound = master.soundtrack_take.and_then(|take| job.soundtrack.take(take));
    let missing = sound.and_then(|take| take.shortfall());
    warnings.extend(missing.map(|missing| format!("The soundtrack is not whole: {missing}")));
    warnings
}

/// The end without a video; a completed job only learns why there is no new cut.
pub(super) fn fail(job: &Job, making: &Making, reason: String) -> JobEvent {
    let cut = making.cut;
    if job.status == JobStatus::Completed {
        JobEvent::CutFailed { cut, code: "nothing_new".to_owned(), reason, retryable: true }
    } else {
        JobEvent::JobFailed { cut, reason }
    }
}

fn failure(scene: &Scene) -> Option<&str> {
    match &scene.last_take()?.state {
        TakeState::Failed { reason, .. } => Some(reason),
        _ => None,
    }
}

/// Why there is not one clip.
pub(super) fn nothing_rendered(job: &Job) -> String {
    let failures: Vec<(u32, &str)> =
        job.scenes.iter().filter_map(|scene| Some((scene.spec.number, failure(scene)?))).collect();
    match failures.as_slice() {
        [] => "There is no scene left to show".to_owned(),
        [(_, first), rest @ ..] if rest.iter().all(|(_, reason)| reason == first) => {
            format!("Every scene failed: {first}")
        }
        all => {
            let each: Vec<String> =
                all.iter().map(|(number, why)| format!("scene {number}: {why}")).collect();
            format!("Every scene failed: {}", each.join("; "))
        }
    }
}

/// What was bought for this cut and did not come, if nothing of it came.
pub(super) fn what_failed(job: &Job, making: &Making) -> Option<String> {
    let bought = making.takes.iter().filter_map(|shown| Some((job.scene(&shown.scene)?, shown.take)));
    let mut reasons = Vec::new();
    for (scene, take) in bought {
        if let Some(TakeState::Failed { reason, .. }) = scene.take(take).map(|take| &take.state) {
            reasons.push(format!("scene {}: {reason}", scene.spec.number));
        }
    }
    if let (Some(_), Some(reason)) = (making.soundtrack_take, job.soundtrack.failure()) {
        reasons.push(format!("soundtrack: {reason}"));
    }
    (!reasons.is_empty()).then(|| format!("The video stays as it was; {}", reasons.join("; ")))
}
