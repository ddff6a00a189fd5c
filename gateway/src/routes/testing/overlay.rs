//! Texts over videos.

use axum::extract::State;
use http::StatusCode;
use protos::stitch::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{FAMILY, failed, inside, media::Kept, millis, missing, name_of, required_text};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, Params},
    problem::{Kind, Problem, ProblemSchema},
    routes::{jobs, reply::Reply, text},
};

/// A text, and how it looks.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewOverlay {
    /// A job with a video; not for a preview.
    #[schema(value_type = Option<i32>)]
    job_id: Option<Value>,
    text: String,
    /// `font`, `font_size`, `color`, `position`, `fade_in`, `fade_out`, `start_time`, `duration`.
    #[schema(value_type = Option<Object>)]
    options: Option<Value>,
}

/// A video with a text over it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Overlaid {
    success: bool,
    /// `completed`, or `processing` when it takes longer than an answer may.
    status: &'static str,
    job_id: i32,
    text: String,
    /// Those that were recognised.
    #[schema(value_type = Object)]
    options: Map<String, Value>,
    /// Bytes of the video without the text.
    original_size: u64,
    /// Bytes with it, once it is there.
    #[schema(required)]
    output_size: Option<u64>,
    /// Where the video with the text is.
    video_url: String,
}

/// How a text would look.
#[derive(Serialize, ToSchema)]
pub(crate) struct Previewed {
    success: bool,
    preview: Preview,
}

/// A text with everything that holds for it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Preview {
    text: String,
    font: String,
    font_size: u32,
    color: String,
    /// As ffmpeg says it, for a picture 720 high.
    position: String,
    /// Seconds, like the three after it.
    fade_in: f64,
    fade_out: f64,
    start_time: f64,
    /// None: to the end.
    #[schema(required)]
    duration: Option<f64>,
}

/// Lays a text over the video of a job; the job keeps its own video.
#[utoipa::path(
    post, path = "/api/v3/testing/overlay/text", tag = "Testing", operation_id = "overlay_text",
    request_body = NewOverlay,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses(
        (status = 200, description = "The video with the text is there", body = Overlaid),
        (status = 202, description = "It is being made, and will be at `video_url`", body = Overlaid),
        (status = 400, description = "A field is missing, or the job has no video", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some options are wrong, or it could not be made", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn lay(
    State(app): State<App>,
    _: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Overlaid>, Problem> {
    let job_id = Fields::of(&params).present("job_id", &[]).cloned().ok_or_else(|| missing("job_id"))?;
    let job_id = match job_id {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let (overlay, options) = read(&params)?;
    let job = jobs::find(&app, &job_id).await?;
    let video = job.video.ok_or_else(|| Problem::flat(Kind::BadRequest, "Job has no video result yet"))?;
    let parts = format!("{overlay:?}");
    let kept = Kept::Overlay { job: job.id, name: name_of(&[&video.sha256, &parts]) };
    let request = pb::RequestOverlayRequest {
        key: kept.key(),
        digest: name_of(&[&video.sha256, &parts]),
        job_id: job.id,
        video: Some(video.clone()),
        overlay: Some(overlay.clone()),
    };
    app.backends.overlay().request_overlay(request).await.map_err(failed)?;
    let made = kept.made(&app).await?;
    let (code, status) = match &made {
        Some(_) => (StatusCode::OK, "completed"),
        None => (StatusCode::ACCEPTED, "processing"),
    };
    let body = Overlaid {
        success: true,
        status,
        job_id: job.id,
        text: overlay.text,
        options,
        original_size: video.size,
        output_size: made.map(|made| made.blob.size),
        video_url: kept.url(&app),
    };
    Ok(Reply(code, body))
}

/// Shows how a text would look; nothing is made.
#[utoipa::path(
    post, path = "/api/v3/testing/overlay/preview", tag = "Testing", operation_id = "preview_overlay",
    request_body = NewOverlay,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses(
        (status = 200, description = "How it would look", body = Previewed),
        (status = 400, description = "A field is missing", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some options are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn preview(
    State(app): State<App>,
    _: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Previewed>, Problem> {
    let (overlay, _) = read(&params)?;
    let shown = app.backends.overlay().preview_overlay(overlay).await.map_err(failed)?.into_inner();
    let overlay = shown.overlay.unwrap_or_default();
    let preview = Preview {
        text: overlay.text,
        font: overlay.font,
        font_size: overlay.font_size,
        color: overlay.color,
        position: shown.expression,
        fade_in: text::seconds(overlay.fade_in_ms.unwrap_or_default()),
        fade_out: text::seconds(overlay.fade_out_ms.unwrap_or_default()),
        start_time: text::seconds(overlay.start_ms),
        duration: overlay.duration_ms.map(text::seconds),
    };
    Ok(Reply::ok(Previewed { success: true, preview }))
}

/// The text with its options, and the options that were recognised as they came.
fn read(params: &Params) -> Result<(pb::Overlay, Map<String, Value>), Problem> {
    const OPTIONS: [&str; 8] =
        ["font", "font_size", "color", "position", "fade_in", "fade_out", "start_time", "duration"];
    let words = required_text(params, "text")?;
    let mut fields = Fields::of(params);
    let (overlay, recognised) = inside(&mut fields, "options", |options| {
        let font_size = options.integer("font_size", &[]);
        let font_size = font_size.map(|size| match u32::try_from(size) {
            Ok(size) if size > 0 => size,
            _ => options.reject("font_size", "must be from 8 to 400").unwrap_or_default(),
        });
        let (position, at) = position(options);
        let overlay = pb::Overlay {
            text: words,
            font: options.text("font", &[]).unwrap_or_default(),
            font_size: font_size.unwrap_or_default(),
            color: options.text("color", &[]).unwrap_or_default(),
            position: position.unwrap_or_default(),
            fade_in_ms: millis(options, "fade_in"),
            fade_out_ms: millis(options, "fade_out"),
            start_ms: millis(options, "start_time").unwrap_or_default(),
            duration_ms: millis(options, "duration"),
            x: at.map(|(x, _)| x),
            y: at.map(|(_, y)| y),
        };
        let mut recognised = Map::new();
        for name in OPTIONS {
            if let Some(value) = options.present(name, &[]) {
                recognised.insert(name.to_owned(), json!(value));
            }
        }
        (overlay, recognised)
    });
    fields.finish(FAMILY)?;
    Ok((overlay, recognised))
}

/// The name of a place, or `{"x": 40, "y": 60}` in pixels.
fn position(options: &mut Fields<'_>) -> (Option<String>, Option<(u32, u32)>) {
    let Some(Value::Object(corner)) = options.present("position", &[]) else {
        return (options.text("position", &[]), None);
    };
    let side =
        |name: &str| corner.get(name).and_then(Value::as_u64).and_then(|side| u32::try_from(side).ok());
    match side("x").zip(side("y")) {
        Some(at) => (None, Some(at)),
        None => {
            options.reject::<()>(
                "position",
                "must be the name of a place, or whole numbers of pixels for x and y",
            );
            (None, None)
        }
    }
}
