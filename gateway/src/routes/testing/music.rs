//! Music for trying out: bought like any other, kept, and paid once under a key.

use axum::extract::State;
use http::StatusCode;
use protos::{audio::v1 as pb, job::v1::GetPipelineRequest};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    FAMILY, failed,
    media::{Kept, Made},
    millis, missing, name_of, nested, templates, texts,
};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, Params},
    problem::{Problem, ProblemSchema},
    routes::{reply::Reply, text},
};

/// Most scenes of one piece of music.
const MOST_SCENES: usize = 20;
/// Longest music that is bought for trying out, milliseconds: each half minute costs.
const LONGEST_MS: u64 = 120_000;
/// Longest fade, milliseconds.
const LONGEST_FADE_MS: u64 = 10_000;
/// Longest text of a scene, characters.
const LONGEST_TEXT: usize = 1_000;
const DEFAULT_MS: u64 = 4_000;
const USUAL_FADE_MS: u64 = 1_500;

/// Music for one scene.
#[derive(Serialize, ToSchema)]
pub(crate) struct SceneMusic {
    success: bool,
    /// `completed`, or `generating` when it takes longer than an answer may.
    status: &'static str,
    scene_title: String,
    /// Once it is there.
    #[schema(required)]
    audio_size_bytes: Option<u64>,
    /// Whether it can be continued.
    has_continuation_token: bool,
    /// What the music model was told.
    #[schema(required)]
    prompt_used: Option<String>,
    /// Where the music is.
    audio_url: String,
}

/// Music for several scenes.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScenesMusic {
    success: bool,
    /// As for one scene.
    status: &'static str,
    scene_count: usize,
    #[schema(required)]
    audio_size_bytes: Option<u64>,
    /// Sum of the scenes' lengths.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_duration_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_duration_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenes_processed: Option<Vec<Heard>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenes: Option<Vec<Heard>>,
    /// Where the music is.
    audio_url: String,
}

/// A scene as the music hears it.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Heard {
    title: String,
    /// Seconds.
    duration: f64,
    music_style: String,
    music_energy: String,
}

/// `title`, `description`, `duration` (seconds), `music_description`, `music_style`, `music_energy`; all optional.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct OneScene {
    #[schema(value_type = Object)]
    scene: Value,
}

/// Scenes as for one.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct ManyScenes {
    #[schema(value_type = Vec<Object>)]
    scenes: Vec<Value>,
    /// Seconds of a scene that says none.
    default_duration: Option<f64>,
    /// Seconds of the fade at the end.
    fade_duration: Option<f64>,
}

/// Types of scene templates.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct TemplateScenes {
    /// All seven when there are none.
    scene_types: Option<Vec<String>>,
    /// Seconds of each scene.
    default_duration: Option<f64>,
}

