//! What a voice says over a video, and the voice.

use axum::extract::State;
use http::StatusCode;
use protos::{audio::v1 as audio, job::v1 as pb};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{FAMILY, failed, inside, media::Kept, name_of, number, required_text, texts};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, Params},
    problem::{Kind, Problem, ProblemSchema},
    routes::{reply::Reply, text},
};

/// Words a second of an even voice.
const WORDS_PER_SECOND: f64 = 2.5;

/// What a script is about.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewScript {
    /// `name`, `type`, `features`, `location`.
    #[schema(value_type = Option<Object>)]
    property_details: Option<Value>,
    /// Scenes in order, each with `title` and `description`.
    #[schema(value_type = Option<Vec<Object>>)]
    scenes: Option<Vec<Value>>,
    /// `tone`, `style`, `length` (`short`, `medium` or `long`).
    #[schema(value_type = Option<Object>)]
    options: Option<Value>,
}

/// A script.
#[derive(Serialize, ToSchema)]
pub(crate) struct Written {
    success: bool,
    /// Those that were recognised.
    #[schema(value_type = Object)]
    property_details: Map<String, Value>,
    scene_count: usize,
    script: Script,
    /// Who wrote it: `xai` or `template`.
    writer: String,
}

/// A script, whole and by scene.
#[derive(Serialize, ToSchema)]
pub(crate) struct Script {
    full_script: String,
    segments: Vec<Segment>,
}

/// What is said in one scene.
#[derive(Serialize, ToSchema)]
pub(crate) struct Segment {
    /// From 1.
    scene: usize,
    script: String,
}

/// A script to be spoken.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewVoice {
    script: String,
    /// `provider` (`elevenlabs`), `voice`, `stability`, `similarity_boost`, `speed`, `model`.
    #[schema(value_type = Option<Object>)]
    options: Option<Value>,
}

/// A script that was spoken.
#[derive(Serialize, ToSchema)]
pub(crate) struct Spoken {
    success: bool,
    /// `completed`, or `speaking` when it takes longer than an answer may.
    status: &'static str,
    script: String,
    /// Once it is there.
    #[schema(required)]
    audio_size_bytes: Option<u64>,
    /// Seconds: of the speech once it is there, else as the words let expect.
    estimated_duration: f64,
    /// Those that were recognised.
    #[schema(value_type = Object)]
    options: Map<String, Value>,
    /// Where the speech is.
    audio_url: String,
}

/// What an avatar would be like.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewAvatar {
    /// `talking_head` when there is none.
    avatar_type: Option<String>,
    /// `bottom_right` when there is none.
    position: Option<String>,
    /// `small` when there is none.
    size: Option<String>,
}

