//! Jobs: storyboards that become videos.

mod brief;
mod create;
mod decide;
mod dry_run;
mod list;
mod of_campaign;
mod storyboard;
pub(crate) mod view;

use axum::extract::State;
use protos::job::v1 as pb;

use super::{reply::Reply, text};
use crate::{
    app::App,
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
pub(crate) async fn get(State(app): State<App>, InPath(id): InPath<String>) -> Result<Reply<Job>, Problem> {
    let job = find(&app, &id).await?;
    Ok(Reply::ok(Job::shown(&app, job)))
}

/// The job that a path names.
pub(crate) async fn find(app: &App, path_id: &str) -> Result<pb::Job, Problem> {
    let job_id = text::job_id(path_id).ok_or_else(|| Problem::job_not_found(path_id))?;
    let found = app.backends.job().get_job(pb::GetJobRequest { job_id }).await;
    Ok(found.map_err(|status| JOBS.problem(status).with("job_id", path_id))?.into_inner())
}
