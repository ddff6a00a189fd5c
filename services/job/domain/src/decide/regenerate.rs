//! Buying again: only by a person, only what is settled.

use super::edit::cut_for_new_scenes;
use crate::imported::STAYS;
use crate::state::{Job, JobStatus, SceneStatus, Stage};
use crate::{JobEvent, Refusal, view};

pub(super) fn scenes(job: &Job, wanted: Vec<String>) -> Result<Vec<JobEvent>, Refusal> {
    let mut scenes: Vec<String> = Vec::new();
    for id in wanted {
        let scene = job.scene(&id).ok_or_else(|| Refusal::SceneNotFound { scene: id.clone() })?;
        if job.status == JobStatus::Canceled {
            return Err(refuse(Some(id), "Job is canceled"));
        }
        if job.imported.is_some() {
            return Err(refuse(Some(id), STAYS));
        }
        // What a person wrote down buys nothing.
        let status = view::actual_status(job, scene);
        if !matches!(status, SceneStatus::Completed | SceneStatus::Failed) {
            return Err(refuse(Some(id), &format!("Scene is currently {}", status.as_str())));
        }
        if !scenes.contains(&id) {
            scenes.push(id);
        }
    }
    if job.imported.is_some() {
        return Err(refuse(None, STAYS));
    }
    if scenes.is_empty() {
        check_cut_only(job)?;
    }
    let cut = cut_for_new_scenes(job);
    // A person who asks for a better video gets another try at music that failed.
    let soundtrack = job.soundtrack.enabled && !job.soundtrack.is_open() && job.soundtrack.ready().is_none();
    Ok(vec![JobEvent::RegenerationRequested { cut, scenes, soundtrack }])
}

fn refuse(scene: Option<String>, reason: &str) -> Refusal {
    Refusal::NotRegenerable { scene, reason: reason.to_owned() }
}

/// Naming no scene asks for a new cut from the clips that are there: for a job that failed after rendering.
fn check_cut_only(job: &Job) -> Result<(), Refusal> {
    let has_clips = job.scenes.iter().any(|scene| scene.chosen.is_some());
    match job.status {
        JobStatus::Failed if has_clips => Ok(()),
        JobStatus::Completed if job.next_cut_error.is_some() && job.making.is_none() => Ok(()),
        _ => Err(refuse(None, "Name the scenes to regenerate")),
    }
}

pub(super) fn soundtrack(job: &Job) -> Result<Vec<JobEvent>, Refusal> {
    let refuse = |reason: String| Err(Refusal::NoSoundtrack { reason });
    let status = job.status.as_str();
    if job.imported.is_some() {
        return refuse(STAYS.to_owned());
    }
    match job.status {
        JobStatus::Completed | JobStatus::Processing => {}
        JobStatus::Failed => {
            return refuse("Job is failed and has no video; regenerate its scenes instead".to_owned());
        }
        _ => return refuse(format!("Job is currently {status}")),
    }
    if job.soundtrack.is_open() {
        return refuse("Soundtrack is currently processing".to_owned());
    }
    let cut = match &job.making {
        Some(making) if matches!(making.stage, Stage::Rendering | Stage::Cutting { .. } | Stage::Cut(_)) => {
            making.cut
        }
        _ => job.cuts + 1,
    };
    Ok(vec![JobEvent::RegenerationRequested { cut, scenes: Vec::new(), soundtrack: true }])
}
