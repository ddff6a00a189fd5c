//! How a job is shown.

use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::{scenes::JobScene, text};
use crate::app::App;

/// What the API calls the only currency it knows.
pub(super) const CURRENCY: &str = "USD";

/// A job.
#[derive(Serialize, ToSchema)]
pub(crate) struct Job {
    job_id: i32,
    /// `image_pairs` or `property_photos`.
    r#type: String,
    /// `pending`, `approved`, `processing`, `completed`, `failed` or `canceled`.
    status: String,
    /// Of a completed job: `full`, or `partial` when some scenes are missing.
    #[schema(required)]
    outcome: Option<String>,
    video_name: String,
    #[schema(required)]
    campaign_id: Option<String>,
    #[schema(required)]
    client_id: Option<String>,
    /// Before anything is spent.
    estimated_cost: f64,
    /// Spent so far.
    actual_cost: f64,
    costs: Costs,
    /// 0 to 100.
    progress_percentage: u32,
    current_stage: String,
    progress: Progress,
    /// A newer cut that is being made while the old one stays playable.
    #[schema(required)]
    next_cut: Option<NextCut>,
    /// Why it failed, for a person.
    #[schema(required)]
    error: Option<String>,
    /// What a person should know although nothing failed.
    warnings: Vec<String>,
    #[schema(required, value_type = Option<Object>)]
    parameters: Option<Value>,
    /// `scenes` and `total_duration`.
    #[schema(required, value_type = Option<Object>)]
    storyboard: Option<Value>,
    scenes: Vec<JobScene>,
    /// The video that plays now.
    #[schema(required)]
    video_url: Option<String>,
    /// Seconds.
    #[schema(required)]
    video_duration: Option<f64>,
    audio_status: String,
    /// Who drew the storyboard: `xai` or `template`.
    planner: String,
    video_model: String,
    links: JobLinks,
    /// RFC 3339, UTC.
    created_at: String,
    inserted_at: String,
    updated_at: String,
}

/// Money, in `currency`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Costs {
    estimated: f64,
    currency: &'static str,
}

impl Costs {
    pub(crate) fn of(job: &pb::Job) -> Self {
        Self { estimated: text::dollars(job.estimated_cost_micros), currency: CURRENCY }
    }
}

/// How far a cut is.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// 0 to 100; only moves forward within a cut.
    pub(crate) percentage: u32,
    pub(crate) stage: String,
    pub(crate) total_scenes: u32,
    pub(crate) completed_scenes: u32,
    pub(crate) processing_scenes: u32,
    pub(crate) failed_scenes: u32,
}

impl From<Option<pb::Progress>> for Progress {
    fn from(progress: Option<pb::Progress>) -> Self {
        let progress = progress.unwrap_or_default();
        Self {
            percentage: progress.percentage,
            stage: if progress.stage.is_empty() { "unknown".to_owned() } else { progress.stage },
            total_scenes: progress.total_scenes,
            completed_scenes: progress.completed_scenes,
            processing_scenes: progress.processing_scenes,
            failed_scenes: progress.failed_scenes,
        }
    }
}

/// A newer cut being made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NextCut {
    /// Null when the attempt at it has failed.
    #[schema(required)]
    progress: Option<Progress>,
    #[schema(required)]
    error: Option<String>,
}

/// Links that a browser can open as they are; signed, and good for a while, when keys are needed.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobLinks {
    #[serde(rename = "self")]
    itself: String,
    approve: String,
    cancel: String,
    scenes: String,
    /// Server-Sent Events.
    events: String,
    #[schema(required)]
    video: Option<String>,
    #[schema(required)]
    thumbnail: Option<String>,
    #[schema(required)]
    audio: Option<String>,
}

impl JobLinks {
    pub(crate) fn of(app: &App, job: &pb::Job) -> Self {
        Self::signed(job, |path| app.link(path))
    }

    /// Of a job that was just made, or is told of again because its request was sent again.
    pub(crate) fn of_new(app: &App, job: &pb::Job) -> Self {
        match job.created_at.parse() {
            Ok(time) => Self::signed(job, |path| app.link_since(path, time)),
            Err(_) => Self::of(app, job),
        }
    }

    fn signed(job: &pb::Job, link: impl Fn(&str) -> String) -> Self {
        let (this, id) = (format!("/api/v3/jobs/{}", job.id), job.id);
        let has_audio = job.audio.as_ref().is_some_and(|audio| audio.soundtrack.is_some());
        Self {
            approve: format!("{this}/approve"),
            cancel: format!("{this}/cancel"),
            scenes: format!("{this}/scenes"),
            events: link(&format!("{this}/events")),
            video: job.video.as_ref().map(|_| link(&format!("/api/v3/videos/{id}/combined"))),
            thumbnail: job.poster.as_ref().map(|_| link(&format!("/api/v3/videos/{id}/thumbnail"))),
            audio: has_audio.then(|| link(&format!("/api/v3/audio/{id}/download"))),
            itself: this,
        }
    }
}

impl Job {
    pub(crate) fn shown(app: &App, job: pb::Job) -> Self {
        let progress = Progress::from(job.progress.clone());
        Self {
            costs: Costs::of(&job),
            links: JobLinks::of(app, &job),
            scenes: job.scenes.iter().map(|scene| JobScene::shown(app, job.id, scene)).collect(),
            job_id: job.id,
            r#type: job.kind,
            status: job.status,
            outcome: job.outcome,
            video_name: job.video_name,
            campaign_id: text::filled(Some(job.campaign_id)),
            client_id: job.client_id,
            estimated_cost: text::dollars(job.estimated_cost_micros),
            actual_cost: text::dollars(job.actual_cost_micros),
            progress_percentage: progress.percentage,
            current_stage: progress.stage.clone(),
            progress,
            next_cut: job.next_cut.map(|next| NextCut {
                progress: next.progress.map(|progress| Progress::from(Some(progress))),
                error: next.error,
            }),
            error: job.error,
            warnings: job.warnings,
            parameters: text::json(&job.parameters_json),
            storyboard: text::json(&job.storyboard_json),
            video_url: job.video.map(|_| format!("/api/v3/videos/{}/combined", job.id)),
            video_duration: job.video_duration_ms.map(text::seconds),
            audio_status: job.audio.map_or_else(|| "not_started".to_owned(), |audio| audio.status),
            planner: job.planner,
            video_model: job.video_model,
            created_at: job.created_at.clone(),
            inserted_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}
