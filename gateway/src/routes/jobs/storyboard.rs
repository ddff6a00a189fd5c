//! Changing the storyboard of a job that waits for approval; the price follows.

use axum::extract::State;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use tonic::Status;
use utoipa::ToSchema;

use super::{
    super::{reply::Reply, text},
    decide,
    view::Costs,
};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{JOBS, Kind, Problem, ProblemSchema},
};

/// What to change of a scene; what is left out stays as it is. camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct SceneEdit {
    title: Option<String>,
    description: Option<String>,
    /// What the video model is told.
    prompt: Option<String>,
    /// Seconds wanted; the model makes and bills the next length that it knows.
    duration: Option<f64>,
    /// First and last frame, images of the job's campaign; one image is both. Also `asset_id`.
    asset_ids: Option<Vec<String>>,
    first_asset_id: Option<String>,
    last_asset_id: Option<String>,
    /// `fade`, `cut` or `dissolve`; an empty text takes it away, as in all fields below.
    transition: Option<String>,
    scene_type: Option<String>,
    camera_movement: Option<String>,
    motion_goal: Option<String>,
    music_description: Option<String>,
    music_style: Option<String>,
    music_energy: Option<String>,
}

/// The order that the scenes should have.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct SceneOrder {
    /// The id of every scene of the job, once.
    order: Vec<String>,
}

/// A storyboard as it is now, and its price.
#[derive(Serialize, ToSchema)]
pub(crate) struct Storyboard {
    message: &'static str,
    job_id: i32,
    status: String,
    /// Of an edit: the scene's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_index: Option<u32>,
    /// Of an edit: the scene.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    scene: Option<Value>,
    /// `scenes` and `total_duration`.
    #[schema(required, value_type = Option<Object>)]
    storyboard: Option<Value>,
    scene_count: usize,
    /// Seconds.
    #[schema(required, value_type = Option<f64>)]
    total_duration: Option<Value>,
    estimated_cost: f64,
    costs: Costs,
    updated_at: String,
}

