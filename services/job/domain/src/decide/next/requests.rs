//! The requests that a cut needs, each recorded before it is made.

use crate::digest::digest;
use crate::input::{CutClip, MixInput, MixShape, RenderInput, SoundtrackInput, SoundtrackPart};
use crate::keys::Key;
use crate::models;
use crate::soundtrack_wish::SyncMode;
use crate::state::{CutFile, Job, Making, Scene};
use crate::{BlobRef, JobEvent, SoundtrackWish};

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

/// The job's own soundtrack.
fn soundtrack(job: &Job) -> JobEvent {
    let own = job.soundtrack.prompt.clone();
    soundtrack_request(job, soundtrack_input(job, own, &job.scenes, planned_ms), None)
}

/// A soundtrack by a person's wish, with the real length of each scene that has a clip. Once there is a cut, only those
/// are in the video, and no other is scored.
pub(in crate::decide) fn wished(job: &Job, wish: &SoundtrackWish) -> JobEvent {
    let prompt = wish.prompt.clone().or_else(|| job.soundtrack.prompt.clone());
    let real_ms = |scene: &Scene| scene.clip().map_or_else(|| planned_ms(scene), |clip| clip.duration_ms);
    let shown: Vec<&Scene> = job.scenes.iter().filter(|scene| scene.clip().is_some()).collect();
    let is_cut = job.last_cut.is_some() && !shown.is_empty();
    let scenes = if is_cut { shown } else { job.scenes.iter().collect() };
    let input = SoundtrackInput {
        on_error: Some(wish.on_error),
        fade_ms: (!wish.merge).then_some(wish.fade_ms),
        ..soundtrack_input(job, prompt, scenes, real_ms)
    };
    soundtrack_request(job, input, Some(wish.clone()))
}

fn planned_ms(scene: &Scene) -> i64 {
    i64::from(scene.spec.draft.billed_seconds) * 1_000
}

fn soundtrack_input<'a>(
    job: &Job,
    prompt: Option<String>,
    scenes: impl IntoIterator<Item = &'a Scene>,
    length_ms: impl Fn(&Scene) -> i64,
) -> SoundtrackInput {
    let part = |scene: &Scene| SoundtrackPart {
        title: scene.spec.draft.title.clone(),
        description: scene.spec.draft.description.clone(),
        music: scene.spec.draft.music.clone(),
        duration_ms: length_ms(scene),
    };
    let parts: Vec<SoundtrackPart> = scenes.into_iter().map(part).collect();
    let duration_ms = parts.iter().map(|part| part.duration_ms).sum();
    let voice = job.terms.voice.clone();
    SoundtrackInput { duration_ms, prompt, parts, on_error: None, fade_ms: None, voice }
}

fn soundtrack_request(job: &Job, input: SoundtrackInput, wish: Option<SoundtrackWish>) -> JobEvent {
    let take = job.soundtrack.last().map_or(0, |take| take.number) + 1;
    JobEvent::SoundtrackRequested {
        take,
        key: Key::Soundtrack { job: job.id, take }.to_string(),
        digest: digest(&input),
        input,
        wish,
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
    let digest = match &job.terms.overlay {
        None => digest(&clips),
        Some(overlay) => digest(&(&clips, overlay)),
    };
    JobEvent::CutRequested {
        cut: making.cut,
        key: Key::Cut { job: job.id, cut: making.cut }.to_string(),
        digest,
        clips,
    }
}

/// The cut with a soundtrack under it.
pub(super) fn mix(job: &Job, making: &Making, cut: &CutFile, (take, audio): (u32, &BlobRef)) -> JobEvent {
    let input = MixInput {
        video: cut.video.clone(),
        duration_ms: cut.duration_ms,
        soundtrack: audio.clone(),
        shape: mix_shape(job, take),
    };
    JobEvent::MixRequested {
        cut: making.cut,
        key: Key::Mix { job: job.id, cut: making.cut }.to_string(),
        digest: digest(&input),
        input,
    }
}

/// As the wish says, or the settings of the job; else the stitch worker's usual.
fn mix_shape(job: &Job, take: u32) -> Option<MixShape> {
    match job.soundtrack.take(take).and_then(|take| take.wish.as_ref()) {
        Some(wish) => Some(MixShape { sync: wish.sync, fade_ms: wish.fade_ms }),
        None => job.terms.music_fade_ms.map(|fade_ms| MixShape { sync: SyncMode::Trim, fade_ms }),
    }
}
