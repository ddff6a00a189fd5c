//! Making a job: a storyboard and its price, pending a person's approval.

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
    dry_run::{self, DryRun},
    view::{Costs, JobLinks},
};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, Params},
    problem::{CAMPAIGNS, Family, JOBS, Kind, Problem, ProblemSchema},
};

/// A job to make; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewJob {
    /// An existing campaign.
    campaign_id: String,
    client_id: Option<String>,
    /// Seconds wanted per clip.
    clip_duration: Option<f64>,
    /// Scenes wanted.
    num_pairs: Option<i32>,
    /// `veo3` or `hailuo-02`; also `model`.
    video_model: Option<String>,
    /// `16:9` or `9:16`.
    aspect_ratio: Option<String>,
    resolution: Option<String>,
    /// `template` draws the storyboard without a language model.
    planner: Option<String>,
    /// Property photos only: the scene types allowed.
    property_types: Option<Vec<String>>,
    /// Kept with the job; members that the server sets win.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
    /// True: nothing is made; the answer is what the job would be and cost.
    dry_run: Option<bool>,
    /// With `dry_run`: draws the storyboard, with a language model when one is configured.
    plan: Option<bool>,
}

/// A job that waits for approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedJob {
    job_id: i32,
    status: String,
    r#type: String,
    scene_count: usize,
    message: &'static str,
    video_name: String,
    estimated_cost: f64,
    costs: Costs,
    storyboard_ready: bool,
    /// `scenes` and `total_duration`.
    #[schema(value_type = Object)]
    storyboard: Option<Value>,
    /// Image pairs only, like the four after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clip_duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_pairs: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_assets: Option<u32>,
    /// Property photos only: the list used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    property_types: Option<Value>,
    /// Who drew the storyboard: `xai` or `template`.
    planner: String,
    warnings: Vec<String>,
    links: JobLinks,
}

