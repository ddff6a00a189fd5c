//! Videos that play, of all jobs.

use axum::extract::State;
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    jobs::view::{Costs, JobLinks},
    reply::Reply,
    text,
};
use crate::{
    app::App,
    paging::{Bounds, Listed},
    params::{Fields, Params},
    problem::{JOBS, Problem, ProblemSchema},
};

/// Videos per page.
const PAGE: Bounds = Bounds { default: 25, most: 100 };

/// A video and the job that made it.
#[derive(Serialize, ToSchema)]
pub(crate) struct GeneratedVideo {
    job_id: i32,
    video_name: String,
    status: String,
    #[schema(required)]
    outcome: Option<String>,
    r#type: String,
    estimated_cost: f64,
    actual_cost: f64,
    costs: Costs,
    #[schema(required)]
    campaign_id: Option<String>,
    #[schema(required)]
    client_id: Option<String>,
    /// RFC 3339, UTC.
    inserted_at: String,
    updated_at: String,
    #[schema(required, value_type = Option<Object>)]
    storyboard: Option<Value>,
    /// Of the storyboard, seconds.
    #[schema(required, value_type = Option<f64>)]
    total_duration: Option<Value>,
    /// Of the video, seconds.
    #[schema(required)]
    video_duration: Option<f64>,
    video_url: String,
    links: JobLinks,
}

/// A page of videos.
#[derive(Serialize, ToSchema)]
pub(crate) struct GeneratedVideos {
    data: Vec<GeneratedVideo>,
    meta: VideoPage,
}

/// Where a page of videos lies.
#[derive(Serialize, ToSchema)]
pub(crate) struct VideoPage {
    /// On this page.
    count: usize,
    /// All that match, on every page.
    total: u64,
    limit: u32,
    offset: u32,
    /// `cursor` of the next page; null when no videos follow.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists jobs with a video that plays, newest first.
#[utoipa::path(
    get, path = "/api/v3/generated-videos", tag = "Videos", operation_id = "list_generated_videos",
    params(
        ("job_id" = Option<i32>, Query, description = "Only this job's; what is no number is no filter"),
        ("campaign_id" = Option<String>, Query, description = "Only this campaign's"),
        ("client_id" = Option<String>, Query, description = "Only this client's"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 25 when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of videos", body = GeneratedVideos),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<GeneratedVideos>, Problem> {
    let mut fields = Fields::of(&params);
    let job_id = fields.lenient_integer("job_id");
    let campaign_id = text::filled(fields.text("campaign_id", &[]));
    let client_id = text::filled(fields.text("client_id", &[]));
    fields.finish(JOBS.family())?;
    let job_text = job_id.map(|id| id.to_string());
    let listed = Listed::new(
        "generated-videos",
        &[
            ("job_id", job_text.as_deref()),
            ("campaign_id", campaign_id.as_deref()),
            ("client_id", client_id.as_deref()),
        ],
    );
    let page = listed.page(&app.signer, &params, PAGE, JOBS.family())?;
    let request = pb::ListVideosRequest {
        // An id beyond all ids names no job; zero never does.
        job_id: job_id.map(|id| i32::try_from(id).unwrap_or_default()),
        campaign_id,
        client_id,
        limit: page.limit,
        offset: page.offset,
        after: page.after,
    };
    let reply = app.backends.job().list_videos(request).await.map_err(|status| JOBS.problem(status))?;
    let reply = reply.into_inner();
    let data: Vec<_> = reply.jobs.into_iter().map(|job| shown(&app, job)).collect();
    let meta = VideoPage {
        count: data.len(),
        total: reply.total,
        limit: page.limit,
        offset: page.offset,
        next_cursor: listed.cursor(&app.signer, reply.next),
    };
    Ok(Reply::ok(GeneratedVideos { data, meta }))
}

fn shown(app: &App, job: pb::Job) -> GeneratedVideo {
    let storyboard = text::json(&job.storyboard_json);
    GeneratedVideo {
        costs: Costs::of(&job),
        links: JobLinks::of(app, &job),
        video_url: format!("/api/v3/videos/{}/combined", job.id),
        total_duration: storyboard.as_ref().and_then(|board| board.get("total_duration").cloned()),
        storyboard,
        job_id: job.id,
        video_name: job.video_name,
        status: job.status,
        outcome: job.outcome,
        r#type: job.kind,
        estimated_cost: text::dollars(job.estimated_cost_micros),
        actual_cost: text::dollars(job.actual_cost_micros),
        campaign_id: text::filled(Some(job.campaign_id)),
        client_id: job.client_id,
        inserted_at: job.created_at,
        updated_at: job.updated_at,
        video_duration: job.video_duration_ms.map(text::seconds),
    }
}