/// Changes a scene of the storyboard of a pending job.
#[utoipa::path(
    patch, path = "/api/v3/jobs/{id}/storyboard/scenes/{index}", tag = "Jobs", operation_id = "edit_storyboard_scene",
    request_body = SceneEdit,
    params(
        ("id" = String, Path, description = "Job id, an integer"),
        ("index" = String, Path, description = "The scene's place, from 0"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "The storyboard and its price now", body = Storyboard),
        (status = 404, description = "Job or scene not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong, or the job is not pending", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn edit_scene(
    State(app): State<App>,
    InPath((id, place)): InPath<(String, String)>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Storyboard>, Problem> {
    let job_id = text::job_id(&id).ok_or_else(|| Problem::job_not_found(&id))?;
    let index = text::job_id(&place).and_then(|index| u32::try_from(index).ok());
    let Some(index) = index else {
        super::find(&app, &id).await?;
        return Err(no_scene(&id, &place));
    };
    let request = pb::EditSceneRequest { command_id, job_id, index, ..read(&params)? };
    let edited = app.backends.job().edit_scene(request).await;
    let job = edited.map_err(|status| refused(status, (&id, job_id), &place))?.into_inner();
    let mut shown = Storyboard::of(job);
    shown.scene_index = Some(index);
    let scenes = shown.storyboard.as_ref().and_then(|board| board["scenes"].get(index as usize));
    shown.scene = scenes.cloned();
    Ok(Reply::ok(shown))
}

/// Puts the scenes of a pending job into another order.
#[utoipa::path(
    put, path = "/api/v3/jobs/{id}/storyboard/order", tag = "Jobs", operation_id = "reorder_storyboard",
    request_body = SceneOrder,
    params(
        ("id" = String, Path, description = "Job id, an integer"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "The storyboard now", body = Storyboard),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The order does not name every scene once, or the job is not pending", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reorder(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Storyboard>, Problem> {
    let job_id = text::job_id(&id).ok_or_else(|| Problem::job_not_found(&id))?;
    let mut fields = Fields::of(&params);
    let scene_ids = texts(&mut fields, "order", &["scene_ids"]);
    if scene_ids.is_none() && fields.value("order", &["scene_ids"]).is_none() {
        fields.reject::<()>("order", "can't be blank");
    }
    fields.finish(JOBS.family())?;
    let request = pb::ReorderScenesRequest { command_id, job_id, scene_ids: scene_ids.unwrap_or_default() };
    let ordered = app.backends.job().reorder_scenes(request).await;
    let job = ordered.map_err(|status| refused(status, (&id, job_id), ""))?.into_inner();
    Ok(Reply::ok(Storyboard::of(job)))
}

fn read(params: &Params) -> Result<pb::EditSceneRequest, Problem> {
    let mut fields = Fields::of(params);
    let asset_ids =
        texts(&mut fields, "asset_ids", &[]).or_else(|| fields.text("asset_id", &[]).map(|id| vec![id]));
    if asset_ids.as_ref().is_some_and(Vec::is_empty) {
        fields.reject::<()>("asset_ids", "can't be blank");
    }
    let of_list = |id: Option<&String>| id.cloned();
    let ids = asset_ids.unwrap_or_default();
    let request = pb::EditSceneRequest {
        title: fields.text("title", &[]),
        description: fields.text("description", &[]),
        prompt: fields.text("prompt", &[]),
        duration: fields.number("duration", &["clip_duration"]),
        first_asset_id: fields.text("first_asset_id", &[]).or_else(|| of_list(ids.first())),
        last_asset_id: fields.text("last_asset_id", &[]).or_else(|| of_list(ids.last())),
        transition: fields.text("transition", &[]),
        scene_type: fields.text("scene_type", &[]),
        camera_movement: fields.text("camera_movement", &[]),
        motion_goal: fields.text("motion_goal", &[]),
        music_description: fields.text("music_description", &[]),
        music_style: fields.text("music_style", &[]),
        music_energy: fields.text("music_energy", &[]),
        ..pb::EditSceneRequest::default()
    };
    fields.finish(JOBS.family())?;
    Ok(request)
}

/// A list of texts.
fn texts(fields: &mut Fields<'_>, name: &str, aliases: &[&str]) -> Option<Vec<String>> {
    match fields.value(name, aliases) {
        None | Some(Value::Null) => None,
        Some(Value::Array(items)) => fields.texts_of(name, items),
        Some(_) => fields.reject(name, "must be an array of strings"),
    }
}

fn no_scene(job_path: &str, place: &str) -> Problem {
    Problem::flat(Kind::SceneNotFound, "Scene not found").with("job_id", job_path).with("scene_index", place)
}

fn refused(status: Status, (path, job_id): (&str, i32), place: &str) -> Problem {
    let mut error = ServiceError::from(status.clone());
    if error.code == Code::NotFound && error.reason == "scene_not_found" {
        return no_scene(path, place);
    }
    if error.code == Code::Validation {
        for (field, _) in &mut error.violations {
            match field.as_str() {
                "first_frame" => "first_asset_id".clone_into(field),
                "last_frame" => "last_asset_id".clone_into(field),
                _ => {}
            }
        }
        return JOBS.refused(error);
    }
    let texts = ("Storyboard cannot be edited", "Job must be in pending state to be edited");
    decide::refused(status, (path, job_id), Kind::JobNotPending, texts)
}

impl Storyboard {
    fn of(job: pb::Job) -> Self {
        let storyboard = text::json(&job.storyboard_json);
        Self {
            message: "Storyboard updated successfully",
            job_id: job.id,
            scene_index: None,
            scene: None,
            scene_count: job.scenes.len(),
            total_duration: storyboard.as_ref().and_then(|board| board.get("total_duration").cloned()),
            storyboard,
            estimated_cost: text::dollars(job.estimated_cost_micros),
            costs: Costs::of(&job),
            status: job.status,
            updated_at: job.updated_at,
        }
    }
}
