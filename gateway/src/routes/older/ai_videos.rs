//! Clips of all jobs, exactly as an older page decodes them: it fails as a whole when a member that it needs is null.

use axum::extract::State;
use protos::job::v1 as pb;
use serde::Serialize;
use utoipa::ToSchema;

use super::{PagedMeta, part};
use crate::{
    app::App,
    paging::{Bounds, Listed},
    params::{Fields, Params},
    problem::{JOBS, Problem, ProblemSchema},
    routes::{reply::Reply, text},
};

/// Clips per page.
const PAGE: Bounds = Bounds { default: 20, most: 100 };

/// A page of clips.
#[derive(Serialize, ToSchema)]
pub(crate) struct AiVideosReply {
    data: AiVideos,
    /// Always null; errors are problem documents.
    #[schema(required, value_type = Option<String>)]
    error: Option<&'static str>,
    meta: PagedMeta,
}

/// The clips of the page.
#[derive(Serialize, ToSchema)]
pub(crate) struct AiVideos {
    videos: Vec<AiVideo>,
    /// All that match, on every page.
    total: u64,
}

/// A clip. Only `errorMessage` and `completedAt` may be missing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AiVideo {
    /// Id of the scene.
    id: String,
    job_id: i32,
    /// From 1.
    sub_job_number: i32,
    model_id: String,
    /// Empty until there is a clip; signed, and good for a while, when keys are needed.
    video_url: String,
    /// A picture of the clip, or empty.
    thumbnail_url: String,
    status: String,
    /// Of the clip, or wanted.
    duration_seconds: f64,
    /// 0 to 1.
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    /// RFC 3339, UTC.
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
    prompt: String,
    /// First and last frame.
    asset_ids: [String; 2],
}

/// Lists clips of all jobs, those of the newest job first.
#[utoipa::path(
    get, path = "/api/v3/ai-videos", tag = "Videos", operation_id = "list_ai_videos",
    params(
        ("status" = Option<String>, Query, description = "pending, processing, completed or failed; all when absent or `all`"),
        ("client_id" = Option<String>, Query, description = "Only this client's"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of clips", body = AiVideosReply),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The status is not understood", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<AiVideosReply>, Problem> {
    let mut fields = Fields::of(&params);
    let status = text::filled(fields.text("status", &[])).filter(|status| status != "all");
    let client_id = text::filled(fields.text("client_id", &[]));
    fields.finish(JOBS.family())?;
    let filters = [("status", status.as_deref()), ("client_id", client_id.as_deref())];
    let listed = Listed::new("ai-videos", &filters);
    let page = listed.page(&app.signer, &params, PAGE, JOBS.family())?;
    let request = pb::ListScenesRequest {
        status,
        client_id,
        limit: page.limit,
        offset: page.offset,
        after: page.after,
    };
    let reply = app.backends.job().list_scenes(request).await.map_err(|status| JOBS.problem(status))?;
    let reply = reply.into_inner();
    let videos = reply.scenes.into_iter().map(|listed| AiVideo::of(&app, listed)).collect();
    let next_cursor = listed.cursor(&app.signer, reply.next);
    Ok(Reply::ok(AiVideosReply {
        data: AiVideos { videos, total: reply.total },
        error: None,
        meta: PagedMeta::new(&app, next_cursor),
    }))
}

impl AiVideo {
    fn of(app: &App, listed: pb::ListedScene) -> Self {
        let scene = listed.scene.unwrap_or_default();
        let clip = format!("/api/v3/videos/{}/clips/{}", listed.job_id, scene.id);
        let link = |path: String| if scene.clip.is_some() { app.link(&path) } else { String::new() };
        let number = scene.index + 1;
        let prompt = text::filled(Some(scene.prompt));
        Self {
            video_url: link(format!("{clip}.mp4")),
            thumbnail_url: link(format!("{clip}/thumbnail")),
            job_id: listed.job_id,
            sub_job_number: number,
            model_id: listed.video_model,
            duration_seconds: scene.clip_duration_ms.map_or(f64::from(scene.billed_seconds), text::seconds),
            progress: part(scene.progress),
            error_message: scene.error,
            created_at: scene.created_at,
            completed_at: scene.ended_at,
            prompt: prompt.unwrap_or_else(|| format!("Job {} - Clip {number}", listed.job_id)),
            asset_ids: [scene.first_asset_id, scene.last_asset_id],
            status: scene.status,
            id: scene.id,
        }
    }
}
