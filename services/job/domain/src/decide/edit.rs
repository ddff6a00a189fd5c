//! Changing the storyboard: edits and order are for pending jobs; a scene may also leave a job that is over.

use super::create::check_total;
use crate::imported::STAYS;
use crate::models::{self, Model};
use crate::scene::{MAX_TEXT, MAX_WORDS};
use crate::state::{Job, JobStatus, Stage};
use crate::storyboard::frames::check_frame;
use crate::{JobEvent, Refusal, SceneChanges, SceneDraft, Violation, estimate};
use std::collections::BTreeSet;

/// Checks a scene by itself: texts, length, frames.
pub(super) fn check_scene(at: &str, model: &Model, draft: &SceneDraft) -> Vec<Violation> {
    let mut wrong = Vec::new();
    for (name, text, required) in [
        ("title", &draft.title, true),
        ("description", &draft.description, false),
        ("prompt", &draft.prompt, true),
    ] {
        let field = join(at, name);
        if required && text.trim().is_empty() {
            wrong.push(Violation::new(field, "can't be blank"));
        } else if text.chars().count() > MAX_TEXT {
            wrong.push(Violation::new(field, format!("should be at most {MAX_TEXT} character(s)")));
        }
    }
    wrong.extend(model.check_length(&join(at, "duration"), draft.requested_ms).err());
    wrong.extend(check_frame(&join(at, "first_frame"), &draft.first_frame));
    wrong.extend(check_frame(&join(at, "last_frame"), &draft.last_frame));
    wrong
}

/// Words that people and planners sort scenes by are short.
fn check_words(changes: &SceneChanges) -> impl Iterator<Item = Violation> {
    let words = [
        ("transition", &changes.transition),
        ("scene_type", &changes.scene_type),
        ("camera_movement", &changes.camera_movement),
        ("motion_goal", &changes.motion_goal),
        ("music_description", &changes.music_description),
        ("music_style", &changes.music_style),
        ("music_energy", &changes.music_energy),
    ];
    words.into_iter().filter_map(|(field, words)| {
        let long = words.as_ref()?.chars().count() > MAX_WORDS;
        long.then(|| Violation::new(field, format!("should be at most {MAX_WORDS} character(s)")))
    })
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// The scene that is at a place now, edited.
pub(super) fn edit_at(job: &Job, index: u32, changes: SceneChanges) -> Result<Vec<JobEvent>, Refusal> {
    match job.scenes.iter().find(|scene| scene.spec.index == index) {
        Some(scene) => edit(job, &scene.spec.id, changes),
        None => Err(Refusal::SceneNotFound { scene: index.to_string() }),
    }
}

pub(super) fn edit(job: &Job, id: &str, changes: SceneChanges) -> Result<Vec<JobEvent>, Refusal> {
    let scene = job.scene(id).ok_or_else(|| Refusal::SceneNotFound { scene: id.to_owned() })?;
    if job.status != JobStatus::Pending {
        return Err(Refusal::NotEditable { status: job.status });
    }
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let model = models::require("video_model", &job.model).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
    let mut draft = scene.spec.draft.clone();
    changes.apply(&mut draft);
    draft.billed_seconds = model.billed(draft.requested_ms);
    let mut wrong = check_scene("", model, &draft);
    wrong.extend(check_words(&changes));
    if let Some(resolution) = &job.resolution {
        wrong.extend(model.check_resolution("duration", resolution, &[draft.billed_seconds]).err());
    }
    let others = job.planned_seconds() - scene.spec.draft.billed_seconds;
    wrong.extend(check_total("duration", others + draft.billed_seconds));
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    let drafts = job.scenes.iter().map(|other| if other.spec.id == id { &draft } else { &other.spec.draft });
    let estimate_micros = estimate::micros(drafts, job.price_micros_per_second);
    let billed_seconds = draft.billed_seconds;
    Ok(vec![JobEvent::SceneEdited { scene: id.to_owned(), changes, billed_seconds, estimate_micros }])
}

pub(super) fn reorder(job: &Job, order: Vec<String>) -> Result<Vec<JobEvent>, Refusal> {
    if job.status != JobStatus::Pending {
        return Err(Refusal::NotEditable { status: job.status });
    }
    let now: Vec<&String> = job.scenes.iter().map(|scene| &scene.spec.id).collect();
    let given: BTreeSet<&String> = order.iter().collect();
    if order.len() != now.len() || given != now.iter().copied().collect() {
        return Err(Refusal::invalid("order", "must name every scene of the job exactly once"));
    }
    if now.iter().copied().eq(&order) {
        return Ok(Vec::new());
    }
    Ok(vec![JobEvent::SceneReordered { order }])
}

pub(super) fn remove(job: &Job, id: &str) -> Result<Vec<JobEvent>, Refusal> {
    let scene = job.scene(id).ok_or_else(|| Refusal::SceneNotFound { scene: id.to_owned() })?;
    let refuse =
        |reason: &str| Err(Refusal::NotRemovable { scene: id.to_owned(), reason: reason.to_owned() });
    if job.imported.is_some() {
        return refuse(STAYS);
    }
    let mut estimate_micros = job.estimate_micros;
    let mut cut = None;
    match job.status {
        // Approved is processing that has not begun to ask: it leaves that state by itself at once.
        JobStatus::Approved | JobStatus::Processing => {
            return refuse("Cannot delete scene while job is processing");
        }
        JobStatus::Pending => {
            let price = i64::from(scene.spec.draft.billed_seconds) * job.price_micros_per_second;
            estimate_micros -= price;
        }
        JobStatus::Completed => {
            let other_clip = |other: &&crate::state::Scene| other.spec.id != id && other.chosen.is_some();
            if !job.scenes.iter().any(|other| other_clip(&other)) {
                return refuse("It is the only scene with a clip; the video would be empty");
            }
            cut = Some(cut_for_new_scenes(job));
        }
        JobStatus::Failed | JobStatus::Canceled => {}
    }
    Ok(vec![JobEvent::SceneRemoved { scene: id.to_owned(), estimate_micros, cut }])
}

/// The cut that a change of scenes belongs to: the one being made while its clips are still open, else a new one.
pub(super) fn cut_for_new_scenes(job: &Job) -> u32 {
    match &job.making {
        Some(making) if making.stage == Stage::Rendering => making.cut,
        _ => job.cuts + 1,
    }
}
