//! What people see of a job: scene statuses and counts, costs, the storyboard and the state of the sound.

mod storyboard;

pub use storyboard::{parameters, scene_object, storyboard};

use crate::BlobRef;
use crate::estimate::{CURRENCY, usd};
use crate::state::{Clip, Job, JobStatus, Scene, SceneStatus, SoundtrackState, TakeState};

/// The name of a campaign's n-th video: `Spring 2`, or `Video 2` for a campaign without a name.
#[must_use]
pub fn video_name(campaign_name: &str, number: i64) -> String {
    let name = if campaign_name.is_empty() { "Video" } else { campaign_name };
    format!("{name} {number}")
}

/// Where a scene is shown to be: what a person wrote down, else where it is.
#[must_use]
pub fn scene_status(job: &Job, scene: &Scene) -> SceneStatus {
    let written_down = scene.overridden.as_ref().and_then(|shown| shown.status);
    written_down.unwrap_or_else(|| actual_status(job, scene))
}

/// Where a scene is, whatever a person wants it to be shown as: what decisions go by.
///
/// A scene whose newest take failed but which has an older clip is `completed`: the clip is in the video.
/// [`scene_failure`] still tells what happened to the newest take.
#[must_use]
pub fn actual_status(job: &Job, scene: &Scene) -> SceneStatus {
    let has_clip = scene.chosen.is_some();
    if job.status == JobStatus::Canceled {
        return if has_clip { SceneStatus::Completed } else { SceneStatus::Failed };
    }
    if scene.wanted {
        return SceneStatus::Pending;
    }
    match scene.last_take().map(|take| &take.state) {
        None => SceneStatus::Pending,
        Some(TakeState::Requested) => SceneStatus::Processing,
        Some(TakeState::Rendered(_)) => SceneStatus::Completed,
        Some(_) if has_clip => SceneStatus::Completed,
        Some(_) => SceneStatus::Failed,
    }
}

/// Why a scene has no clip, or why its newest take did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneFailure {
    /// Machine-readable code, such as `content_refused` or `canceled`.
    pub code: String,
    /// Why, in words.
    pub reason: String,
    /// Whether asking again might help.
    pub retryable: bool,
}

/// What went wrong with a scene's newest take.
#[must_use]
pub fn scene_failure(job: &Job, scene: &Scene) -> Option<SceneFailure> {
    if let Some(TakeState::Failed { code, reason, retryable }) = scene.last_take().map(|take| &take.state) {
        return Some(SceneFailure { code: code.clone(), reason: reason.clone(), retryable: *retryable });
    }
    let canceled = job.status == JobStatus::Canceled && scene.chosen.is_none();
    canceled.then(|| SceneFailure { code: "canceled".into(), reason: "canceled".into(), retryable: false })
}

/// The provider's id that a scene is shown with: what a person wrote down, else that of its newest prediction.
#[must_use]
pub fn provider_id(scene: &Scene) -> Option<&str> {
    match scene.overridden.as_ref().and_then(|shown| shown.provider_id.as_deref()) {
        Some(written_down) => Some(written_down).filter(|id| !id.is_empty()),
        None => scene.last_take()?.provider_id.as_deref(),
    }
}

/// The clip of a scene that is shown, if there is one.
#[must_use]
pub fn clip(scene: &Scene) -> Option<&Clip> {
    scene.clip()
}

/// How many scenes are in each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SceneCounts {
    /// All scenes.
    pub total: u32,
    /// Nothing asked for yet.
    pub pending: u32,
    /// A clip is being made.
    pub processing: u32,
    /// The clip is there.
    pub completed: u32,
    /// There is no clip, and a reason.
    pub failed: u32,
}

/// Counts the scenes by the status that they are shown with.
#[must_use]
pub fn counts(job: &Job) -> SceneCounts {
    let mut counts = SceneCounts::default();
    for scene in &job.scenes {
        counts.total += 1;
        match scene_status(job, scene) {
            SceneStatus::Pending => counts.pending += 1,
            SceneStatus::Processing => counts.processing += 1,
            SceneStatus::Completed => counts.completed += 1,
            SceneStatus::Failed => counts.failed += 1,
        }
    }
    counts
}

/// What a job costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// What the storyboard was estimated at, in micro-dollars.
    pub estimated_micros: i64,
    /// What the providers charged so far, in micro-dollars.
    pub actual_micros: i64,
    /// The estimate in dollars, rounded to cents.
    pub estimated: f64,
    /// The charges in dollars, rounded to cents.
    pub actual: f64,
    /// The currency.
    pub currency: &'static str,
}

/// Estimate and charges. Every take counts, also those that failed, were canceled or belong to removed scenes.
#[must_use]
pub fn costs(job: &Job) -> Costs {
    let actual_micros = actual_cost_micros(job);
    Costs {
        estimated_micros: job.estimate_micros,
        actual_micros,
        estimated: usd(job.estimate_micros),
        actual: usd(actual_micros),
        currency: CURRENCY,
    }
}

