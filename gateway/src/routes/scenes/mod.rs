//! Scenes of a job.

mod change;

use axum::extract::State;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{jobs, reply::Reply, text};
use crate::{
    app::App,
    paging::{Bounds, Listed, Page},
    params::{InPath, Params},
    problem::{JOBS, Kind, Problem, ProblemSchema},
};

pub(crate) use change::{
    __path_put, __path_regenerate, __path_remove, ChangedScene, put, regenerate, regenerated, remove,
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
    asset_ids: Vec<String>,
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
        Self::signed(job_id, scene, |path| app.link(path))
    }

    /// Of a scene that was just changed, or is told of again because the request was sent again.
    pub(crate) fn changed(app: &App, job_id: i32, scene: &pb::Scene) -> Self {
        match scene.updated_at.parse() {
            Ok(time) => Self::signed(job_id, scene, |path| app.link_since(path, time)),
            Err(_) => Self::shown(app, job_id, scene),
        }
    }

    fn signed(job_id: i32, scene: &pb::Scene, link: impl Fn(&str) -> String) -> Self {
        let clip = format!("/api/v3/videos/{job_id}/clips/{}", scene.id);
        Self {
            job_id,
            video_blob_size: scene.clip.as_ref().map_or(0, |clip| clip.size),
            prompt: scene.prompt.clone(),
            scene_type: scene.scene_type.clone(),
            asset_ids: frames(scene),
            billed_seconds: scene.billed_seconds,
            duration: scene.clip_duration_ms.map(text::seconds),
            take: scene.take,
            actual_cost: text::dollars(scene.actual_cost_micros),
            clip_url: scene.clip.as_ref().map(|_| link(&format!("{clip}.mp4"))),
            thumbnail_url: scene.clip.as_ref().map(|_| link(&format!("{clip}/thumbnail"))),
            scene: Scene::from(scene),
        }
    }
}

/// The assets that the camera starts and ends at; none of a scene that was brought over without them.
fn frames(scene: &pb::Scene) -> Vec<String> {
    let known = [&scene.first_asset_id, &scene.last_asset_id].into_iter().filter(|id| !id.is_empty());
    known.cloned().collect()
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
    /// `cursor` of the next page; absent when no scenes follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One scene.
#[derive(Serialize, ToSchema)]
pub(crate) struct SceneReply {
    scene: JobScene,
    job_id: i32,
    job_status: String,
}

/// Lists the scenes of a job, in order.
#[utoipa::path(
    get, path = "/api/v3/jobs/{job_id}/scenes", tag = "Scenes", operation_id = "list_scenes",
    params(
        ("job_id" = String, Path, description = "Job id, an integer"),
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The scenes", body = SceneList),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    InPath(job_id): InPath<String>,
    params: Params,
) -> Result<Reply<SceneList>, Problem> {
    let job = jobs::find(&app, &job_id).await?;
    let listed = Listed::new("scenes", &[("job_id", Some(job_id.as_str()))]);
    let page = listed.page(&app.signer, &params, Bounds::WHOLE, JOBS.family())?;
    let (total, done) =
        (job.scenes.len(), job.scenes.iter().filter(|scene| scene.status == "completed").count());
    let (scenes, next) = paged(&job.scenes, page);
    Ok(Reply::ok(SceneList {
        job_id: job.id,
        total_scenes: total,
        completed_scenes: done,
        progress_percentage: percentage(done, total),
        scenes: scenes.into_iter().map(Scene::from).collect(),
        next_cursor: listed.cursor(&app.signer, next),
    }))
}

/// The scenes of a page, and the place of its last one when more follow. A job has few: they come whole anyway.
pub(crate) fn paged(scenes: &[pb::Scene], page: Page) -> (Vec<&pb::Scene>, Option<i64>) {
    let after = |scene: &&pb::Scene| page.after.is_none_or(|after| i64::from(scene.index) > after);
    let limit = if page.limit == 0 { usize::MAX } else { page.limit as usize };
    let mut rest = scenes.iter().filter(after).skip(page.offset as usize);
    let shown: Vec<&pb::Scene> = rest.by_ref().take(limit).collect();
    let next = shown.last().map(|last| i64::from(last.index)).filter(|_| rest.next().is_some());
    (shown, next)
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

/// The scene that a path names: the job is looked for first, then the scene, then whose it is.
async fn find(app: &App, job_path: &str, scene_path: &str) -> Result<(pb::Job, pb::Scene), Problem> {
    let job = jobs::find(app, job_path).await?;
    match job.scenes.iter().find(|scene| scene.id == scene_path).cloned() {
        Some(scene) => Ok((job, scene)),
        None => Err(elsewhere(app, job_path, scene_path).await),
    }
}

/// A scene that the job does not have: it is another job's, or nobody's.
async fn elsewhere(app: &App, job_path: &str, scene_path: &str) -> Problem {
    let request = pb::GetSceneRequest { scene_id: scene_path.to_owned() };
    match app.backends.job().get_scene(request).await.map_err(ServiceError::from) {
        Ok(_) => Problem::flat(Kind::SceneOfAnotherJob, "Scene does not belong to this job")
            .with("scene_id", scene_path)
            .with("job_id", job_path),
        Err(error) if error.code == Code::NotFound => {
            Problem::flat(Kind::SceneNotFound, "Scene not found").with("scene_id", scene_path)
        }
        Err(error) => JOBS.refused(error),
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
