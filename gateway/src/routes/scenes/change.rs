//! What a person does to a scene: shows it as something else, has it made again, or takes it out.

use axum::extract::State;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use tonic::Status;
use utoipa::ToSchema;

use super::{JobScene, elsewhere, find};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{JOBS, Kind, Problem, ProblemSchema},
    routes::{reply::Reply, text},
};

/// A scene to which something was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedScene {
    message: &'static str,
    scene: JobScene,
    job_id: i32,
}

/// A scene that was taken out.
#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedScene {
    message: &'static str,
    scene_id: String,
    job_id: i32,
}

/// What a scene is to be shown with; what is left out stays as it is shown.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct SceneOverride {
    /// `pending`, `processing`, `completed` (only with a clip) or `failed`.
    status: Option<String>,
    /// Null clears it.
    provider_id: Option<String>,
}

/// Writes down what a scene is to be shown with, until something really happens to it. Nothing is settled, asked for or
/// bought by it.
#[utoipa::path(
    put, path = "/api/v3/jobs/{job_id}/scenes/{scene_id}", tag = "Scenes", operation_id = "put_scene",
    request_body = SceneOverride,
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("scene_id" = String, Path, description = "Scene id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "The scene as it is shown now", body = ChangedScene),
        (status = 404, description = "Job or scene not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong, or the scene belongs to another job", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put(
    State(app): State<App>,
    InPath((job_path, scene_path)): InPath<(String, String)>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ChangedScene>, Problem> {
    let job_id = text::job_id(&job_path).ok_or_else(|| Problem::job_not_found(&job_path))?;
    let (status, provider_id) = match overridden(&params) {
        Ok(shown) => shown,
        Err(wrong) => {
            // The job and the scene are checked before what is said of them.
            find(&app, &job_path, &scene_path).await?;
            return Err(wrong);
        }
    };
    let scene_id = scene_path.clone();
    let request = pb::OverrideSceneRequest { command_id, job_id, scene_id, status, provider_id };
    let job = match app.backends.job().override_scene(request).await {
        Ok(job) => job.into_inner(),
        Err(status) => return Err(refused(&app, &job_path, &scene_path, status).await),
    };
    changed(&app, &job, &scene_path, "Scene updated successfully")
}

/// Status and prediction that were sent; an empty prediction clears it.
fn overridden(params: &Params) -> Result<(Option<String>, Option<String>), Problem> {
    let mut fields = Fields::of(params);
    let status = match fields.value("status", &[]) {
        None => None,
        Some(Value::Null) => fields.reject("status", "can't be blank"),
        Some(Value::String(word)) if word.trim().is_empty() => fields.reject("status", "can't be blank"),
        Some(Value::String(word)) => fields.clean("status", word),
        Some(_) => fields.reject("status", "is invalid"),
    };
    let provider_id = match fields.value("provider_id", &[]) {
        Some(Value::Null) => Some(String::new()),
        _ => fields.text("provider_id", &[]).map(|id| id.trim().to_owned()),
    };
    fields.finish(JOBS.family())?;
    Ok((status, provider_id))
}

/// Buys a new take of a scene that is over; the video is cut anew with it.
#[utoipa::path(
    post, path = "/api/v3/jobs/{job_id}/scenes/{scene_id}/regenerate", tag = "Scenes", operation_id = "regenerate_scene",
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("scene_id" = String, Path, description = "Scene id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "A new take is asked for", body = ChangedScene),
        (status = 404, description = "Job or scene not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The scene or its job is in no state for it", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn regenerate(
    State(app): State<App>,
    InPath((job_path, scene_path)): InPath<(String, String)>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ChangedScene>, Problem> {
    let (_, scene) = regenerated(&app, (&job_path, &scene_path), command_id, &params, "").await?;
    Ok(Reply::ok(scene))
}

/// Asks for a new take. Wishes of older clients about it (`feedback`, `constraints`; named after `inside`) are refused,
/// because money would be spent on a take that does not follow them.
pub(crate) async fn regenerated(
    app: &App,
    (job_path, scene_path): (&str, &str),
    command_id: String,
    wishes: &Params,
    inside: &str,
) -> Result<(pb::Job, ChangedScene), Problem> {
    let job_id = text::job_id(job_path).ok_or_else(|| Problem::job_not_found(job_path))?;
    let mut fields = Fields::of(wishes);
    for name in ["feedback", "constraints"] {
        if fields.value(name, &[]).is_some_and(says_something) {
            let text = "is not supported: a new take is made from the scene's own prompt; leave it out";
            fields.reject::<()>(&format!("{inside}{name}"), text);
        }
    }
    fields.finish(JOBS.family())?;
    let scene_ids = vec![scene_path.to_owned()];
    let request = pb::RegenerateScenesRequest { command_id, job_id, scene_ids };
    let job = match app.backends.job().regenerate_scenes(request).await {
        Ok(job) => job.into_inner(),
        Err(status) => return Err(refused(app, job_path, scene_path, status).await),
    };
    let Reply(_, scene) = changed(app, &job, scene_path, "Scene marked for regeneration")?;
    Ok((job, scene))
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    }
}

/// Takes a scene out. A completed job makes a new cut without it and plays the old one until then.
#[utoipa::path(
    delete, path = "/api/v3/jobs/{job_id}/scenes/{scene_id}", tag = "Scenes", operation_id = "delete_scene",
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("scene_id" = String, Path, description = "Scene id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "It is gone", body = RemovedScene),
        (status = 404, description = "Job or scene not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The job is in no state for it, or the scene belongs to another job", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(
    State(app): State<App>,
    InPath((job_path, scene_path)): InPath<(String, String)>,
    CommandId(command_id): CommandId,
    _body: BodyParams,
) -> Result<Reply<RemovedScene>, Problem> {
    let job_id = text::job_id(&job_path).ok_or_else(|| Problem::job_not_found(&job_path))?;
    let request = pb::RemoveSceneRequest { command_id, job_id, scene_id: scene_path.clone() };
    match app.backends.job().remove_scene(request).await {
        Ok(_) => {
            let message = "Scene deleted successfully";
            Ok(Reply::ok(RemovedScene { message, scene_id: scene_path, job_id }))
        }
        Err(status) => Err(refused(&app, &job_path, &scene_path, status).await),
    }
}

fn changed(
    app: &App,
    job: &pb::Job,
    scene_id: &str,
    message: &'static str,
) -> Result<Reply<ChangedScene>, Problem> {
    let scene = job.scenes.iter().find(|scene| scene.id == scene_id);
    let scene = scene
        .ok_or_else(|| Problem::flat(Kind::SceneNotFound, "Scene not found").with("scene_id", scene_id))?;
    let scene = JobScene::changed(app, job.id, scene);
    Ok(Reply::ok(ChangedScene { message, scene, job_id: job.id }))
}

/// The contract's answers. A scene that the job does not have is looked for only now: what was done once is answered
/// again although the scene is gone.
async fn refused(app: &App, job_path: &str, scene_path: &str, status: Status) -> Problem {
    let error = ServiceError::from(status);
    let (kind, text) = match (error.code, error.reason.as_str()) {
        (Code::NotFound, "scene_not_found") => return elsewhere(app, job_path, scene_path).await,
        (Code::NotFound, _) => return JOBS.refused(error).with("job_id", job_path),
        (Code::Precondition, "scene_not_removable") => (Kind::SceneNotRemovable, "Scene cannot be deleted"),
        (Code::Precondition, _) => (Kind::SceneNotRegenerable, "Scene cannot be regenerated"),
        _ => return JOBS.refused(error),
    };
    let reason = error.facts.get("reason").unwrap_or(&error.message);
    Problem::flat(kind, text)
        .with("scene_id", scene_path)
        .with("reason", reason.clone())
        .detail(format!("{text}: {reason}."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_clears_the_prediction_and_absence_leaves_it() {
        let read =
            |body: Value| overridden(&Params::of_object(body.as_object().cloned().unwrap_or_default()));
        assert_eq!(read(json!({})).expect("fine"), (None, None));
        let cleared = (Some("failed".to_owned()), Some(String::new()));
        assert_eq!(read(json!({"status": "failed", "providerId": null})).expect("fine"), cleared);
        assert_eq!(read(json!({"provider_id": " p-1 "})).expect("fine"), (None, Some("p-1".to_owned())));
        for body in
            [json!({"status": null}), json!({"status": " "}), json!({"status": 3}), json!({"provider_id": 3})]
        {
            assert!(read(body.clone()).is_err(), "{body}");
        }
    }
}
