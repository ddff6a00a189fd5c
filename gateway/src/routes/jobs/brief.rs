//! A job from a creative brief, as the older API spelled it, over the photos of the brief's campaign.

mod read;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use kit::ServiceError;
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    super::{older::Meta, reply::Reply, text},
    create::{self, CreatedJob, Made},
    dry_run::{self, DryRun},
};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields},
    problem::{JOBS, Problem, ProblemSchema},
};

/// A creative brief. snake_case names are accepted too.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct CreativeBrief {
    context: BriefContext,
    ad_basics: AdBasics,
    creative: Creative,
    advanced: Option<Advanced>,
    /// False: a silent video.
    generate_audio: Option<bool>,
    /// `template` draws the storyboard without a language model.
    planner: Option<String>,
    /// True: nothing is made; the answer is what the job would be and cost.
    dry_run: Option<bool>,
    /// With `dryRun`: draws the storyboard, with a language model when one is configured.
    plan: Option<bool>,
}

/// Whose brief it is.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct BriefContext {
    /// An existing campaign: the film shows its photos.
    campaign_id: String,
    /// The campaign's when absent.
    client_id: Option<String>,
}

/// What the film is to say.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct AdBasics {
    product: String,
    target_audience: String,
    key_message: String,
    call_to_action: String,
}

/// How the film is to say it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct Creative {
    video_specs: VideoSpecs,
    direction: Direction,
    /// Only these photos; all of the campaign's when absent.
    assets: Option<Vec<BriefAsset>>,
}

/// The film's measures.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct VideoSpecs {
    /// Seconds wanted in all, at most 60.
    duration: f64,
    /// `16:9` or `9:16`.
    format: Option<String>,
    resolution: Option<String>,
}

/// The film's looks.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct Direction {
    style: String,
    tone: Option<String>,
    visual_elements: Option<Vec<String>>,
    music_style: Option<String>,
}

/// A photo of the campaign.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct BriefAsset {
    asset_id: String,
}

/// What most briefs leave out.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct Advanced {
    /// Models, best first: `veo3` or `hailuo-02`.
    model_preferences: Option<Vec<String>>,
    resolution: Option<String>,
}

/// The job, in this API's words and in those of the older one.
#[derive(Serialize, ToSchema)]
pub(crate) struct BriefJob {
    #[serde(flatten)]
    job: CreatedJob,
    data: BriefJobData,
    meta: Meta,
}

/// The job in the older API's words.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BriefJobData {
    id: String,
    job_id: i32,
    status: String,
    video_name: String,
    campaign_id: String,
    #[schema(required)]
    client_id: Option<String>,
    /// Photos that the storyboard shows.
    asset_ids: Vec<String>,
    #[schema(value_type = Vec<Object>)]
    scenes: Vec<Value>,
    estimated_cost: f64,
    currency: &'static str,
    /// RFC 3339, UTC.
    created_at: String,
    updated_at: String,
}

/// What the job would be and cost, in this API's words and in those of the older one.
#[derive(Serialize, ToSchema)]
pub(crate) struct BriefDryRun {
    #[serde(flatten)]
    dry_run: DryRun,
    data: BriefEstimate,
    meta: Meta,
}

/// The price in the older API's words.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BriefEstimate {
    estimated_cost: f64,
    currency: &'static str,
    breakdown: EstimateParts,
    /// RFC 3339, UTC.
    valid_until: String,
}

/// What the price is made of, USD.
#[derive(Serialize, ToSchema)]
pub(crate) struct EstimateParts {
    storyboard_generation: f64,
    image_generation: f64,
    video_rendering: f64,
}

/// Makes a job from a creative brief and the photos of its campaign.
#[utoipa::path(
    post, path = "/api/v3/jobs", tag = "Jobs", operation_id = "create_job_from_brief",
    request_body = CreativeBrief,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 200, description = "With `dryRun`: what it would be and cost", body = BriefDryRun),
        (status = 201, description = "Made; nothing is spent before approval", body = BriefJob),
        (status = 400, description = "No campaign, or too few images in it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "No storyboard could be made; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_from_brief(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    let request = read::brief(&params, command_id)?;
    match create::made(&app, &params, request, JOBS.family()).await?.map_err(refused)? {
        Made::Job(job) => Ok(Reply::created(BriefJob::of(&app, &job)).into_response()),
        Made::DryRun(dry_run) => Ok(Reply::ok(BriefDryRun::of(&app, *dry_run)).into_response()),
    }
}

/// Says what a job from a creative brief would be and cost. Nothing is stored and nothing is spent.
#[utoipa::path(
    post, path = "/api/v3/jobs/dry-run", tag = "Jobs", operation_id = "dry_run_job",
    request_body = CreativeBrief,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses(
        (status = 200, description = "What it would be and cost", body = BriefDryRun),
        (status = 400, description = "No campaign, or too few images in it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "No storyboard could be made; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn dry_run_from_brief(
    State(app): State<App>,
    _: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<BriefDryRun>, Problem> {
    let request = read::brief(&params, String::new())?;
    let mut fields = Fields::of(&params);
    let plan = create::flag(&mut fields, "plan");
    fields.finish(JOBS.family())?;
    let estimate = dry_run::estimate(&app, request, plan).await.map_err(refused)?;
    Ok(Reply::ok(BriefDryRun::of(&app, estimate)))
}

/// Rejected fields under the names that the brief has for them.
fn refused(mut error: ServiceError) -> Problem {
    for (field, _) in &mut error.violations {
        if let Some((_, own)) = read::NAMES.iter().find(|(name, _)| name == field) {
            (*own).clone_into(field);
        }
    }
    create::refused(error, JOBS.family())
}

impl BriefJob {
    fn of(app: &App, job: &pb::Job) -> Self {
        let storyboard = text::json(&job.storyboard_json);
        let scenes = storyboard.and_then(|board| board["scenes"].as_array().cloned()).unwrap_or_default();
        let mut asset_ids: Vec<String> = Vec::new();
        for id in job.scenes.iter().flat_map(|scene| [&scene.first_asset_id, &scene.last_asset_id]) {
            if !asset_ids.contains(id) {
                asset_ids.push(id.clone());
            }
        }
        Self {
            job: CreatedJob::with_terms(app, job),
            data: BriefJobData {
                id: job.id.to_string(),
                job_id: job.id,
                status: job.status.clone(),
                video_name: job.video_name.clone(),
                campaign_id: job.campaign_id.clone(),
                client_id: job.client_id.clone(),
                asset_ids,
                scenes,
                estimated_cost: text::dollars(job.estimated_cost_micros),
                currency: super::view::CURRENCY,
                created_at: job.created_at.clone(),
                updated_at: job.updated_at.clone(),
            },
            meta: Meta::at(&job.created_at),
        }
    }
}

impl BriefDryRun {
    fn of(app: &App, dry_run: DryRun) -> Self {
        let parts = &dry_run.breakdown;
        let data = BriefEstimate {
            estimated_cost: dry_run.estimated_cost,
            currency: super::view::CURRENCY,
            breakdown: EstimateParts {
                storyboard_generation: parts.storyboard_generation,
                image_generation: parts.image_generation,
                video_rendering: parts.video_rendering,
            },
            valid_until: dry_run.valid_until.clone(),
        };
        Self { dry_run, data, meta: Meta::now(app) }
    }
}