/// Makes a job whose scenes go from one photo to another.
#[utoipa::path(
    post, path = "/api/v3/jobs/from-image-pairs", tag = "Jobs", operation_id = "create_job_from_image_pairs",
    request_body = NewJob,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 200, description = "With `dry_run`: what it would be and cost", body = DryRun),
        (status = 201, description = "Made; nothing is spent before approval", body = CreatedJob),
        (status = 400, description = "No campaign, or too few images in it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "No storyboard could be made; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_from_image_pairs(
    State(app): State<App>,
    command: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    let request = read(&params, "image_pairs", command)?;
    let job = match make(&app, &params, request).await? {
        Made::Job(job) => job,
        Made::DryRun(dry_run) => return Ok(Reply::ok(dry_run).into_response()),
    };
    Ok(Reply::created(CreatedJob::with_terms(&app, &job)).into_response())
}

/// Makes a job that shows a property room by room.
#[utoipa::path(
    post, path = "/api/v3/jobs/from-property-photos", tag = "Jobs", operation_id = "create_job_from_property_photos",
    request_body = NewJob,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 200, description = "With `dry_run`: what it would be and cost", body = DryRun),
        (status = 201, description = "Made; nothing is spent before approval", body = CreatedJob),
        (status = 400, description = "No campaign, none of its assets, or scene types outside the list", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "No storyboard could be made; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_from_property_photos(
    State(app): State<App>,
    command: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Response, Problem> {
    let mut request = read(&params, "property_photos", command)?;
    request.property_types = property_types(&params, JOBS.family())?;
    let asked = request.property_types.clone();
    let job = match make(&app, &params, request).await? {
        Made::Job(job) => job,
        Made::DryRun(dry_run) => return Ok(Reply::ok(dry_run).into_response()),
    };
    let mut parameters = text::object(Some(&job.parameters_json)).unwrap_or_default();
    let mut reply = CreatedJob::of(&app, &job);
    reply.property_types = Some(parameters.remove("property_types").unwrap_or_else(|| asked.into()));
    Ok(Reply::created(reply).into_response())
}

impl CreatedJob {
    /// The job with its terms: what the caller left out, the service filled in and stored.
    pub(super) fn with_terms(app: &App, job: &pb::Job) -> Self {
        let parameters = text::object(Some(&job.parameters_json)).unwrap_or_default();
        Self {
            clip_duration: parameters.get("clip_duration").and_then(Value::as_f64),
            num_pairs: parameters.get("num_pairs").and_then(Value::as_i64),
            total_assets: Some(job.total_assets),
            campaign_id: Some(job.campaign_id.clone()),
            client_id: job.client_id.clone(),
            ..Self::of(app, job)
        }
    }

    fn of(app: &App, job: &pb::Job) -> Self {
        Self {
            job_id: job.id,
            status: job.status.clone(),
            r#type: job.kind.clone(),
            scene_count: job.scenes.len(),
            message: "Job created successfully",
            video_name: job.video_name.clone(),
            estimated_cost: text::dollars(job.estimated_cost_micros),
            costs: Costs::of(job),
            storyboard_ready: true,
            storyboard: text::json(&job.storyboard_json),
            campaign_id: None,
            client_id: None,
            clip_duration: None,
            num_pairs: None,
            total_assets: None,
            property_types: None,
            planner: job.planner.clone(),
            warnings: job.warnings.clone(),
            links: JobLinks::of_new(app, job),
        }
    }
}

/// The wish, as far as both routes share it.
fn read(params: &Params, kind: &str, command: CommandId) -> Result<pb::CreateJobRequest, Problem> {
    let mut fields = Fields::of(params);
    let campaign_id = match fields.value("campaign_id", &[]) {
        Some(Value::String(id)) if !id.trim().is_empty() => fields.clean("campaign_id", id),
        _ => return Err(Problem::flat(Kind::MissingField, "campaign_id is required")),
    };
    fields.finish(JOBS.family())?;
    terms(params, kind, campaign_id.unwrap_or_default(), command, JOBS.family())
}

/// What all routes that make jobs may be told.
pub(super) fn terms(
    params: &Params,
    kind: &str,
    campaign_id: String,
    CommandId(command_id): CommandId,
    family: Family,
) -> Result<pb::CreateJobRequest, Problem> {
    let mut fields = Fields::of(params);
    let parameters = fields.object("parameters").cloned().unwrap_or_default();
    let nested = Params::of_object(parameters.clone());
    let mut nested = Fields::of(&nested);
    // What is asked for at the top wins over the parameters, for the price and for the render alike.
    let mut either = |name: &str, aliases: &[&str]| {
        let top = fields.text(name, aliases);
        top.or_else(|| nested.text(name, &[]))
    };
    let video_model = either("video_model", &["model"]);
    let aspect_ratio = either("aspect_ratio", &[]);
    let resolution = either("resolution", &[]);
    let num_pairs = fields.integer("num_pairs", &[]).map(|pairs| match i32::try_from(pairs) {
        Ok(pairs) => pairs,
        Err(_) => fields.reject("num_pairs", "is invalid").unwrap_or_default(),
    });
    let request = pb::CreateJobRequest {
        command_id,
        kind: kind.to_owned(),
        campaign_id,
        client_id: text::filled(fields.short_text("client_id", LONGEST_ID)),
        clip_duration: fields.number("clip_duration", &[]),
        num_pairs,
        video_model: text::filled(video_model),
        aspect_ratio: text::filled(aspect_ratio),
        resolution: text::filled(resolution),
        property_types: Vec::new(),
        parameters_json: Value::from(parameters).to_string(),
        planner: fields.text("planner", &[]).unwrap_or_default(),
        ..pb::CreateJobRequest::default()
    };
    fields.finish(family)?;
    nested.finish(family)?;
    Ok(request)
}

/// A list of texts that is not empty; without one the default holds.
pub(super) fn property_types(params: &Params, family: Family) -> Result<Vec<String>, Problem> {
    let mut fields = Fields::of(params);
    let types: Option<Vec<String>> = match fields.value("property_types", &[]) {
        Some(Value::Array(items)) if items.is_empty() => fields.reject("property_types", "can't be blank"),
        Some(Value::Array(items)) => fields.texts_of("property_types", items),
        None | Some(Value::Null) => None,
        Some(_) => fields.reject("property_types", "must be an array of strings"),
    };
    if types.as_ref().is_some_and(|types| types.len() > MOST_TYPES) {
        fields.reject::<()>("property_types", &format!("should have at most {MOST_TYPES} item(s)"));
    }
    fields.finish(family)?;
    Ok(types.unwrap_or_default())
}

/// Characters of the id of a client; ids are UUIDs, and those of older systems are no longer than this.
pub(super) const LONGEST_ID: usize = 255;
/// Types of scene that one job may list.
const MOST_TYPES: usize = 100;

/// What became of a wish.
pub(super) enum Made {
    Job(Box<pb::Job>),
    DryRun(Box<DryRun>),
}

/// Makes the job, or says what it would be when `dry_run` is among the fields.
async fn make(app: &App, params: &Params, request: pb::CreateJobRequest) -> Result<Made, Problem> {
    made(app, params, request, JOBS.family()).await?.map_err(|error| refused(error, JOBS.family()))
}

/// As [`make`]; what the service refuses is for the caller to spell.
pub(super) async fn made(
    app: &App,
    params: &Params,
    request: pb::CreateJobRequest,
    family: Family,
) -> Result<Result<Made, ServiceError>, Problem> {
    let mut fields = Fields::of(params);
    let (dry_run, plan) = (flag(&mut fields, "dry_run"), flag(&mut fields, "plan"));
    fields.finish(family)?;
    if dry_run {
        let estimate = dry_run::estimate(app, request, plan).await;
        return Ok(estimate.map(|estimate| Made::DryRun(Box::new(estimate))));
    }
    let made = app.backends.patient_job().create_job(request).await;
    Ok(made.map(|job| Made::Job(Box::new(job.into_inner()))).map_err(ServiceError::from))
}

/// A boolean, also as text.
pub(super) fn flag(fields: &mut Fields<'_>, name: &str) -> bool {
    match fields.value(name, &[]) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) if text.trim().is_empty() || text == "false" => false,
        Some(Value::String(text)) if text == "true" => true,
        Some(_) => fields.reject(name, "is invalid").unwrap_or_default(),
    }
}

