//! Scenes of a job.

use axum::extract::State;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{jobs, reply::Reply, text};
use crate::{
    app::App,
    params::{BodyParams, CommandId, InPath},
    problem::{JOBS, Kind, Problem, ProblemSchema},
};

/// A scene.
#[derive(Serialize, ToSchema)]
pub(crate) struct Scene {
    /// UUID.
    id: String,
    /// Place in the storyboard.
    index: i32,
    /// `pending`, `processing`, `completed` or `failed`.
    status: String,
    /// The prediction that delivered, or that is in flight.
    #[schema(required)]
    provider_id: Option<String>,
    has_video: bool,
    title: String,
    /// Why it failed, for a person.
    #[schema(required)]
    error: Option<String>,
    /// Whether regenerating may help.
    retryable: bool,
    /// RFC 3339, UTC.
    inserted_at: String,
    updated_at: String,
}

impl From<&pb::Scene> for Scene {
    fn from(scene: &pb::Scene) -> Self {
        Self {
            id: scene.id.clone(),
            index: scene.index,
            status: scene.status.clone(),
            provider_id: scene.provider_id.clone(),
            has_video: scene.clip.is_some(),
            title: scene.title.clone(),
            error: scene.error.clone(),
            retryable: scene.retryable,
            inserted_at: scene.created_at.clone(),
            updated_at: scene.updated_at.clone(),
        }
    }
}

/// A scene with everything that is known of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobScene {
    #[serde(flatten)]
    scene: Scene,
    job_id: i32,
    /// Bytes; 0 when there is no clip.
    video_blob_size: u64,
    prompt: String,
    scene_type: String,
    /// First and last frame.
    asset_ids: [String; 2],
    /// Seconds that one take is billed for.
    billed_seconds: u32,
    /// Seconds of the clip.
    #[schema(required)]
    duration: Option<f64>,
    /// The take shown or being made; 0 before approval.
    take: u32,
    /// Spent so far, USD.
    actual_cost: f64,
    /// The clip; signed, and good for a while, when keys are needed.
    #[schema(required)]
    clip_url: Option<String>,
    #[schema(required)]
    thumbnail_url: Option<String>,
}

impl JobScene {
    pub(crate) fn shown(app: &App, job_id: i32, scene: &pb::Scene) -> Self {
        let clip = format!("/api/v3/videos/{job_id}/clips/{}", scene.id);
        Self {
            job_id,
            video_blob_size: scene.clip.as_ref().map_or(0, |clip| clip.size),
            prompt: scene.prompt.clone(),
            scene_type: scene.scene_type.clone(),
            asset_ids: [scene.first_asset_id.clone(), scene.last_asset_id.clone()],
            billed_seconds: scene.billed_seconds,
            duration: scene.clip_duration_ms.map(text::seconds),
            take: scene.take,
            actual_cost: text::dollars(scene.actual_cost_micros),
            clip_url: scene.clip.as_ref().map(|_| app.link(&format!("{clip}.mp4"))),
            thumbnail_url: scene.clip.as_ref().map(|_| app.link(&format!("{clip}/thumbnail"))),
            scene: Scene::from(scene),
        }
    }
}

/// The scenes of a job, in order.
#[derive(Serialize, ToSchema)]
pub(crate) struct SceneList {
    job_id: i32,
    total_scenes: usize,
    completed_scenes: usize,
    /// Completed of all, with two decimals.
    #[schema(value_type = f64)]
    progress_percentage: Value,
    scenes: Vec<Scene>,
}

/// One scene.
#[derive(Serialize, ToSchema)]
pub(crate) struct SceneReply {
    scene: JobScene,
    job_id: i32,
    job_status: String,
}

/// A scene of which a new take was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Regenerated {
    message: &'static str,
    scene: JobScene,
    job_id: i32,
}

/// Lists the scenes of a job, in order.
#[utoipa::path(
    get, path = "/api/v3/jobs/{job_id}/scenes", tag = "Scenes", operation_id = "list_scenes",
    params(("job_id" = String, Path, description = "Job id, an integer")),
    responses(
        (status = 200, description = "The scenes", body = SceneList),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    InPath(job_id): InPath<String>,
) -> Result<Reply<SceneList>, Problem> {
    let job = jobs::find(&app, &job_id).await?;
    let (total, done) =
        (job.scenes.len(), job.scenes.iter().filter(|scene| scene.status == "completed").count());
    Ok(Reply::ok(SceneList {
        job_id: job.id,
        total_scenes: total,
        completed_scenes: done,
        progress_percentage: percentage(done, total),
        scenes: job.scenes.iter().map(Scene::from).collect(),
    }))
}