/// Writes what a voice would say over a video.
#[utoipa::path(
    post, path = "/api/v3/testing/voiceover/script", tag = "Testing", operation_id = "write_voiceover_script",
    request_body = NewScript,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses(
        (status = 200, description = "The script", body = Written),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The language model failed; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn script(
    State(app): State<App>,
    _: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Written>, Problem> {
    let mut fields = Fields::of(&params);
    let mut request = pb::PreviewScriptRequest::default();
    let property_details = inside(&mut fields, "property_details", |details| {
        request.name = details.text("name", &[]).unwrap_or_default();
        request.r#type = details.text("type", &[]).unwrap_or_default();
        request.location = details.text("location", &[]).unwrap_or_default();
        request.features = texts(details, "features").unwrap_or_default();
        recognised(details, &["name", "type", "features", "location"])
    });
    inside(&mut fields, "options", |options| {
        request.tone = options.text("tone", &[]).unwrap_or_default();
        request.style = options.text("style", &[]).unwrap_or_default();
        request.length = options.text("length", &[]).unwrap_or_default();
    });
    request.scenes = scenes(&mut fields);
    fields.finish(FAMILY)?;
    let scene_count = request.scenes.len();
    let written = app.backends.pipeline().preview_script(request).await.map_err(failed)?.into_inner();
    let segments = written.segments.into_iter().zip(1..).map(|(script, scene)| Segment { scene, script });
    Ok(Reply::ok(Written {
        success: true,
        property_details,
        scene_count,
        script: Script { full_script: written.full_script, segments: segments.collect() },
        writer: written.writer,
    }))
}

fn scenes(fields: &mut Fields<'_>) -> Vec<pb::ScriptScene> {
    let given = match fields.present("scenes", &[]) {
        None => return Vec::new(),
        Some(Value::Array(given)) => given,
        Some(_) => {
            fields.reject::<()>("scenes", "must be an array of objects");
            return Vec::new();
        }
    };
    let mut scenes = Vec::with_capacity(given.len());
    for (index, scene) in given.iter().enumerate() {
        let params = Params::of_object(scene.as_object().cloned().unwrap_or_default());
        let mut own = Fields::of(&params);
        scenes.push(pb::ScriptScene {
            title: own.text("title", &[]).unwrap_or_default(),
            description: own.text("description", &[]).unwrap_or_default(),
        });
        let wrong = own.into_violations();
        if !scene.is_object() {
            fields.reject::<()>(&format!("scenes[{index}]"), "must be an object");
        }
        for (field, message) in wrong {
            fields.reject::<()>(&format!("scenes[{index}].{field}"), &message);
        }
    }
    scenes
}

fn recognised(fields: &Fields<'_>, names: &[&str]) -> Map<String, Value> {
    let value = |name: &&str| Some(((*name).to_owned(), json!(fields.present(name, &[])?)));
    names.iter().filter_map(value).collect()
}

/// Has a script spoken; the speech is kept.
#[utoipa::path(
    post, path = "/api/v3/testing/voiceover/generate", tag = "Testing", operation_id = "generate_voiceover",
    request_body = NewVoice,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key buys speech once")),
    responses(
        (status = 200, description = "The speech is there", body = Spoken),
        (status = 202, description = "It is being made, and will be at `audio_url`", body = Spoken),
        (status = 400, description = "No script", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong, there is no provider, or it could not be made", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn generate(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Spoken>, Problem> {
    const OPTIONS: [&str; 6] = ["provider", "voice", "stability", "similarity_boost", "speed", "model"];
    let script = required_text(&params, "script")?;
    let mut fields = Fields::of(&params);
    let kept = Kept::Voice(name_of(&[&command_id]));
    let (mut request, options) = inside(&mut fields, "options", |options| {
        let request = audio::RequestVoiceRequest {
            key: kept.key(),
            digest: String::new(),
            script: script.clone(),
            provider: options.text("provider", &[]).unwrap_or_default(),
            voice: options.text("voice", &[]).unwrap_or_default(),
            model: options.text("model", &[]).unwrap_or_default(),
            stability: number(options, "stability"),
            similarity_boost: number(options, "similarity_boost"),
            speed: number(options, "speed"),
        };
        (request, recognised(options, &OPTIONS))
    });
    fields.finish(FAMILY)?;
    request.digest = name_of(&[&format!("{request:?}")]);
    app.backends.voice().request_voice(request).await.map_err(failed)?;
    let made = kept.made(&app).await?;
    let words = script.split_whitespace().count() as f64;
    let (code, status) = match &made {
        Some(_) => (StatusCode::OK, "completed"),
        None => (StatusCode::ACCEPTED, "speaking"),
    };
    let spoken = Spoken {
        success: true,
        status,
        script,
        audio_size_bytes: made.as_ref().map(|made| made.blob.size),
        estimated_duration: made
            .map_or((words / WORDS_PER_SECOND).max(1.0), |made| text::seconds(made.duration_ms)),
        options,
        audio_url: kept.url(&app),
    };
    Ok(Reply(code, spoken))
}

/// Would show an avatar over a video, which cannot be made yet.
#[utoipa::path(
    post, path = "/api/v3/testing/avatar/preview", tag = "Testing", operation_id = "preview_avatar",
    request_body = NewAvatar,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses((status = 501, description = "Avatars cannot be made yet", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(crate) async fn avatar(_: CommandId, BodyParams(params): BodyParams) -> Result<Reply<Value>, Problem> {
    let mut fields = Fields::of(&params);
    let mut wanted = |name: &str, usual: &str| fields.text(name, &[]).unwrap_or_else(|| usual.to_owned());
    let requested = json!({
        "avatar_type": wanted("avatar_type", "talking_head"),
        "position": wanted("position", "bottom_right"),
        "size": wanted("size", "small"),
    });
    fields.finish(FAMILY)?;
    let message = "Avatar overlay feature not yet implemented";
    Err(Problem::flat(Kind::NotImplemented, message)
        .with("message", message)
        .with("requested_config", requested)
        .with("note", "No provider of avatars is connected; texts and voices over videos are there."))
}
