//! How far a job is: a percentage that only moves forward within a cut, and a stage word that clients know.

use crate::state::{Job, JobStatus, Making, Outcome, Scene, Stage, TakeState};

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// 0 to 100.
    pub percentage: u8,
    /// The stage word.
    pub stage: &'static str,
}

/// How far the new cut of a completed job is, or why the last one came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextCut {
    /// The cut's number.
    pub cut: u32,
    /// How far it is; none when nothing is being made.
    pub progress: Option<Progress>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// How far the job is. A completed job stays at 100 while a new cut is made.
#[must_use]
pub fn progress(job: &Job) -> Progress {
    let at = |percentage, stage| Progress { percentage, stage };
    match (job.status, &job.making) {
        (JobStatus::Pending, _) => at(0, "storyboard_ready"),
        (JobStatus::Approved, _) => at(0, "approved"),
        (JobStatus::Processing, Some(making)) => at(making.percentage, stage(job, making)),
        (JobStatus::Processing, None) => at(job.reached, "processing"),
        (JobStatus::Completed, _) if job.outcome == Some(Outcome::Partial) => at(100, "completed_partial"),
        (JobStatus::Completed, _) => at(100, "completed"),
        (JobStatus::Failed, _) => at(job.reached, "failed"),
        (JobStatus::Canceled, _) => at(job.reached, "canceled"),
    }
}

/// How far the new cut of a completed job is; none when there is nothing to say.
#[must_use]
pub fn next_cut(job: &Job) -> Option<NextCut> {
    if job.status != JobStatus::Completed {
        return None;
    }
    let making = job.making.as_ref();
    let progress = making.map(|making| Progress { percentage: making.percentage, stage: stage(job, making) });
    (progress.is_some() || job.next_cut_error.is_some()).then(|| NextCut {
        cut: making.map_or(job.cuts, |making| making.cut),
        progress,
        error: job.next_cut_error.clone(),
    })
}

/// The percentage that the state of a cut gives: 5 started, 10 to 75 over the scenes, 80, 90, 95.
pub(crate) fn percentage(job: &Job, making: &Making) -> u8 {
    match &making.stage {
        Stage::Rendering => rendering(job, making),
        Stage::Cutting { .. } | Stage::Failed { .. } => 80,
        Stage::Cut(_) => 90,
        Stage::Mixing { .. } | Stage::Mixed { .. } | Stage::Unmixed { .. } => 95,
    }
}

/// Takes bought for a cut: how many are over, failed, begun, and wanted in all.
struct Takes {
    over: usize,
    failed: usize,
    begun: usize,
    all: usize,
}

fn takes(job: &Job, making: &Making) -> Takes {
    let wanted = job.scenes.iter().filter(|scene| scene.wanted).count();
    let mut takes = Takes { over: 0, failed: 0, begun: 0, all: wanted };
    for bought in &making.takes {
        let Some(take) = job.scene(&bought.scene).and_then(|scene| scene.take(bought.take)) else { continue };
        takes.all += 1;
        takes.over += usize::from(!take.is_outstanding());
        takes.begun += usize::from(!take.is_outstanding() || take.attempt > 0);
        takes.failed += usize::from(matches!(take.state, TakeState::Failed { .. }));
    }
    takes
}

fn rendering(job: &Job, making: &Making) -> u8 {
    if making.takes.is_empty() && making.soundtrack_take.is_none() {
        return 0;
    }
    let takes = takes(job, making);
    if takes.begun == 0 {
        return 5;
    }
    let spread = 65 * takes.over / takes.all.max(1);
    10 + u8::try_from(spread).unwrap_or(65)
}

fn stage(job: &Job, making: &Making) -> &'static str {
    match &making.stage {
        Stage::Rendering => rendering_stage(&takes(job, making)),
        Stage::Cutting { .. } => "stitching_videos",
        Stage::Cut(_) if job.soundtrack.is_open() => "audio_generation_pending",
        Stage::Cut(_) => "stitching_complete",
        Stage::Mixing { .. } | Stage::Mixed { .. } | Stage::Unmixed { .. } => "audio_generation",
        Stage::Failed { .. } => "stitching_failed",
    }
}

fn rendering_stage(takes: &Takes) -> &'static str {
    match (takes.over, takes.failed) {
        (0, _) if takes.begun == 0 => "initializing",
        (0, _) => "starting_render",
        (over, 0) if over == takes.all => "rendering_complete",
        (over, _) if over == takes.all => "partial_rendering_complete",
        (_, 0) => "processing",
        _ => "processing_with_errors",
    }
}

/// How far one scene is, for a progress bar: 0 waiting, 10 asked for, 25 begun at the provider, 100 over.
#[must_use]
pub fn of_scene(scene: &Scene) -> u8 {
    match scene.last_take() {
        _ if scene.wanted => 0,
        None => 0,
        Some(take) if !take.is_outstanding() => 100,
        Some(take) if take.attempt > 0 => 25,
        Some(_) => 10,
    }
}