/// A float with two decimals, but a plain 0 when there are no scenes.
fn percentage(done: usize, total: usize) -> Value {
    if total == 0 {
        return 0.into();
    }
    let hundredths = (done as f64 / total as f64 * 10_000.0).round();
    (hundredths / 100.0).into()
}

/// Shows a scene.
#[utoipa::path(
    get, path = "/api/v3/jobs/{job_id}/scenes/{scene_id}", tag = "Scenes", operation_id = "get_scene",
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("scene_id" = String, Path, description = "Scene id"),
    ),
    responses(
        (status = 200, description = "The scene", body = SceneReply),
        (status = 404, description = "Job or scene not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The scene belongs to another job", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    InPath((job_id, scene_id)): InPath<(String, String)>,
) -> Result<Reply<SceneReply>, Problem> {
    let (job, scene) = find(&app, &job_id, &scene_id).await?;
    let scene = JobScene::shown(&app, job.id, &scene);
    Ok(Reply::ok(SceneReply { scene, job_id: job.id, job_status: job.status }))
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
        (status = 200, description = "A new take is asked for", body = Regenerated),
        (status = 404, description = "Job or scene not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The scene or its job is in no state for it", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn regenerate(
    State(app): State<App>,
    InPath((job_path, scene_path)): InPath<(String, String)>,
    CommandId(command_id): CommandId,
    _body: BodyParams,
) -> Result<Reply<Regenerated>, Problem> {
    let (job, scene) = find(&app, &job_path, &scene_path).await?;
    let scene_ids = vec![scene.id.clone()];
    let request = pb::RegenerateScenesRequest { command_id, job_id: job.id, scene_ids };
    let job = app
        .backends
        .job()
        .regenerate_scenes(request)
        .await
        .map_err(|status| not_regenerable(ServiceError::from(status), &scene))?
        .into_inner();
    let scene = job.scenes.iter().find(|changed| changed.id == scene.id).unwrap_or(&scene);
    let scene = JobScene::shown(&app, job.id, scene);
    Ok(Reply::ok(Regenerated { message: "Scene marked for regeneration", scene, job_id: job.id }))
}

fn not_regenerable(error: ServiceError, scene: &pb::Scene) -> Problem {
    match error.code {
        Code::Precondition => {
            let reason = error.facts.get("reason").unwrap_or(&error.message);
            Problem::flat(Kind::SceneNotRegenerable, "Scene cannot be regenerated")
                .with("scene_id", scene.id.clone())
                .with("reason", reason.clone())
                .detail(format!("Scene cannot be regenerated: {reason}."))
        }
        _ => JOBS.refused(error),
    }
}

/// The scene that a path names: the job is looked for first, then the scene, then whose it is.
async fn find(app: &App, job_path: &str, scene_path: &str) -> Result<(pb::Job, pb::Scene), Problem> {
    let job = jobs::find(app, job_path).await?;
    if let Some(scene) = job.scenes.iter().find(|scene| scene.id == scene_path) {
        let scene = scene.clone();
        return Ok((job, scene));
    }
    let request = pb::GetSceneRequest { scene_id: scene_path.to_owned() };
    let found = app.backends.job().get_scene(request).await.map_err(ServiceError::from);
    match found {
        Ok(_) => Err(Problem::flat(Kind::SceneOfAnotherJob, "Scene does not belong to this job")
            .with("scene_id", scene_path)
            .with("job_id", job_path)),
        Err(error) if error.code == Code::NotFound => {
            Err(Problem::flat(Kind::SceneNotFound, "Scene not found").with("scene_id", scene_path))
        }
        Err(error) => Err(JOBS.refused(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_two_decimals_and_is_a_plain_zero_without_scenes() {
        assert_eq!(percentage(0, 0).to_string(), "0");
        assert_eq!(percentage(1, 3).to_string(), "33.33");
        assert_eq!(percentage(2, 3).to_string(), "66.67");
        assert_eq!(percentage(3, 3).to_string(), "100.0");
        assert_eq!(percentage(0, 3).to_string(), "0.0");
    }
}