/// What the providers charged so far, in micro-dollars; of a job that was brought over, what was known there.
#[must_use]
pub fn actual_cost_micros(job: &Job) -> i64 {
    let takes = job.scenes.iter().chain(&job.removed).flat_map(|scene| &scene.takes);
    let sound = job.soundtrack.takes.iter().map(|take| take.cost_micros);
    let beside = job.imported.as_ref().map(|imported| imported.cost_micros);
    takes.map(|take| take.cost_micros).chain(sound).chain(beside).sum()
}

/// Numbers of the scenes that the playable video does not show.
#[must_use]
pub fn missing_scenes(job: &Job) -> Vec<u32> {
    let Some(master) = &job.master else { return Vec::new() };
    let shown = |scene: &&Scene| !master.shown.iter().any(|shown| shown.scene == scene.spec.id);
    job.scenes.iter().filter(shown).map(|scene| scene.spec.number).collect()
}

/// Where the sound is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioStatus {
    /// Nothing asked for yet.
    NotStarted,
    /// Wanted, not asked for yet.
    Pending,
    /// Being made.
    Generating,
    /// There, not under the video yet.
    Completed,
    /// There, and under the video.
    CompletedAndMerged,
    /// The job wants none.
    Skipped,
    /// There will be none.
    Failed,
}

impl AudioStatus {
    /// The word used outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Pending => "pending",
            Self::Generating => "generating",
            Self::Completed => "completed",
            Self::CompletedAndMerged => "completed_and_merged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// The sound of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Where it is.
    pub status: AudioStatus,
    /// The newest soundtrack.
    pub audio: Option<BlobRef>,
    /// When the newest one was asked for, in milliseconds since 1970.
    pub started_at_ms: Option<i64>,
    /// When it was made, in milliseconds since 1970.
    pub generated_at_ms: Option<i64>,
    /// Whether the playable video has sound.
    pub merged: bool,
    /// Why the newest one did not come, or why it is not under the video.
    pub error: Option<String>,
}

/// The state of the sound, apart from everything else.
#[must_use]
pub fn audio(job: &Job) -> Audio {
    let ready = job.soundtrack.takes.iter().rev().find_map(|take| match &take.state {
        SoundtrackState::Ready { audio, .. } => Some((take.number, audio, take.settled_at_ms)),
        _ => None,
    });
    let merged_take = job.master.as_ref().and_then(|master| master.soundtrack_take);
    let merged = merged_take.is_some();
    let is_settled = job.status == JobStatus::Completed && job.making.is_none();
    let mix_failed = is_settled && !merged && job.terms.merge_audio && job.soundtrack.ready().is_some();
    let silence = || job.warnings.iter().find(|warning| warning.contains("silent")).filter(|_| mix_failed);
    let error = job.soundtrack.newest_failure().map(str::to_owned).or_else(|| silence().cloned());
    Audio {
        status: audio_status(job, ready.map(|(take, ..)| take), merged_take),
        audio: ready.map(|(_, audio, _)| audio.clone()),
        started_at_ms: job.soundtrack.last().map(|take| take.requested_at_ms),
        generated_at_ms: ready.and_then(|(.., at_ms)| at_ms),
        merged,
        error,
    }
}

fn audio_status(job: &Job, ready: Option<u32>, merged: Option<u32>) -> AudioStatus {
    let soundtrack = &job.soundtrack;
    if soundtrack.wanted {
        return AudioStatus::Pending;
    }
    match (soundtrack.last().map(|take| &take.state), ready) {
        (Some(SoundtrackState::Requested), _) => AudioStatus::Generating,
        // What somebody wished comes after what there is.
        _ if !soundtrack.wishes.is_empty() => AudioStatus::Pending,
        (_, Some(take)) if merged == Some(take) => AudioStatus::CompletedAndMerged,
        (_, Some(_)) => AudioStatus::Completed,
        (Some(_), None) => AudioStatus::Failed,
        (None, None) if !soundtrack.enabled => AudioStatus::Skipped,
        (None, None) => AudioStatus::NotStarted,
    }
}

/// True when nothing more comes unless a person acts: the job is over, and so is the music that somebody wished.
#[must_use]
pub fn is_over(job: &Job) -> bool {
    let is_wished = match job.status {
        JobStatus::Canceled => false,
        JobStatus::Completed => job.soundtrack.merge_due || job.soundtrack.is_wished(),
        _ => job.soundtrack.is_wished(),
    };
    job.status.is_terminal() && job.making.is_none() && !is_wished
}

/// True when something is outstanding or follows, so that a runner should look at the job.
#[must_use]
pub fn is_due(job: &Job) -> bool {
    crate::has_outstanding(job) || crate::has_next(job)
}
