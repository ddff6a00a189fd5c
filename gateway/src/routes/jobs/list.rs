//! Jobs, newest first.

use axum::extract::State;
use protos::job::v1 as pb;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    super::{reply::Reply, text},
    view::{Costs, JobLinks, Progress},
};
use crate::{
    app::App,
    paging::{Bounds, Listed},
    params::{Fields, Params},
    problem::{JOBS, Problem, ProblemSchema},
};

/// Jobs per page.
const PAGE: Bounds = Bounds { default: 25, most: 100 };

/// A job as a line of a list; `GET /jobs/{id}` also has its storyboard, parameters and scenes.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedJob {
    job_id: i32,
    /// `image_pairs` or `property_photos`.
    r#type: String,
    status: String,
    #[schema(required)]
    outcome: Option<String>,
    video_name: String,
    #[schema(required)]
    campaign_id: Option<String>,
    #[schema(required)]
    client_id: Option<String>,
    estimated_cost: f64,
    /// Spent so far.
    actual_cost: f64,
    costs: Costs,
    /// 0 to 100.
    progress_percentage: u32,
    current_stage: String,
    progress: Progress,
    /// Why it failed, for a person.
    #[schema(required)]
    error: Option<String>,
    #[schema(required)]
    video_url: Option<String>,
    /// Seconds.
    #[schema(required)]
    video_duration: Option<f64>,
    video_model: String,
    links: JobLinks,
    /// RFC 3339, UTC.
    created_at: String,
    inserted_at: String,
    updated_at: String,
}

/// A page of jobs.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobList {
    data: Vec<ListedJob>,
    meta: JobPage,
}

/// Where a page of jobs lies.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobPage {
    /// On this page.
    count: usize,
    /// All that match, on every page.
    total: u64,
    limit: u32,
    offset: u32,
    /// `cursor` of the next page; null when no jobs follow.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists jobs, newest first.
#[utoipa::path(
    get, path = "/api/v3/jobs", tag = "Jobs", operation_id = "list_jobs",
    params(
        ("status" = Option<String>, Query, description = "pending, approved, processing, completed, failed or canceled"),
        ("campaign_id" = Option<String>, Query, description = "Only this campaign's"),
        ("client_id" = Option<String>, Query, description = "Only this client's"),
        ("type" = Option<String>, Query, description = "image_pairs or property_photos"),
        ("created_after" = Option<String>, Query, description = "Made then or later, RFC 3339"),
        ("created_before" = Option<String>, Query, description = "Made before, RFC 3339"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 25 when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = JobList),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "A filter is not understood", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<JobList>, Problem> {
    let mut fields = Fields::of(&params);
    let mut filter = |name: &str, aliases: &[&str]| text::filled(fields.text(name, aliases));
    let request = pb::ListJobsRequest {
        status: filter("status", &[]),
        campaign_id: filter("campaign_id", &[]),
        client_id: filter("client_id", &[]),
        kind: filter("type", &["job_type"]),
        created_after: filter("created_after", &[]),
        created_before: filter("created_before", &[]),
        ..pb::ListJobsRequest::default()
    };
    fields.finish(JOBS.family())?;
    let listed = Listed::new(
        "jobs",
        &[
            ("status", request.status.as_deref()),
            ("campaign_id", request.campaign_id.as_deref()),
            ("client_id", request.client_id.as_deref()),
            ("type", request.kind.as_deref()),
            ("created_after", request.created_after.as_deref()),
            ("created_before", request.created_before.as_deref()),
        ],
    );
    let page = listed.page(&app.signer, &params, PAGE, JOBS.family())?;
    let request =
        pb::ListJobsRequest { limit: page.limit, offset: page.offset, after: page.after, ..request };
    let reply = app.backends.job().list_jobs(request).await.map_err(|status| JOBS.problem(status))?;
    let reply = reply.into_inner();
    let data: Vec<_> = reply.jobs.into_iter().map(|job| shown(&app, job)).collect();
    let meta = JobPage {
        count: data.len(),
        total: reply.total,
        limit: page.limit,
        offset: page.offset,
        next_cursor: listed.cursor(&app.signer, reply.next),
    };
    Ok(Reply::ok(JobList { data, meta }))
}

fn shown(app: &App, job: pb::Job) -> ListedJob {
    let progress = Progress::from(job.progress.clone());
    ListedJob {
        costs: Costs::of(&job),
        links: JobLinks::of(app, &job),
        job_id: job.id,
        r#type: job.kind,
        status: job.status,
        outcome: job.outcome,
        video_name: job.video_name,
        campaign_id: text::filled(Some(job.campaign_id)),
        client_id: job.client_id,
        estimated_cost: text::dollars(job.estimated_cost_micros),
        actual_cost: text::dollars(job.actual_cost_micros),
        progress_percentage: progress.percentage,
        current_stage: progress.stage.clone(),
        progress,
        error: job.error,
        video_url: job.video.map(|_| format!("/api/v3/videos/{}/combined", job.id)),
        video_duration: job.video_duration_ms.map(text::seconds),
        video_model: job.video_model,
        created_at: job.created_at.clone(),
        inserted_at: job.created_at,
        updated_at: job.updated_at,
    }
}