/// Makes music for one scene.
#[utoipa::path(
    post, path = "/api/v3/testing/music/single-scene", tag = "Testing", operation_id = "make_scene_music",
    request_body = OneScene,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key buys music once")),
    responses(
        (status = 200, description = "The music is there", body = SceneMusic),
        (status = 202, description = "It is being made, and will be at `audio_url`", body = SceneMusic),
        (status = 400, description = "No scene", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong, or it could not be made", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn single_scene(
    State(app): State<App>,
    command: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<SceneMusic>, Problem> {
    let mut fields = Fields::of(&params);
    if fields.present("scene", &[]).is_none() {
        return Err(missing("scene"));
    }
    let scene = scene(&nested(&mut fields, "scene"), "scene", default_ms(&app).await?, &mut fields);
    bounded(std::slice::from_ref(&scene), &mut fields);
    fields.finish(FAMILY)?;
    let title = scene.title.clone();
    let (kept, made) = buy(&app, command, &params, vec![scene], 0).await?;
    let (code, status) = standing(made.as_ref());
    Ok(Reply(
        code,
        SceneMusic {
            success: true,
            status,
            scene_title: title,
            audio_size_bytes: made.as_ref().map(|made| made.blob.size),
            has_continuation_token: made.is_some(),
            prompt_used: made.map(|made| made.prompt),
            audio_url: kept.url(&app),
        },
    ))
}

/// Makes one piece of music for several scenes.
#[utoipa::path(
    post, path = "/api/v3/testing/music/multi-scene", tag = "Testing", operation_id = "make_scenes_music",
    request_body = ManyScenes,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key buys music once")),
    responses(
        (status = 200, description = "The music is there", body = ScenesMusic),
        (status = 202, description = "It is being made, and will be at `audio_url`", body = ScenesMusic),
        (status = 400, description = "No scenes", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong, or it could not be made", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn multi_scene(
    State(app): State<App>,
    command: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ScenesMusic>, Problem> {
    let mut fields = Fields::of(&params);
    let given = match fields.present("scenes", &[]) {
        None => return Err(missing("scenes")),
        Some(Value::Array(given)) => given.as_slice(),
        Some(_) => {
            fields.reject::<()>("scenes", "must be an array of objects");
            &[]
        }
    };
    let usual = match millis(&mut fields, "default_duration") {
        Some(usual) => usual,
        None => default_ms(&app).await?,
    };
    let fade = fade(&mut fields);
    let mut scenes = Vec::new();
    for (index, given) in given.iter().take(MOST_SCENES + 1).enumerate() {
        let at = format!("scenes[{index}]");
        match given {
            Value::Object(object) => {
                scenes.push(scene(&Params::of_object(object.clone()), &at, usual, &mut fields));
            }
            _ => fields.reject::<()>(&at, "must be an object").unwrap_or_default(),
        }
    }
    bounded(&scenes, &mut fields);
    fields.finish(FAMILY)?;
    let heard: Vec<Heard> = scenes.iter().map(heard).collect();
    let total = text::seconds(scenes.iter().map(|scene| scene.duration_ms).sum());
    let (kept, made) = buy(&app, command, &params, scenes, fade).await?;
    let (code, status) = standing(made.as_ref());
    Ok(Reply(
        code,
        ScenesMusic {
            success: true,
            status,
            scene_count: heard.len(),
            audio_size_bytes: made.map(|made| made.blob.size),
            expected_duration_seconds: Some(total),
            total_duration_seconds: None,
            scenes_processed: Some(heard),
            scenes: None,
            audio_url: kept.url(&app),
        },
    ))
}

/// Makes one piece of music for scene templates.
#[utoipa::path(
    post, path = "/api/v3/testing/music/from-templates", tag = "Testing", operation_id = "make_template_music",
    request_body = TemplateScenes,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key buys music once")),
    responses(
        (status = 200, description = "The music is there", body = ScenesMusic),
        (status = 202, description = "It is being made, and will be at `audio_url`", body = ScenesMusic),
        (status = 422, description = "Some fields are wrong, or it could not be made", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn from_templates(
    State(app): State<App>,
    command: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ScenesMusic>, Problem> {
    let mut fields = Fields::of(&params);
    let types = texts(&mut fields, "scene_types");
    let usual = match millis(&mut fields, "default_duration") {
        Some(usual) => usual,
        None => default_ms(&app).await?,
    };
    let all = templates::all(&app).await?;
    let wanted = types.unwrap_or_else(|| all.iter().map(|template| template.r#type.clone()).collect());
    let mut scenes = Vec::new();
    for (index, wanted) in wanted.iter().take(MOST_SCENES + 1).enumerate() {
        match all.iter().find(|template| template.r#type == *wanted) {
            Some(template) => scenes.push(pb::MusicScene {
                title: template.title.clone(),
                description: template.music_description.clone(),
                style: template.music_style.clone(),
                energy: template.music_energy.clone(),
                duration_ms: usual,
            }),
            None => {
                let known: Vec<&str> = all.iter().map(|template| template.r#type.as_str()).collect();
                let message = format!("must be one of {}", known.join(", "));
                fields.reject::<()>(&format!("scene_types[{index}]"), &message);
            }
        }
    }
    bounded(&scenes, &mut fields);
    fields.finish(FAMILY)?;
    let heard: Vec<Heard> = scenes.iter().map(heard).collect();
    let total = text::seconds(scenes.iter().map(|scene| scene.duration_ms).sum());
    let (kept, made) = buy(&app, command, &params, scenes, USUAL_FADE_MS).await?;
    let (code, status) = standing(made.as_ref());
    Ok(Reply(
        code,
        ScenesMusic {
            success: true,
            status,
            scene_count: heard.len(),
            audio_size_bytes: made.map(|made| made.blob.size),
            expected_duration_seconds: None,
            total_duration_seconds: Some(total),
            scenes_processed: None,
            scenes: Some(heard),
            audio_url: kept.url(&app),
        },
    ))
}

fn heard(scene: &pb::MusicScene) -> Heard {
    Heard {
        title: scene.title.clone(),
        duration: text::seconds(scene.duration_ms),
        music_style: scene.style.clone(),
        music_energy: scene.energy.clone(),
    }
}

fn standing(made: Option<&Made>) -> (StatusCode, &'static str) {
    if made.is_some() { (StatusCode::OK, "completed") } else { (StatusCode::ACCEPTED, "generating") }
}

/// A scene; what is wrong with it is told under its place.
fn scene(params: &Params, at: &str, usual_ms: u64, fields: &mut Fields<'_>) -> pb::MusicScene {
    let mut own = Fields::of(params);
    let mut words = |name: &str| {
        let text = own.text(name, &[]).unwrap_or_default();
        if text.chars().count() > LONGEST_TEXT {
            own.reject::<()>(name, &format!("should be at most {LONGEST_TEXT} character(s)"));
        }
        text
    };
    let (title, described, music) = (words("title"), words("description"), words("music_description"));
    let (style, energy) = (words("music_style"), words("music_energy"));
    let duration_ms = millis(&mut own, "duration").unwrap_or(usual_ms);
    for (field, message) in own.into_violations() {
        fields.reject::<()>(&format!("{at}.{field}"), &message);
    }
    let description = if music.is_empty() { described } else { music };
    pb::MusicScene { title, description, style, energy, duration_ms }
}

fn bounded(scenes: &[pb::MusicScene], fields: &mut Fields<'_>) {
    let total: u64 = scenes.iter().map(|scene| scene.duration_ms).sum();
    if scenes.is_empty() {
        fields.reject::<()>("scenes", "No scenes provided for audio generation");
    } else if scenes.len() > MOST_SCENES {
        fields.reject::<()>("scenes", &format!("should have at most {MOST_SCENES} item(s)"));
    } else if scenes.iter().any(|scene| scene.duration_ms == 0) {
        fields.reject::<()>("duration", "must be greater than 0");
    } else if total > LONGEST_MS {
        fields.reject::<()>("scenes", &format!("must last at most {} seconds together", LONGEST_MS / 1000));
    }
}

fn fade(fields: &mut Fields<'_>) -> u64 {
    let fade = millis(fields, "fade_duration").unwrap_or(USUAL_FADE_MS);
    if fade > LONGEST_FADE_MS {
        fields
            .reject::<()>("fade_duration", &format!("must be from 0 to {} seconds", LONGEST_FADE_MS / 1000));
    }
    fade
}

/// How long a scene's music is when nobody says, as the pipeline settings have it.
async fn default_ms(app: &App) -> Result<u64, Problem> {
    let settings = app.backends.pipeline().get_pipeline(GetPipelineRequest {}).await.map_err(failed)?;
    let config = text::json(&settings.into_inner().config_json).unwrap_or_default();
    let seconds = config.pointer("/music_generation/default_duration").and_then(Value::as_f64);
    Ok(seconds.map_or(DEFAULT_MS, |seconds| (seconds * 1000.0).round() as u64))
}

/// Asks for the music, and waits for it as long as an answer may take.
async fn buy(
    app: &App,
    CommandId(command_id): CommandId,
    asked: &Params,
    scenes: Vec<pb::MusicScene>,
    fade_ms: u64,
) -> Result<(Kept, Option<Made>), Problem> {
    let kept = Kept::Music(name_of(&[&command_id]));
    let request = pb::RequestSoundtrackRequest {
        key: kept.key(),
        // Of the request as it was sent: what the settings fill in may have changed before it is sent again.
        digest: name_of(&[&json!(asked.fields()).to_string()]),
        job_id: 0,
        campaign_id: "testing".to_owned(),
        duration_ms: scenes.iter().map(|scene| scene.duration_ms).sum(),
        scenes,
        prompt: None,
        error_strategy: "halt".to_owned(),
        fade_ms: Some(fade_ms),
        voice: None,
    };
    app.backends.audio().request_soundtrack(request).await.map_err(failed)?;
    let made = kept.made(app).await?;
    Ok((kept, made))
}
