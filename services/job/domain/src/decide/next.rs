//! What follows from where a job is: the next requests, the next cut, the end.

mod ending;
pub(super) mod requests;

use super::wish;
use crate::JobEvent;
use crate::state::{CutFile, Job, Making, Scene, Stage};

/// The next facts to record, one step: empty when the job waits for a person or a worker.
///
/// Each step leads to a state in which it is not taken again, so folding the answer and asking again comes to rest.
#[must_use]
pub fn next(job: &Job) -> Vec<JobEvent> {
    let Some(making) = &job.making else { return wish::next(job).into_iter().collect() };
    let mut wanted = requests::wanted(job, making);
    keep_to_the_limit(job, &mut wanted);
    if wanted.is_empty() {
        wanted.extend(wish::next(job));
    }
    if !wanted.is_empty() {
        return wanted;
    }
    let event = match &making.stage {
        Stage::Rendering => rendered(job, making),
        Stage::Cutting { .. } | Stage::Mixing { .. } => None,
        Stage::Cut(cut) => sound(job, making, cut),
        Stage::Mixed { .. } | Stage::Unmixed { .. } => ending::finish(job, making),
        Stage::Failed { reason } => Some(ending::fail(job, making, reason.clone())),
    };
    event.into_iter().collect()
}

/// Whether [`next`] has anything in it; cheap where it has much.
#[must_use]
pub fn has_next(job: &Job) -> bool {
    match &job.making {
        Some(_) => (room(job) > 0 && requests::is_any_wanted(job)) || !next(job).is_empty(),
        None => wish::next(job).is_some(),
    }
}

fn has_open_take(scene: &Scene) -> bool {
    scene.takes.iter().any(crate::state::Take::is_outstanding)
}

/// How many more scenes may be rendered now, by the terms of the job.
fn room(job: &Job) -> usize {
    let Some(most) = job.terms.max_in_flight else { return usize::MAX };
    let scenes = job.scenes.iter().chain(&job.removed);
    let out = scenes.filter(|scene| has_open_take(scene)).count();
    (most.max(1) as usize).saturating_sub(out)
}

/// Takes for which there is no room yet are asked for once one is over.
fn keep_to_the_limit(job: &Job, wanted: &mut Vec<JobEvent>) {
    let mut room = room(job);
    wanted.retain(|event| match event {
        JobEvent::SceneTakeRequested { .. } if room == 0 => false,
        JobEvent::SceneTakeRequested { .. } => {
            room -= 1;
            true
        }
        _ => true,
    });
}

/// Once no take is out or wanted any more: a cut of the clips that are there, or the end.
fn rendered(job: &Job, making: &Making) -> Option<JobEvent> {
    if job.scenes.iter().any(|scene| scene.wanted || has_open_take(scene)) {
        return None;
    }
    let shown = job.shown();
    if shown.is_empty() {
        return Some(ending::fail(job, making, ending::nothing_rendered(job)));
    }
    match &job.last_cut {
        Some(cut) if cut.shown == shown => same_picture(job, making, cut),
        _ => Some(requests::cut(job, making)),
    }
}

/// The clips are those of the newest cut: it is used again, and only the sound may be new.
fn same_picture(job: &Job, making: &Making, cut: &CutFile) -> Option<JobEvent> {
    if job.soundtrack.is_open() {
        return None;
    }
    let Some(master) = &job.master else { return sound(job, making, cut) };
    let sound_take = job.soundtrack.ready().map(|(take, _)| take).filter(|take| is_for_the_video(job, *take));
    if master.shown != cut.shown || master.soundtrack_take != sound_take {
        return sound(job, making, cut);
    }
    match ending::what_failed(job, making) {
        Some(reason) => Some(ending::fail(job, making, reason)),
        None => Some(ending::keep(job, making, master)),
    }
}

/// The silent video is there: it is mixed once the soundtrack is settled, or goes out silent.
fn sound(job: &Job, making: &Making, cut: &CutFile) -> Option<JobEvent> {
    if job.soundtrack.is_open() {
        return None;
    }
    match job.soundtrack.ready().filter(|(take, _)| is_for_the_video(job, *take)) {
        Some((take, audio)) => Some(requests::mix(job, making, cut, (take, audio))),
        None => Some(ending::silent(job, making, cut, None)),
    }
}

/// Whether a soundtrack goes under the video: the job's own by the settings that it was made under, a wished one by
/// its wish.
fn is_for_the_video(job: &Job, take: u32) -> bool {
    let is_own = job.soundtrack.take(take).is_none_or(|take| take.wish.is_none());
    !is_own || job.terms.merge_audio
}
