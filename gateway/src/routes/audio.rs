//! The soundtrack of a job.

use axum::{extract::State, response::Response};
use http::StatusCode;
use kit::{Code, ServiceError, signing::BadSignature};
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{jobs, media::described, reply::Reply, text};
use crate::{
    app::App,
    media::{Media, MediaRequest},
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{JOBS, Kind, Problem, ProblemSchema},
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

/// A soundtrack to make.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewSoundtrack {
    #[schema(value_type = i32)]
    job_id: Value,
    /// `prompt`, `fade_duration` (seconds, 1), `sync_mode` (`trim`, `stretch` or `compress`), `merge_with_video`
    /// (false), `error_strategy` (`continue_with_silence` or `halt`).
    #[schema(value_type = Option<Object>)]
    audio_params: Option<Value>,
}

/// A soundtrack that is being made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Started {
    job_id: i32,
    status: &'static str,
    message: &'static str,
    audio_status: StartedStatus,
}

/// When a soundtrack was asked for, and about how long it takes.
#[derive(Serialize, ToSchema)]
pub(crate) struct StartedStatus {
    /// RFC 3339, UTC.
    started_at: String,
    estimated_duration: String,
}

/// Makes a new soundtrack for a job, which costs money. It waits until no other music of the job is being made.
#[utoipa::path(
    post, path = "/api/v3/audio/generate-scenes", tag = "Audio", operation_id = "generate_audio",
    request_body = NewSoundtrack,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key buys a soundtrack once")),
    responses(
        (status = 202, description = "It is being made, or waits its turn", body = Started),
        (status = 400, description = "No job named, or `audio_params` is no object", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The job has no storyboard or is canceled, or some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn generate_scenes(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Started>, Problem> {
    let named = match Fields::of(&params).present("job_id", &[]) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => {
            return Err(Problem::flat(Kind::MissingField, "Missing required parameter: job_id"));
        }
    };
    let wishes = match Fields::of(&params).present("audio_params", &[]) {
        None => Params::default(),
        Some(Value::Object(object)) => Params::of_object(object.clone()),
        Some(_) => return Err(Problem::flat(Kind::BadRequest, "Invalid audio parameters")),
    };
    let job_id = text::job_id(&named).ok_or_else(|| Problem::job_not_found(&named))?;
    let request = wish(command_id, job_id, &wishes)?;
    let wished = app.backends.pipeline().wish_soundtrack(request).await;
    let job = wished.map_err(|status| refused(ServiceError::from(status), &named))?.into_inner();
    let started = Started {
        job_id: job.id,
        status: "processing",
        message: "Audio generation started",
        audio_status: StartedStatus {
            started_at: job.updated_at,
            estimated_duration: format!("~{}s", 10 * job.scenes.len().max(1)),
        },
    };
    Ok(Reply(StatusCode::ACCEPTED, started))
}

fn wish(command_id: String, job_id: i32, params: &Params) -> Result<pb::WishSoundtrackRequest, Problem> {
    let mut fields = Fields::of(params);
    let fade = fields.number("fade_duration", &[]).map(|seconds| {
        let is_length = (0.0..=86_400.0).contains(&seconds);
        if !is_length {
            fields.reject::<()>("audio_params.fade_duration", "must be from 0 to 10 seconds");
        }
        (seconds * 1000.0).round() as i64
    });
    let merge = match fields.present("merge_with_video", &[]) {
        Some(Value::Bool(merge)) => *merge,
        Some(Value::String(word)) => word == "true",
        _ => false,
    };
    let request = pb::WishSoundtrackRequest {
        command_id,
        job_id,
        prompt: fields.text("prompt", &[]),
        fade_ms: fade,
        sync_mode: fields.text("sync_mode", &[]).unwrap_or_default(),
        merge_with_video: merge,
        error_strategy: fields.text("error_strategy", &[]).unwrap_or_default(),
    };
    fields.finish(JOBS.family())?;
    Ok(request)
}

fn refused(error: ServiceError, job_id: &str) -> Problem {
    match (error.code, error.facts.get("reason")) {
        (Code::Precondition, Some(reason)) => {
            Problem::flat(Kind::NotAllowed, reason.clone()).with("job_id", job_id)
        }
        _ => JOBS.refused(error).with("job_id", job_id),
    }
}

/// A piece of music that the music provider goes on from; the token names it and ends soon.
#[utoipa::path(
    get, path = "/api/v3/audio/segments/{token}", tag = "Audio", operation_id = "get_audio_segment",
    params(("token" = String, Path, description = "Made by us for one prediction")),
    responses(
        (status = 200, description = "The piece", content_type = "audio/mpeg"),
        (status = 206, description = "A range of it", content_type = "audio/mpeg"),
        (status = 304, description = "The caller has it"),
        (status = 307, description = "Where the bytes are, when they come straight from the object store"),
        (status = 404, description = "Not a token of ours, expired, or the bytes are gone", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The object store cannot be read; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn segment(
    State(app): State<App>,
    InPath(token): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let gone = |text: &str| Problem::flat(Kind::AudioSegmentGone, text);
    let sha256 = app.signer.open_token(&token, app.clock.now()).map_err(|bad| match bad {
        BadSignature::Expired => gone("Audio segment expired"),
        BadSignature::Wrong => gone("Audio segment not found"),
    })?;
    let blob = described(&app.blobs, sha256.to_owned()).await.map_err(|problem| {
        if problem.is(Kind::NotFound) {
            gone("Audio segment not found")
        } else {
            Problem::flat(Kind::Unavailable, "Audio segment store unavailable")
        }
    })?;
    let name = format!("segment_{token}.{}", extension(&blob.content_type));
    request.answer(&app, Media::attachment(blob, &name)).await
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
