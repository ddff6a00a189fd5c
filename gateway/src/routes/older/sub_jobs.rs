//! The scenes of a job, as the older API called and showed them.

use axum::extract::State;
use protos::job::v1 as pb;
use serde::Serialize;
use utoipa::ToSchema;

use super::{PagedMeta, part};
use crate::{
    app::App,
    paging::{Bounds, Listed},
    params::{InPath, Params},
    problem::{JOBS, Problem, ProblemSchema},
    routes::{jobs, reply::Reply, scenes, text},
};

/// The scenes of a job, and how many are in which status.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubJobsReply {
    data: SubJobs,
    /// Always null; errors are problem documents.
    #[schema(required, value_type = Option<String>)]
    error: Option<&'static str>,
    meta: PagedMeta,
}

/// The scenes of a job.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubJobs {
    sub_jobs: Vec<SubJob>,
    summary: Summary,
}

/// How many scenes are in which status.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Summary {
    total: usize,
    pending: usize,
    processing: usize,
    completed: usize,
    failed: usize,
}

/// A scene.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubJob {
    id: String,
    job_id: i32,
    /// From 1.
    sub_job_number: i32,
    image1_asset_id: String,
    image2_asset_id: String,
    #[schema(required)]
    replicate_prediction_id: Option<String>,
    model_id: String,
    input_parameters: InputParameters,
    status: String,
    /// 0 to 1.
    progress: f64,
    /// The clip; signed, and good for a while, when keys are needed.
    #[schema(required)]
    video_url: Option<String>,
    /// SHA-256 of the clip.
    #[schema(required)]
    video_blob_id: Option<String>,
    /// Of the clip, seconds.
    #[schema(required)]
    duration_seconds: Option<f64>,
    /// Of one take, USD.
    estimated_cost: f64,
    /// Of all takes so far, USD.
    actual_cost: f64,
    #[schema(required)]
    error_message: Option<String>,
    /// Predictions of the newest take after the first.
    retry_count: u32,
    /// When the newest take was asked for.
    #[schema(required)]
    started_at: Option<String>,
    #[schema(required)]
    completed_at: Option<String>,
    created_at: String,
    updated_at: String,
}

/// What the video model is told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InputParameters {
    prompt: String,
    /// Seconds.
    duration: u32,
    first_asset_id: String,
    last_asset_id: String,
}

/// Lists the scenes of a job with what each was asked for, and what it cost.
#[utoipa::path(
    get, path = "/api/v3/jobs/{id}/sub-jobs", tag = "Jobs", operation_id = "list_sub_jobs",
    params(
        ("id" = String, Path, description = "Job id, an integer"),
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The scenes", body = SubJobsReply),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sub_jobs(
    State(app): State<App>,
    InPath(id): InPath<String>,
    params: Params,
) -> Result<Reply<SubJobsReply>, Problem> {
    let job = jobs::find(&app, &id).await?;
    let listed = Listed::new("sub-jobs", &[("job_id", Some(id.as_str()))]);
    let page = listed.page(&app.signer, &params, Bounds::WHOLE, JOBS.family())?;
    let mut summary = Summary { total: job.scenes.len(), ..Summary::default() };
    for scene in &job.scenes {
        match scene.status.as_str() {
            "pending" => summary.pending += 1,
            "processing" => summary.processing += 1,
            "completed" => summary.completed += 1,
            _ => summary.failed += 1,
        }
    }
    let (scenes, next) = scenes::paged(&job.scenes, page);
    let sub_jobs = scenes.into_iter().map(|scene| SubJob::of(&app, &job, scene)).collect();
    let data = SubJobs { sub_jobs, summary };
    let meta = PagedMeta::new(&app, listed.cursor(&app.signer, next));
    Ok(Reply::ok(SubJobsReply { data, error: None, meta }))
}

impl SubJob {
    fn of(app: &App, job: &pb::Job, scene: &pb::Scene) -> Self {
        let clip = format!("/api/v3/videos/{}/clips/{}.mp4", job.id, scene.id);
        let price = i64::from(scene.billed_seconds) * job.price_micros_per_second;
        Self {
            id: scene.id.clone(),
            job_id: job.id,
            sub_job_number: scene.index + 1,
            image1_asset_id: scene.first_asset_id.clone(),
            image2_asset_id: scene.last_asset_id.clone(),
            replicate_prediction_id: scene.provider_id.clone(),
            model_id: job.video_model.clone(),
            input_parameters: InputParameters {
                prompt: scene.prompt.clone(),
                duration: scene.billed_seconds,
                first_asset_id: scene.first_asset_id.clone(),
                last_asset_id: scene.last_asset_id.clone(),
            },
            status: scene.status.clone(),
            progress: part(scene.progress),
            video_url: scene.clip.as_ref().map(|_| app.link(&clip)),
            video_blob_id: scene.clip.as_ref().map(|clip| clip.sha256.clone()),
            duration_seconds: scene.clip_duration_ms.map(text::seconds),
            estimated_cost: text::dollars(price),
            actual_cost: text::dollars(scene.actual_cost_micros),
            error_message: scene.error.clone(),
            retry_count: scene.attempt.saturating_sub(1),
            started_at: scene.started_at.clone(),
            completed_at: scene.ended_at.clone(),
            created_at: scene.created_at.clone(),
            updated_at: scene.updated_at.clone(),
        }
    }
}
