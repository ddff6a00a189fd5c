//! Writing down what a scene is to be shown with: in any state, and without touching its takes.

use crate::state::{Job, Override, SceneStatus};
use crate::{JobEvent, Refusal, Violation, view};

/// The longest id of a provider, in characters.
const LONGEST_ID: usize = 200;

pub(super) fn scene(job: &Job, id: &str, shown: Override) -> Result<Vec<JobEvent>, Refusal> {
    let scene = job.scene(id).ok_or_else(|| Refusal::SceneNotFound { scene: id.to_owned() })?;
    let mut wrong = Vec::new();
    if shown.status == Some(SceneStatus::Completed) && scene.clip().is_none() {
        wrong.push(Violation::new("status", "can't be completed: the scene has no clip"));
    }
    if shown.provider_id.as_ref().is_some_and(|given| given.chars().count() > LONGEST_ID) {
        wrong.push(Violation::new("provider_id", format!("should be at most {LONGEST_ID} character(s)")));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    let other_status = shown.status.is_some_and(|status| status != view::scene_status(job, scene));
    let known = view::provider_id(scene).unwrap_or_default();
    let other_id = shown.provider_id.as_deref().is_some_and(|given| given != known);
    if !other_status && !other_id {
        return Ok(Vec::new());
    }
    Ok(vec![JobEvent::SceneOverridden { scene: id.to_owned(), shown }])
}
