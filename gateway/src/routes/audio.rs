//! The soundtrack of a job.

use axum::{extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{jobs, reply::Reply};
use crate::{
    app::App,
    media::{Media, MediaRequest},
    params::InPath,
    problem::{Kind, Problem, ProblemSchema},
};

/// How far the soundtrack of a job is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AudioReply {
    job_id: i32,
    audio_status: AudioStatus,
}

/// How far a soundtrack is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AudioStatus {
    /// `not_started`, `pending`, `generating`, `completed`, `completed_and_merged`, `skipped` or `failed`.
    status: String,
    /// RFC 3339, UTC.
    #[schema(required)]
    started_at: Option<String>,
    #[schema(required)]
    generated_at: Option<String>,
    /// Bytes.
    #[schema(required)]
    size: Option<u64>,
    merged_with_video: bool,
    /// Why there is no soundtrack, for a person.
    #[schema(required)]
    error: Option<String>,
}

/// Shows how far the soundtrack of a job is.
#[utoipa::path(
    get, path = "/api/v3/audio/status/{job_id}", tag = "Audio", operation_id = "get_audio_status",
    params(("job_id" = String, Path, description = "Job id, an integer")),
    responses(
        (status = 200, description = "How far it is", body = AudioReply),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn status(
    State(app): State<App>,
    InPath(job_id): InPath<String>,
) -> Result<Reply<AudioReply>, Problem> {
    let job = jobs::find(&app, &job_id).await?;
    let audio = job.audio.unwrap_or_default();
    let status = if audio.status.is_empty() { "not_started".to_owned() } else { audio.status };
    let audio_status = AudioStatus {
        merged_with_video: status == "completed_and_merged",
        status,
        started_at: audio.started_at,
        generated_at: audio.generated_at,
        size: audio.soundtrack.map(|soundtrack| soundtrack.size),
        error: audio.error,
    };
    Ok(Reply::ok(AudioReply { job_id: job.id, audio_status }))
}

/// The soundtrack of a job, to save.
#[utoipa::path(
    get, path = "/api/v3/audio/{job_id}/download", tag = "Audio", operation_id = "download_audio",
    params(("job_id" = String, Path, description = "Job id, an integer"), ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (status = 200, description = "The soundtrack", content_type = "audio/mpeg"),
        (status = 206, description = "A range of it", content_type = "audio/mpeg"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "Job not found, or no soundtrack", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "The range starts past the end", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn download(
    State(app): State<App>,
    InPath(job_id): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let job = jobs::find(&app, &job_id).await?;
    let soundtrack = job
        .audio
        .and_then(|audio| audio.soundtrack)
        .ok_or_else(|| Problem::flat(Kind::AudioNotReady, "Audio not ready or not generated"))?;
    let name = format!("audio_{}.{}", job.id, extension(&soundtrack.content_type));
    request.answer(&app, Media::attachment(soundtrack, &name)).await
}

/// What files of a type are called; the contract's when in doubt.
fn extension(content_type: &str) -> &'static str {
    match content_type {
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/mp4" | "audio/m4a" | "audio/x-m4a" => "m4a",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/ogg" => "ogg",
        _ => "mp3",
    }
}
