//! A job from everything that a campaign has.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    super::{reply::Reply, text},
    create::{self, Made},
    dry_run::DryRun,
    view::{Costs, JobLinks},
};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{CAMPAIGNS, Family, Kind, Problem, ProblemSchema},
};

/// What the contract takes when nothing is said.
const USUAL_SCENES: i32 = 4;
const USUAL_SECONDS: f64 = 4.0;
const USUAL_STYLE: &str = "modern";
const USUAL_GENRE: &str = "upbeat";

const FAMILY: Family = Family::Object;

/// What a film of a campaign should be; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct CampaignFilm {
    /// Scenes wanted, 4 when neither this nor `duration_seconds` is given; also `scene_count`.
    num_scenes: Option<i32>,
    /// Seconds wanted per scene, 4 when neither this nor `duration_seconds` is given.
    clip_duration: Option<f64>,
    /// Seconds wanted in all: says what `num_scenes` and `clip_duration` do not.
    duration_seconds: Option<f64>,
    /// What the film should look like, `modern` when absent.
    style: Option<String>,
    /// What its music should be, `upbeat` when absent.
    music_genre: Option<String>,
    client_id: Option<String>,
    /// `veo3` or `hailuo-02`; also `model`.
    video_model: Option<String>,
    aspect_ratio: Option<String>,
    resolution: Option<String>,
    /// The scene types allowed.
    property_types: Option<Vec<String>>,
    /// `template` draws the storyboard without a language model.
    planner: Option<String>,
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
    /// True: nothing is made; the answer is what the job would be and cost.
    dry_run: Option<bool>,
    /// With `dry_run`: draws the storyboard, with a language model when one is configured.
    plan: Option<bool>,
}

/// A job of the campaign that waits for approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignJobReply {
    data: CampaignJob,
    links: CampaignJobLinks,
}

/// A job of the campaign.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignJob {
    id: i32,
    r#type: String,
    status: String,
    campaign_id: String,
    #[schema(required)]
    client_id: Option<String>,
    video_name: String,
    /// Assets of every type.
    asset_count: u64,
    scene_count: usize,
    estimated_cost: f64,
    costs: Costs,
    #[schema(required, value_type = Option<Object>)]
    parameters: Option<Value>,
    /// `scenes` and `total_duration`.
    #[schema(required, value_type = Option<Object>)]
    storyboard: Option<Value>,
    /// Who drew the storyboard: `xai` or `template`.
    planner: String,
}

/// Where the job is.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignJobLinks {
    #[serde(flatten)]
    links: JobLinks,
    /// The same as `self`.
    status: String,
}

/// What a film of the campaign would be and cost.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignDryRun {
    data: DryRun,
}

/// Makes a job from everything that a campaign has.
#[utoipa::path(
    post, path = "/api/v3/campaigns/{id}/create-job", tag = "Jobs", operation_id = "create_campaign_job",
    request_body = CampaignFilm,
    params(
        ("id" = String, Path, description = "Campaign id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "With `dry_run`: what it would be and cost", body = CampaignDryRun),
        (status = 201, description = "Made; nothing is spent before approval", body = CampaignJobReply),
        (status = 400, description = "Scene types outside the list", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The campaign has no assets, or some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "No storyboard could be made; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_of_campaign(
    State(app): State<App>,
    InPath(id): InPath<String>,
    command: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    let request = read(&params, id, command)?;
    match create::made(&app, &params, request, FAMILY).await?.map_err(refused)? {
        Made::Job(job) => Ok(Reply::created(shown(&app, *job)).into_response()),
        Made::DryRun(dry_run) => Ok(Reply::ok(CampaignDryRun { data: *dry_run }).into_response()),
    }
}

fn read(params: &Params, id: String, command: CommandId) -> Result<pb::CreateJobRequest, Problem> {
    let mut request = create::terms(params, "property_photos", id, command, FAMILY)?;
    request.property_types = create::property_types(params, FAMILY)?;
    let mut fields = Fields::of(params);
    let scenes = fields.integer("num_scenes", &["scene_count", "num_pairs"]).map(|scenes| {
        let few = i32::try_from(scenes).ok();
        few.or_else(|| fields.reject("num_scenes", "is invalid")).unwrap_or_default()
    });
    let total = fields.number("duration_seconds", &[]);
    let style = text::filled(fields.text("style", &[]));
    let genre = text::filled(fields.text("music_genre", &[]));
    fields.finish(FAMILY)?;
    (request.num_pairs, request.total_seconds) = (scenes, total);
    if total.is_none() {
        let (scenes, seconds) =
            (scenes.unwrap_or(USUAL_SCENES), request.clip_duration.unwrap_or(USUAL_SECONDS));
        request.num_pairs = Some(scenes);
        request.clip_duration = Some(seconds);
        request.total_seconds = Some(f64::from(scenes) * seconds);
    }
    request.style = style.or_else(|| Some(USUAL_STYLE.to_owned()));
    request.music_genre = genre.or_else(|| Some(USUAL_GENRE.to_owned()));
    request.keep_campaign = true;
    Ok(request)
}

fn refused(mut error: ServiceError) -> Problem {
    for (field, _) in &mut error.violations {
        if field == "num_pairs" {
            "num_scenes".clone_into(field);
        }
    }
    match (error.code, error.reason.as_str()) {
        (Code::Invalid, "no_assets") => Problem::new(CAMPAIGNS.family(), Kind::NoAssets, error.message)
            .detail("The campaign has no assets: add photos to it first."),
        _ => create::refused(error, FAMILY),
    }
}

fn shown(app: &App, job: pb::Job) -> CampaignJobReply {
    let parameters = text::json(&job.parameters_json);
    let asset_count = parameters.as_ref().and_then(|parameters| parameters["asset_count"].as_u64());
    CampaignJobReply {
        links: CampaignJobLinks {
            links: JobLinks::of_new(app, &job),
            status: format!("/api/v3/jobs/{}", job.id),
        },
        data: CampaignJob {
            costs: Costs::of(&job),
            asset_count: asset_count.unwrap_or_else(|| job.total_assets.into()),
            scene_count: job.scenes.len(),
            estimated_cost: text::dollars(job.estimated_cost_micros),
            storyboard: text::json(&job.storyboard_json),
            parameters,
            id: job.id,
            r#type: job.kind,
            status: job.status,
            campaign_id: job.campaign_id,
            client_id: job.client_id,
            video_name: job.video_name,
            planner: job.planner,
        },
    }
}
