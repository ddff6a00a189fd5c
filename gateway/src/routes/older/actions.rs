//! What a person decides about a job, in one route.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Meta;
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{JOBS, Problem, ProblemSchema},
    routes::{jobs, reply::Reply, scenes, text},
};

/// A decision; snake_case names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct JobAction {
    /// `approve`, `cancel` or `regenerate_scene`.
    action: String,
    /// `sceneId` of the scene to regenerate; `reason` of a cancel.
    #[schema(value_type = Option<Object>)]
    payload: Option<Value>,
}

/// What the decision came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActionReply {
    data: ActionDone,
    /// Always null; errors are problem documents.
    #[schema(required, value_type = Option<String>)]
    error: Option<&'static str>,
    meta: Meta,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ActionDone {
    /// Of the job.
    Job {
        /// What was done, in words.
        message: &'static str,
    },
    /// Of a scene.
    Scene(Box<scenes::ChangedScene>),
}

/// Approves a job, cancels it, or has a scene of it made again: as the routes of those names do.
#[utoipa::path(
    post, path = "/api/v3/jobs/{id}/actions", tag = "Jobs", operation_id = "act_on_job",
    request_body = JobAction,
    params(
        ("id" = String, Path, description = "Job id, an integer"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "Done", body = ActionReply),
        (status = 404, description = "Job or scene not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The action is unknown, or the job is in no state for it", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn act(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ActionReply>, Problem> {
    let mut fields = Fields::of(&params);
    let action = fields.text("action", &[]);
    let payload = Params::of_object(fields.object("payload").cloned().unwrap_or_default());
    fields.finish(JOBS.family())?;
    let (data, done_at) = match action.as_deref() {
        Some("approve") => {
            let job = jobs::approved(&app, &id, command_id).await?;
            (ActionDone::Job { message: "Job approved successfully" }, job.updated_at)
        }
        Some("cancel") => {
            let job = jobs::canceled(&app, &id, command_id, &payload).await?;
            (ActionDone::Job { message: "Job canceled" }, job.updated_at)
        }
        Some("regenerate_scene") => {
            let scene = scene_id(&payload)?;
            let (job, scene) =
                scenes::regenerated(&app, (&id, &scene), command_id, &payload, "payload.").await?;
            (ActionDone::Scene(Box::new(scene)), job.updated_at)
        }
        _ => {
            let text = "is invalid; use approve, cancel or regenerate_scene";
            return Err(Problem::validation(JOBS.family(), vec![("action".to_owned(), text.to_owned())]));
        }
    };
    Ok(Reply::ok(ActionReply { data, error: None, meta: Meta::at(&done_at) }))
}

fn scene_id(payload: &Params) -> Result<String, Problem> {
    let mut fields = Fields::of(payload);
    let id = text::filled(fields.text("scene_id", &[]));
    let wrong = match (fields.into_violations().pop(), id) {
        (None, Some(id)) => return Ok(id),
        (Some((_, wrong)), _) => wrong,
        (None, None) => "can't be blank".to_owned(),
    };
    Err(Problem::validation(JOBS.family(), vec![("payload.sceneId".to_owned(), wrong)]))
}