/// The contract's answers for what keeps a job from being made.
pub(super) fn refused(error: ServiceError, family: Family) -> Problem {
    let message = error.message.clone();
    match (error.code, error.reason.as_str()) {
        (Code::NotFound, _) => {
            Problem::new(family, Kind::CampaignNotFound, "Campaign not found").detail(message)
        }
        (Code::Invalid, "campaign_id_required") => Problem::new(family, Kind::MissingField, message),
        (Code::Invalid, "no_assets") => Problem::new(family, Kind::CampaignHasNoAssets, message),
        (Code::Invalid, "too_few_images") => Problem::new(family, Kind::NotEnoughAssets, message),
        (Code::Invalid, "invalid_scene_types") => {
            let wrong = "Scene types do not match allowed property types";
            Problem::new(family, Kind::SceneTypesNotAllowed, wrong)
                .with("invalid_types", error.facts.get("invalid_types").and_then(|types| text::json(types)))
                .detail(message)
        }
        (Code::Unavailable, "scene_generation_failed") => {
            let details = error.facts.get("details").cloned().unwrap_or(message);
            Problem::new(family, Kind::SceneGenerationFailed, "Failed to generate scenes")
                .detail(format!("No storyboard could be made: {details} No job was stored; try again."))
                .with("details", details)
        }
        _ if family == Family::Object => CAMPAIGNS.refused(error),
        _ => JOBS.refused(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(value: Value) -> Params {
        Params::of_object(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn the_model_at_the_top_wins_over_the_one_in_the_parameters() {
        let none = || CommandId(String::new());
        let both = params(
            serde_json::json!({"campaignId": "c", "model": "veo3", "parameters": {"video_model": "hailuo-02"}}),
        );
        let request = read(&both, "image_pairs", none()).expect("a request");
        assert_eq!(request.video_model.as_deref(), Some("veo3"));
        let nested =
            params(serde_json::json!({"campaign_id": "c", "parameters": {"video_model": "hailuo-02"}}));
        let request = read(&nested, "image_pairs", none()).expect("a request");
        assert_eq!(request.video_model.as_deref(), Some("hailuo-02"));
    }
}
