//! Jobs: storyboards that become videos.

mod brief;
mod create;
mod decide;
mod dry_run;
mod list;
mod of_campaign;
mod storyboard;
pub(crate) mod view;

use std::sync::{Arc, OnceLock};

use axum::{extract::State, response::Response};
use http::HeaderMap;
use protos::job::v1 as pb;

use super::{reply, text};
use crate::{
    app::{App, HeldJob},
    held::may_be_held,
    params::InPath,
    problem::{JOBS, Problem, ProblemSchema},
};
use view::Job;

pub(crate) use brief::{
    __path_create_from_brief, __path_dry_run_from_brief, create_from_brief, dry_run_from_brief,
};
pub(crate) use create::{
    __path_create_from_image_pairs, __path_create_from_property_photos, create_from_image_pairs,
    create_from_property_photos,
};
pub(crate) use decide::{__path_approve, __path_cancel, approve, approved, cancel, canceled};
pub(crate) use list::{__path_list, list};
pub(crate) use of_campaign::{__path_create_of_campaign, create_of_campaign};
pub(crate) use storyboard::{__path_edit_scene, __path_reorder, edit_scene, reorder};

/// Shows a job with its progress, scenes and video.
#[utoipa::path(
    get, path = "/api/v3/jobs/{id}", tag = "Jobs", operation_id = "get_job",
    params(("id" = String, Path, description = "Job id, an integer")),
    responses(
        (status = 200, description = "The job", body = Job),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    InPath(id): InPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let held = held(&app, &id, &headers).await?;
    if let Some(shown) = held.shown.get() {
        return Ok(reply::json(shown.clone()));
    }
    let shown = serde_json::to_vec(&Job::shown(&app, held.job.clone())).map_err(|error| {
        tracing::error!(%error, "a job could not be written as JSON");
        Problem::internal()
    })?;
    Ok(reply::json(held.shown.get_or_init(|| shown.into()).clone()))
}

/// The job that a path names, perhaps as it was a moment ago.
pub(crate) async fn held(app: &App, path_id: &str, headers: &HeaderMap) -> Result<Arc<HeldJob>, Problem> {
    let job_id = text::job_id(path_id).ok_or_else(|| Problem::job_not_found(path_id))?;
    let read = async {
        let job = find(app, path_id).await?;
        Ok(HeldJob { job, shown: OnceLock::new() })
    };
    app.jobs.get(&job_id, !may_be_held(headers), read).await
}

/// The job that a path names.
pub(crate) async fn find(app: &App, path_id: &str) -> Result<pb::Job, Problem> {
    let job_id = text::job_id(path_id).ok_or_else(|| Problem::job_not_found(path_id))?;
    let found = app.backends.job().get_job(pb::GetJobRequest { job_id }).await;
    Ok(found.map_err(|status| JOBS.problem(status).with("job_id", path_id))?.into_inner())
}
