//! The requests that a cut needs, each recorded before it is made.

use crate::digest::digest;
use crate::input::{CutClip, MixInput, RenderInput, SoundtrackInput, SoundtrackPart};
use crate::keys::Key;
use crate::models;
use crate::state::{CutFile, Job, Making, Scene};
use crate::{BlobRef, JobEvent};

/// A request for every scene that wants a take, and for a wanted soundtrack.
pub(super) fn wanted(job: &Job, making: &Making) -> Vec<JobEvent> {
    let takes = job.scenes.iter().filter(|scene| scene.wanted).map(|scene| take(job, making, scene));
    let soundtrack = job.soundtrack.wanted.then(|| soundtrack(job));
    takes.chain(soundtrack).collect()
}

/// Whether [`wanted`] has anything in it.
pub(super) fn is_any_wanted(job: &Job) -> bool {
    job.soundtrack.wanted || job.scenes.iter().any(|scene| scene.wanted)
}

fn take(job: &Job, making: &Making, scene: &Scene) -> JobEvent {
    let input = render_input(job, scene);
    let take = scene.takes.last().map_or(0, |take| take.number) + 1;
    let number = scene.spec.number;
    JobEvent::SceneTakeRequested {
        cut: making.cut,
        scene: scene.spec.id.clone(),
        number,
        take,
        key: Key::Take { job: job.id, scene: number, take }.to_string(),
        digest: digest(&input),
        input,
    }
}

fn render_input(job: &Job, scene: &Scene) -> RenderInput {
    let draft = &scene.spec.draft;
    let model = models::find(&job.model);
    RenderInput {
        model: job.model.clone(),
        prompt: one_line(&draft.prompt),
        seconds: draft.billed_seconds,
        aspect_ratio: model.and_then(|model| model.aspect_to_send(job.aspect_ratio.as_deref())),
        resolution: model
            .map(|model| model.resolution_to_send(job.resolution.as_deref(), draft.billed_seconds))
            .unwrap_or_default(),
        first_frame: draft.first_frame.clone(),
        last_frame: draft.last_frame.clone(),
    }
}

/// White space of any kind becomes one blank: providers have refused prompts with line breaks.
fn one_line(prompt: &str) -> String {
    prompt.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn soundtrack(job: &Job) -> JobEvent {
    let part = |scene: &Scene| SoundtrackPart {
        title: scene.spec.draft.title.clone(),
        description: scene.spec.draft.description.clone(),
        music: scene.spec.draft.music.clone(),
        duration_ms: i64::from(scene.spec.draft.billed_seconds) * 1_000,
    };
    let input = SoundtrackInput {
        duration_ms: i64::from(job.planned_seconds()) * 1_000,
        prompt: job.soundtrack.prompt.clone(),
        parts: job.scenes.iter().map(part).collect(),
    };
    let take = job.soundtrack.last().map_or(0, |take| take.number) + 1;
    JobEvent::SoundtrackRequested {
        take,
        key: Key::Soundtrack { job: job.id, take }.to_string(),
        digest: digest(&input),
        input,
    }
}

/// The silent video from the chosen takes, in the order of the scenes.
pub(super) fn cut(job: &Job, making: &Making) -> JobEvent {
    let clip = |scene: &Scene| {
        let clip = scene.clip()?;
        Some(CutClip {
            scene: scene.spec.id.clone(),
            number: scene.spec.number,
            take: scene.chosen?,
            clip: clip.video.clone(),
            duration_ms: clip.duration_ms,
        })
    };
    let clips: Vec<CutClip> = job.scenes.iter().filter_map(clip).collect();
    JobEvent::CutRequested {
        cut: making.cut,
        key: Key::Cut { job: job.id, cut: making.cut }.to_string(),
        digest: digest(&clips),
        clips,
    }
}

/// The cut with the soundtrack under it.
pub(super) fn mix(job: &Job, making: &Making, cut: &CutFile, audio: &BlobRef) -> JobEvent {
    let input =
        MixInput { video: cut.video.clone(), duration_ms: cut.duration_ms, soundtrack: audio.clone() };
    JobEvent::MixRequested {
        cut: making.cut,
        key: Key::Mix { job: job.id, cut: making.cut }.to_string(),
        digest: digest(&input),
        input,
    }
}
