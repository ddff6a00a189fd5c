//! Pages of jobs, videos and scenes.

use jiff::Timestamp;
use job_domain::{
    JobStatus, SceneStatus,
    state::{JobKind, Scene},
};
use kit::ServiceError;
use protos::job::v1 as pb;

use crate::{
    app::App,
    error::database,
    store::{self, JobFilter, Page, Place, SceneFilter},
    view,
};

/// Entries per page when the caller does not say, and at most.
const PAGE: u32 = 25;
const LARGEST_PAGE: u32 = 100;

fn place(after: Option<i64>, limit: u32, offset: u32) -> Place {
    let limit = if limit == 0 { PAGE } else { limit.min(LARGEST_PAGE) };
    Place { after, limit, offset }
}

/// Jobs whose video plays, newest first.
///
/// # Errors
/// The database failed.
pub async fn videos(app: &App, request: pb::ListVideosRequest) -> Result<pb::ListVideosReply, ServiceError> {
    let filter = JobFilter {
        job: request.job_id,
        campaign: request.campaign_id,
        client: request.client_id,
        playable: true,
        ..JobFilter::default()
    };
    let place = place(request.after, request.limit, request.offset);
    let Page { rows, total, next } = store::jobs(app.log(), &filter, place).await.map_err(database)?;
    let mut jobs = Vec::with_capacity(rows.len());
    for id in rows {
        jobs.push(view::job(&*app.get(id).await?));
    }
    Ok(pb::ListVideosReply { jobs, total, next })
}

/// Jobs, newest first.
///
/// # Errors
/// A filter is not understood, or the database failed.
pub async fn jobs(app: &App, request: pb::ListJobsRequest) -> Result<pb::ListJobsReply, ServiceError> {
    let place = place(request.after, request.limit, request.offset);
    let Page { rows, total, next } =
        store::jobs(app.log(), &filter(request)?, place).await.map_err(database)?;
    let mut jobs = Vec::with_capacity(rows.len());
    for id in rows {
        jobs.push(view::line(&*app.get(id).await?));
    }
    Ok(pb::ListJobsReply { jobs, total, next })
}

fn filter(request: pb::ListJobsRequest) -> Result<JobFilter, ServiceError> {
    let mut wrong = Vec::new();
    if request.status.as_deref().is_some_and(|word| JobStatus::from_word(word).is_none()) {
        let words = JobStatus::ALL.map(JobStatus::as_str).join(", ");
        wrong.push(("status", format!("is invalid; use one of {words}")));
    }
    if request.kind.as_deref().is_some_and(|word| JobKind::from_word(word).is_none()) {
        let words = JobKind::ALL.map(JobKind::as_str).join(", ");
        wrong.push(("type", format!("is invalid; use one of {words}")));
    }
    let mut time = |field: &'static str, text: Option<String>| -> Option<Timestamp> {
        let time = text?.parse().ok();
        if time.is_none() {
            wrong.push((field, "is invalid; use a time such as 2026-03-04T05:06:07Z".to_owned()));
        }
        time
    };
    let created_after = time("created_after", request.created_after);
    let created_before = time("created_before", request.created_before);
    if !wrong.is_empty() {
        return Err(ServiceError::validation(wrong));
    }
    Ok(JobFilter {
        job: None,
        campaign: request.campaign_id,
        client: request.client_id,
        status: request.status,
        kind: request.kind,
        created_after,
        created_before,
        playable: false,
    })
}

/// Scenes of all jobs, newest job first.
///
/// # Errors
/// The status is not understood, or the database failed.
pub async fn scenes(app: &App, request: pb::ListScenesRequest) -> Result<pb::ListScenesReply, ServiceError> {
    if request.status.as_deref().is_some_and(|word| SceneStatus::from_word(word).is_none()) {
        let words = SceneStatus::ALL.map(SceneStatus::as_str).join(", ");
        return Err(ServiceError::validation([("status", format!("is invalid; use one of {words}"))]));
    }
    let filter = SceneFilter { status: request.status, client: request.client_id };
    let place = place(request.after, request.limit, request.offset);
    let Page { rows, total, next } = store::scenes(app.log(), &filter, place).await.map_err(database)?;
    let mut scenes = Vec::with_capacity(rows.len());
    for listed in rows {
        let job = app.get(listed.job).await?;
        // One that was taken out since the page was read is in no list.
        if let Some(scene) = job.job.scene(&listed.scene) {
            scenes.push(shown(&job.job, scene));
        }
    }
    Ok(pb::ListScenesReply { scenes, total, next })
}

fn shown(job: &job_domain::Job, scene: &Scene) -> pb::ListedScene {
    let (job_id, video_model) = (job.id, job.model.clone());
    pb::ListedScene { job_id, scene: Some(view::scene(job, scene)), video_model }
}
