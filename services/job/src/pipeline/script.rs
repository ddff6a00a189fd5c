//! What a voice says over a video: by the planner's language model when there is one, else by a template.

use std::time::Duration;

use job_domain::{
    SceneDraft,
    pipeline::{
        Pipeline,
        script::{self, Brief, SceneLine},
    },
};
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    planner::{
        Plan, XAI,
        xai::{Question, Xai},
    },
    settings::XaiSettings,
};

/// How often a script that cannot be used is asked for.
const SCRIPTS: u32 = 3;
const TEMPLATE: &str = "template";

const SYSTEM: &str = "You write what a voice says over a short film about a property. The user message is JSON with \
                      the property, the scenes in order, the tone, the style and the length in words. Answer with one \
                      text for each scene, in the same order, in plain spoken sentences, without stage directions. \
                      Say only what the data says.";

/// Writes scripts.
#[derive(Debug)]
pub struct Writer {
    xai: Option<(Xai, Duration)>,
}

#[derive(Deserialize)]
struct Answer {
    segments: Vec<String>,
}

impl Writer {
    /// A writer that asks the planner's language model, when there is one.
    ///
    /// # Errors
    /// Its base URL is not a URL.
    pub fn new(settings: Option<&XaiSettings>) -> anyhow::Result<Self> {
        let xai =
            settings.map(|settings| anyhow::Ok((Xai::new(settings)?, settings.deadline))).transpose()?;
        Ok(Self { xai })
    }

    /// A script.
    ///
    /// # Errors
    /// The request is wrong, or the language model failed for good.
    pub async fn write(
        &self,
        request: pb::PreviewScriptRequest,
        pipeline: &Pipeline,
    ) -> Result<pb::Script, ServiceError> {
        let brief = brief(request);
        let wrong = brief.check();
        if !wrong.is_empty() {
            return Err(ServiceError::validation(
                wrong.into_iter().map(|wrong| (wrong.field, wrong.message)),
            ));
        }
        let (segments, writer) = match &self.xai {
            Some((xai, deadline)) if pipeline.writes_scripts_with_ai() => {
                (ask(xai, *deadline, &brief, pipeline.script_model()).await?, XAI)
            }
            _ => (script::template(&brief), TEMPLATE),
        };
        Ok(pb::Script { full_script: segments.join(" "), segments, writer: writer.to_owned() })
    }

    /// What is said over a job, as far as its video lasts. What its storyboard and its campaign may say at length is
    /// cut to what a script may be about.
    ///
    /// # Errors
    /// The language model failed for good.
    pub async fn for_job(
        &self,
        name: &str,
        plan: &Plan,
        pipeline: &Pipeline,
    ) -> Result<String, ServiceError> {
        // What the templates say of a scene is for a video model; what a planner says is for people.
        let is_told = plan.planner == XAI;
        let scene = |draft: &SceneDraft| pb::ScriptScene {
            title: script::shortened(&draft.title),
            description: if is_told { script::shortened(&draft.description) } else { String::new() },
        };
        let request = pb::PreviewScriptRequest {
            name: script::shortened(name),
            scenes: plan.scenes.iter().map(scene).collect(),
            length: "short".to_owned(),
            ..pb::PreviewScriptRequest::default()
        };
        let written = self.write(request, pipeline).await?;
        let seconds = plan.scenes.iter().map(|draft| draft.billed_seconds).sum();
        Ok(script::fitted(written.segments, seconds).join(" "))
    }
}

fn brief(request: pb::PreviewScriptRequest) -> Brief {
    Brief {
        name: request.name,
        kind: request.r#type,
        features: request.features,
        location: request.location,
        scenes: request
            .scenes
            .into_iter()
            .map(|scene| SceneLine { title: scene.title, description: scene.description })
            .collect(),
        tone: request.tone,
        style: request.style,
        length: request.length,
    }
}

async fn ask(
    xai: &Xai,
    deadline: Duration,
    brief: &Brief,
    model: Option<&str>,
) -> Result<Vec<String>, ServiceError> {
    let until = Instant::now() + deadline;
    let (user, schema) = (user(brief), schema());
    let question = Question { system: SYSTEM, user: &user, schema: &schema, model };
    let (mut calls, mut why) = (0, String::new());
    for _ in 0..SCRIPTS {
        match xai.ask(question, until, &mut calls).await {
            Err(error) => return Err(failed(&error.to_string())),
            Ok(answer) => match read(&answer, brief) {
                Ok(segments) => return Ok(segments),
                Err(wrong) => why = wrong,
            },
        }
        tracing::warn!(why, "the language model wrote a script that cannot be used");
    }
    Err(failed(&why))
}

fn read(answer: &str, brief: &Brief) -> Result<Vec<String>, String> {
    let Answer { segments } =
        serde_json::from_str(answer).map_err(|_| "its answer is no script".to_owned())?;
    script::check(brief, segments)
}

fn failed(why: &str) -> ServiceError {
    let text = format!("The script could not be written: {why}; try again.");
    ServiceError::new(Code::Unavailable, "script_failed", text)
}

fn user(brief: &Brief) -> String {
    let scenes: Vec<Value> = brief
        .parts()
        .iter()
        .map(|scene| json!({ "title": scene.title, "description": scene.description }))
        .collect();
    json!({
        "property": {
            "name": brief.name, "type": brief.kind, "features": brief.features, "location": brief.location,
        },
        "script_scenes": scenes,
        "tone": brief.tone,
        "style": brief.style,
        "words": brief.words(),
    })
    .to_string()
}

fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["segments"],
        "properties": { "segments": { "type": "array", "items": { "type": "string" } } },
    })
}
