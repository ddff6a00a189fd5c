//! The templates that storyboards are drawn from.

use axum::extract::State;
use protos::job::v1 as pb;
use serde::Serialize;
use utoipa::ToSchema;

use super::{FAMILY, failed, missing, required_text, texts};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields},
    problem::{Kind, Problem, ProblemSchema},
    routes::reply::Reply,
};

/// All templates.
#[derive(Serialize, ToSchema)]
pub(crate) struct Templates {
    success: bool,
    count: usize,
    templates: Vec<Template>,
}

/// The templates for a storyboard of so many scenes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Adapted {
    success: bool,
    requested_count: i32,
    available_types: Vec<String>,
    adapted_templates: Vec<Template>,
}

/// A template of a property film. Times are in seconds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Template {
    r#type: String,
    order: u32,
    title: String,
    subtitle: String,
    time_start: f64,
    time_end: f64,
    default_duration: f64,
    /// Adapted templates only.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    asset_criteria: Criteria,
    motion_goal: String,
    camera_movement: String,
    video_prompt: String,
    music_description: String,
    music_style: String,
    music_energy: String,
}

/// Which photos suit a template.
#[derive(Serialize, ToSchema)]
pub(crate) struct Criteria {
    scene_types: Vec<String>,
    keywords: Vec<String>,
    preferred_tags: Vec<String>,
    requires_pairs: bool,
}

/// What a model is told for a scene type.
#[derive(Serialize, ToSchema)]
pub(crate) struct Prompt {
    success: bool,
    scene_type: String,
    /// Title of the template.
    template: String,
    /// `video` or `music`.
    prompt_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    motion_goal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    camera_movement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    energy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_prompt: Option<String>,
}

/// How many scenes, of which kinds of room.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct Adapt {
    /// At least 2.
    scene_count: i32,
    /// Kinds of room that there are photos of; empty for all.
    available_scene_types: Option<Vec<String>>,
}

/// Which prompt.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct WantedPrompt {
    scene_type: String,
    /// `video` or `music`.
    r#for: String,
}

impl Template {
    fn of(template: pb::Template, adapted: bool) -> Self {
        let seconds = |ms: i64| ms as f64 / 1000.0;
        Self {
            r#type: template.r#type,
            order: template.order,
            title: template.title,
            subtitle: template.subtitle,
            time_start: seconds(template.start_ms),
            time_end: seconds(template.end_ms),
            default_duration: seconds(template.default_ms),
            duration: adapted.then(|| seconds(template.default_ms)),
            asset_criteria: Criteria {
                scene_types: template.scene_types,
                keywords: template.keywords,
                preferred_tags: template.preferred_tags,
                requires_pairs: true,
            },
            motion_goal: template.motion_goal,
            camera_movement: template.camera_movement,
            video_prompt: template.video_prompt,
            music_description: template.music_description,
            music_style: template.music_style,
            music_energy: template.music_energy,
        }
    }
}

/// All templates, as the job service has them.
pub(super) async fn all(app: &App) -> Result<Vec<pb::Template>, Problem> {
    let listed = app.backends.pipeline().list_templates(pb::ListTemplatesRequest::default()).await;
    Ok(listed.map_err(failed)?.into_inner().templates)
}

/// Lists the templates that storyboards are drawn from.
#[utoipa::path(
    get, path = "/api/v3/testing/scene-templates", tag = "Testing", operation_id = "list_scene_templates",
    responses((status = 200, description = "All templates, in the order of a film", body = Templates))
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Reply<Templates>, Problem> {
    let templates: Vec<Template> =
        all(&app).await?.into_iter().map(|template| Template::of(template, false)).collect();
    Ok(Reply::ok(Templates { success: true, count: templates.len(), templates }))
}

/// Shows the templates for a storyboard of so many scenes.
#[utoipa::path(
    post, path = "/api/v3/testing/scene-templates/adapt", tag = "Testing", operation_id = "adapt_scene_templates",
    request_body = Adapt,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses(
        (status = 200, description = "The templates, timed anew", body = Adapted),
        (status = 400, description = "No number of scenes", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "A number that no storyboard has", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn adapt(
    State(app): State<App>,
    _: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Adapted>, Problem> {
    let mut fields = Fields::of(&params);
    let given = fields.present("scene_count", &[]).ok_or_else(|| missing("scene_count"))?;
    let count = given.as_i64().or_else(|| given.as_str().and_then(|text| text.trim().parse().ok()));
    let count = count.and_then(|count| i32::try_from(count).ok());
    if count.is_none() {
        fields.reject::<()>("scene_count", "must be a whole number of at least 2");
    }
    let available = texts(&mut fields, "available_scene_types").unwrap_or_default();
    fields.finish(FAMILY)?;
    let scene_count = count;
    let request = pb::ListTemplatesRequest { scene_count, available_types: available.clone() };
    let adapted = app.backends.pipeline().list_templates(request).await.map_err(failed)?.into_inner();
    Ok(Reply::ok(Adapted {
        success: true,
        requested_count: scene_count.unwrap_or_default(),
        available_types: available,
        adapted_templates: adapted
            .templates
            .into_iter()
            .map(|template| Template::of(template, true))
            .collect(),
    }))
}

/// Shows what a video model or a music model is told for a scene type.
#[utoipa::path(
    post, path = "/api/v3/testing/prompt-preview", tag = "Testing", operation_id = "preview_prompt",
    request_body = WantedPrompt,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses(
        (status = 200, description = "The prompt", body = Prompt),
        (status = 400, description = "A field is missing", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Scene type not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Neither video nor music", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn preview_prompt(
    State(app): State<App>,
    _: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Prompt>, Problem> {
    let scene_type = required_text(&params, "scene_type")?;
    let model = required_text(&params, "for")?;
    let found = all(&app).await?.into_iter().find(|template| template.r#type == scene_type);
    let template = found.ok_or_else(|| {
        Problem::flat(Kind::SceneTypeNotFound, "Scene type not found").with("scene_type", scene_type.clone())
    })?;
    let prompt = Prompt {
        success: true,
        scene_type,
        template: template.title,
        prompt_type: "video",
        prompt: None,
        motion_goal: None,
        camera_movement: None,
        description: None,
        style: None,
        energy: None,
        generated_prompt: None,
    };
    match model.as_str() {
        "video" => Ok(Reply::ok(Prompt {
            prompt: Some(template.video_prompt),
            motion_goal: Some(template.motion_goal),
            camera_movement: Some(template.camera_movement),
            ..prompt
        })),
        "music" => {
            let (description, style, energy) =
                (template.music_description, template.music_style, template.music_energy);
            let generated = format!("{description}. Style: {style}. Energy: {energy}.");
            Ok(Reply::ok(Prompt {
                prompt_type: "music",
                generated_prompt: Some(generated),
                description: Some(description),
                style: Some(style),
                energy: Some(energy),
                ..prompt
            }))
        }
        _ => Err(Problem::flat(Kind::ValidationFailed, "Invalid prompt type. Use 'video' or 'music'")),
    }
}
