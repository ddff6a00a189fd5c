//! A job with the images of its scenes.

use std::collections::HashMap;

use axum::extract::State;
use protos::asset::v1::Asset;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::images::{of_campaign, shown, with_assets};
use crate::{
    app::App,
    params::InPath,
    problem::{Problem, ProblemSchema},
    routes::{jobs, reply::Reply, text},
};

/// A job with the images of its scenes.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobPreview {
    success: bool,
    job_id: i32,
    job_type: String,
    status: String,
    scene_count: usize,
    /// Images that the scenes show, each once.
    total_assets: usize,
    /// Scenes of the storyboard, each with `assets` and `asset_count`.
    #[schema(value_type = Vec<Object>)]
    scenes: Vec<Value>,
    #[schema(value_type = Object)]
    parameters: Map<String, Value>,
}

/// Shows the storyboard of a job with the images of its scenes.
#[utoipa::path(
    get, path = "/api/v3/testing/jobs/{id}/preview", tag = "Testing", operation_id = "preview_job",
    params(("id" = String, Path, description = "Job id, an integer")),
    responses(
        (status = 200, description = "The job", body = JobPreview),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn preview(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Reply<JobPreview>, Problem> {
    let job = jobs::find(&app, &id).await?;
    let assets = of_campaign(&app, &job.campaign_id).await?;
    let assets: HashMap<&str, &Asset> = assets.iter().map(|asset| (asset.id.as_str(), asset)).collect();
    let storyboard = text::object(Some(&job.storyboard_json)).unwrap_or_default();
    let scenes = storyboard.get("scenes").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut used: Vec<String> = Vec::new();
    let scenes: Vec<Value> = scenes
        .into_iter()
        .map(|scene| {
            let mut scene = with_assets(scene, "assets", &assets, shown);
            let found = scene.get("assets").and_then(Value::as_array).cloned().unwrap_or_default();
            used.extend(found.iter().filter_map(|asset| asset["id"].as_str().map(str::to_owned)));
            scene["asset_count"] = json!(found.len());
            scene
        })
        .collect();
    used.sort();
    used.dedup();
    Ok(Reply::ok(JobPreview {
        success: true,
        job_id: job.id,
        job_type: job.kind,
        status: job.status,
        scene_count: scenes.len(),
        total_assets: used.len(),
        scenes,
        parameters: text::object(Some(&job.parameters_json)).unwrap_or_default(),
    }))
}
