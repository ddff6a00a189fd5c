//! The fold of what happens to scenes and their takes.

use crate::event::JobEvent;
use crate::scene::SceneSpec;
use crate::state::{Clip, Job, JobStatus, Override, Scene, Shown, Take, TakeState};

pub(super) fn apply(job: &mut Job, event: &JobEvent, at_ms: i64) {
    match event {
        JobEvent::StoryboardDrafted { planner, scenes, estimate_micros } => {
            job.planner.clone_from(planner);
            job.estimate_micros = *estimate_micros;
            job.scenes = scenes.iter().map(|spec| new_scene(spec, at_ms)).collect();
        }
        JobEvent::SceneEdited { scene, changes, billed_seconds, estimate_micros } => {
            job.estimate_micros = *estimate_micros;
            if let Some(scene) = find(job, scene) {
                changes.apply(&mut scene.spec.draft);
                scene.spec.draft.billed_seconds = *billed_seconds;
                scene.updated_at_ms = at_ms;
            }
        }
        JobEvent::SceneOverridden { scene, shown } => {
            if let Some(scene) = find(job, scene) {
                let before = scene.overridden.take().unwrap_or_default();
                scene.overridden = Some(Override {
                    status: shown.status.or(before.status),
                    provider_id: shown.provider_id.clone().or(before.provider_id),
                });
                scene.updated_at_ms = at_ms;
            }
        }
        JobEvent::SceneRemoved { scene, estimate_micros, cut } => {
            job.estimate_micros = *estimate_micros;
            remove(job, scene, at_ms);
            if let Some(cut) = cut {
                super::begin_cut(job, *cut);
            }
        }
        JobEvent::SceneReordered { order } => {
            let place = |scene: &Scene| order.iter().position(|id| *id == scene.spec.id);
            job.scenes.sort_by_key(|scene| place(scene).unwrap_or(usize::MAX));
            number_places(job);
        }
        JobEvent::SceneTakeRequested { cut, scene, take, key, digest, input, .. } => {
            let take = Take {
                number: *take,
                cut: *cut,
                key: key.clone(),
                digest: digest.clone(),
                input: input.clone(),
                state: TakeState::Requested,
                attempt: 0,
                provider_id: None,
                cost_micros: 0,
                requested_at_ms: at_ms,
                settled_at_ms: None,
            };
            request(job, scene, take, at_ms);
        }
        _ => take(job, event, at_ms),
    }
}

fn take(job: &mut Job, event: &JobEvent, at_ms: i64) {
    match event {
        JobEvent::SceneAttemptStarted { scene, take, attempt, provider_id, .. } => {
            change_take(job, scene, *take, at_ms, |scene, take| {
                *scene.overridden = None;
                take.attempt = *attempt;
                take.provider_id = Some(provider_id.clone());
            });
        }
        JobEvent::SceneRendered {
            scene, take, clip, poster, duration_ms, cost_micros, provider_id, ..
        } => {
            let clip = Clip { video: clip.clone(), poster: poster.clone(), duration_ms: *duration_ms };
            change_take(job, scene, *take, at_ms, |scene, take| {
                *scene.overridden = None;
                *scene.chosen = Some(take.number);
                take.state = TakeState::Rendered(clip);
                take.cost_micros = *cost_micros;
                take.provider_id = provider_id.clone().or(take.provider_id.take());
                take.settled_at_ms = Some(at_ms);
            });
        }
        JobEvent::SceneFailed { scene, take, code, reason, retryable, cost_micros, provider_id, .. } => {
            change_take(job, scene, *take, at_ms, |scene, take| {
                *scene.overridden = None;
                take.state =
                    TakeState::Failed { code: code.clone(), reason: reason.clone(), retryable: *retryable };
                take.cost_micros = *cost_micros;
                take.provider_id = provider_id.clone().or(take.provider_id.take());
                take.settled_at_ms = Some(at_ms);
            });
        }
        // These two change nothing that the scene is shown with: an override outlasts them.
        JobEvent::SceneTakeClosed { scene, take, reason, cost_micros, .. } => {
            change_take(job, scene, *take, at_ms, |_, take| {
                take.state = TakeState::Closed { reason: reason.clone() };
                take.cost_micros = *cost_micros;
                take.settled_at_ms = Some(at_ms);
            });
        }
        JobEvent::SceneTakeCharged { scene, take, cost_micros, .. } => {
            change_take(job, scene, *take, at_ms, |_, take| take.cost_micros = *cost_micros);
        }
        _ => {}
    }
}

fn new_scene(spec: &SceneSpec, at_ms: i64) -> Scene {
    Scene {
        spec: spec.clone(),
        wanted: false,
        takes: Vec::new(),
        chosen: None,
        overridden: None,
        created_at_ms: at_ms,
        updated_at_ms: at_ms,
    }
}

fn find<'a>(job: &'a mut Job, id: &str) -> Option<&'a mut Scene> {
    job.scenes.iter_mut().chain(&mut job.removed).find(|scene| scene.spec.id == id)
}

fn remove(job: &mut Job, id: &str, at_ms: i64) {
    if let Some(place) = job.scenes.iter().position(|scene| scene.spec.id == id) {
        let mut scene = job.scenes.remove(place);
        scene.wanted = false;
        scene.updated_at_ms = at_ms;
        job.removed.push(scene);
        number_places(job);
    }
}

fn number_places(job: &mut Job) {
    for (index, scene) in (0..).zip(&mut job.scenes) {
        scene.spec.index = index;
    }
}

fn request(job: &mut Job, id: &str, take: Take, at_ms: i64) {
    if job.status == JobStatus::Approved {
        job.status = JobStatus::Processing;
    }
    if let Some(making) = &mut job.making {
        making.takes.push(Shown { scene: id.to_owned(), take: take.number });
    }
    if let Some(scene) = find(job, id) {
        scene.wanted = false;
        scene.overridden = None;
        scene.updated_at_ms = at_ms;
        scene.takes.push(take);
    }
}

/// What is beside a scene's takes and changes with them.
struct Beside<'a> {
    chosen: &'a mut Option<u32>,
    overridden: &'a mut Option<Override>,
}

fn change_take(job: &mut Job, id: &str, number: u32, at_ms: i64, change: impl FnOnce(Beside<'_>, &mut Take)) {
    let Some(scene) = find(job, id) else { return };
    scene.updated_at_ms = at_ms;
    if let Some(take) = scene.takes.iter_mut().find(|take| take.number == number) {
        let beside = Beside { chosen: &mut scene.chosen, overridden: &mut scene.overridden };
        change(beside, take);
    }
}
