//! The settings that new jobs are made under: eight steps with defaults, of which people change members.
//!
//! Only what was changed is kept; what is shown is that over the defaults. A job records the part that concerns it
//! ([`JobTerms`]), so that later changes do not touch it.

pub mod overlay;
mod rules;
pub mod script;
mod terms;
pub mod voice;

pub use overlay::Overlay;
pub use terms::{ForNewJob, JobTerms, VoiceTerms};

use crate::models::DEFAULT_MODEL;
use crate::refusal::Violation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The stream of the settings in the log.
pub const STREAM: &str = "pipeline";
/// The schema version that today's code writes.
pub const SCHEMA_VERSION: u32 = 1;
/// Most that the changes may take as JSON, in bytes.
const LARGEST: usize = 32 * 1024;

/// What happened to the settings. Stored as it is here, read forever: fields are only added, with a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum PipelineEvent {
    /// Somebody changed members.
    PipelineConfigured {
        /// What was asked for, step by step.
        changes: Map<String, Value>,
        /// Everything that differs from the defaults after it, step by step.
        changed: Map<String, Value>,
    },
}

/// What a person asks of the settings.
#[derive(Clone, Debug, PartialEq)]
pub enum PipelineCommand {
    /// Set members of one step; what is a member there already is replaced as a whole.
    Step {
        /// The step.
        step: String,
        /// The members.
        updates: Map<String, Value>,
    },
    /// Merge into all steps, objects member by member.
    Whole {
        /// Steps with their members.
        config: Map<String, Value>,
    },
}

/// Why the settings were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PipelineRefusal {
    /// There is no such step.
    #[error("Step {0} not found")]
    NoStep(String),
    /// Members are wrong; each is named.
    #[error("Validation failed")]
    Invalid(Vec<Violation>),
}

/// The settings: what differs from the defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pipeline {
    changed: Map<String, Value>,
}

impl Pipeline {
    /// The settings after one more event.
    pub fn evolve(&mut self, event: &PipelineEvent) {
        let PipelineEvent::PipelineConfigured { changed, .. } = event;
        self.changed.clone_from(changed);
    }

    /// The event that a command causes; none when it changes nothing.
    ///
    /// # Errors
    /// There is no such step, or a member is wrong.
    pub fn decide(&self, command: PipelineCommand) -> Result<Option<PipelineEvent>, PipelineRefusal> {
        let mut changed = self.changed.clone();
        let changes = match command {
            PipelineCommand::Step { step, updates } => {
                let Some(Value::Object(_)) = defaults().get(&step) else {
                    return Err(PipelineRefusal::NoStep(step));
                };
                let members = changed.entry(step.clone()).or_insert_with(|| json!({}));
                if let Value::Object(members) = members {
                    members.extend(updates.clone());
                }
                Map::from_iter([(step, Value::Object(updates))])
            }
            PipelineCommand::Whole { config } => {
                merge(&mut changed, &config);
                config
            }
        };
        // A null takes a change back.
        for members in changed.values_mut().filter_map(Value::as_object_mut) {
            members.retain(|_, value| !value.is_null());
        }
        let wrong = check(&changed);
        if !wrong.is_empty() {
            return Err(PipelineRefusal::Invalid(wrong));
        }
        let is_news = changed != self.changed;
        Ok(is_news.then_some(PipelineEvent::PipelineConfigured { changes, changed }))
    }

    /// All settings: what was changed over the defaults.
    #[must_use]
    pub fn config(&self) -> Map<String, Value> {
        self.config_with(DEFAULT_MODEL, None)
    }

    /// The same in a process with another model for jobs that name none, or another language model.
    #[must_use]
    pub fn config_with(&self, model: &str, language_model: Option<&str>) -> Map<String, Value> {
        let mut config = defaults();
        let writer = language_model.map(|model| ("voiceover", json!({ "script_llm": model })));
        let own = std::iter::once(("video_rendering", json!({ "model": model }))).chain(writer);
        let own: Map<_, _> = own.map(|(step, members)| (step.to_owned(), members)).collect();
        merge(&mut config, &own);
        merge(&mut config, &self.changed);
        config
    }

    /// Names of the steps that are on, in their order.
    #[must_use]
    pub fn enabled_steps(&self) -> Vec<String> {
        let is_on = |step: &Value| step.get("enabled") == Some(&Value::Bool(true));
        self.config().into_iter().filter(|(_, step)| is_on(step)).map(|(name, _)| name).collect()
    }

    /// Whether a language model may write what a voice says.
    #[must_use]
    pub fn writes_scripts_with_ai(&self) -> bool {
        self.is_on("voiceover", "generate_script")
    }

    /// The language model that writes what a voice says, once somebody named one.
    #[must_use]
    pub fn script_model(&self) -> Option<&str> {
        self.changed("voiceover", "script_llm")?.as_str()
    }

    /// How long the music of a scene is when nobody says, in seconds.
    #[must_use]
    pub fn music_seconds(&self) -> f64 {
        self.changed("music_generation", "default_duration").and_then(Value::as_f64).unwrap_or(4.0)
    }

    /// A member that somebody changed.
    fn changed(&self, step: &str, member: &str) -> Option<&Value> {
        self.changed.get(step)?.get(member)
    }

    /// Whether a member that is true or false is true, by default or by change.
    fn is_on(&self, step: &str, member: &str) -> bool {
        let changed = self.changed(step, member).and_then(Value::as_bool);
        changed.unwrap_or_else(|| {
            defaults().get(step).and_then(|step| step.get(member)) == Some(&Value::Bool(true))
        })
    }
}

/// Objects are merged member by member; anything else takes the place of what was there.
fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            _ => {
                // One that is there keeps its place.
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

fn check(changed: &Map<String, Value>) -> Vec<Violation> {
    let mut wrong = Vec::new();
    if Value::Object(changed.clone()).to_string().len() > LARGEST {
        let message = format!("holds more than {LARGEST} bytes in all");
        return vec![Violation::new("config", message)];
    }
    let known = defaults();
    for (step, members) in changed.iter().filter(|(step, _)| known.contains_key(*step)) {
        match members {
            Value::Object(members) => wrong.extend(rules::check(step, members)),
            _ => wrong.push(Violation::new(step, "must be an object")),
        }
    }
    wrong.extend(rules::check_together(changed));
    wrong
}

/// The steps with their defaults, in the order of the pipeline.
#[must_use]
pub fn defaults() -> Map<String, Value> {
    let steps = [
        ("scene_generation", json!({ "enabled": true, "use_ai": true, "default_scene_count": 7 })),
        ("image_selection", json!({ "enabled": true, "use_llm": true, "fallback_to_simple": false })),
        ("video_rendering", json!({ "enabled": true, "model": DEFAULT_MODEL, "max_concurrency": 10 })),
        (
            "text_overlays",
            json!({
                "enabled": false, "default_font": "Arial", "default_font_size": 48,
                "default_position": "bottom_center", "default_color": "white",
                "fade_in_duration": 0.5, "fade_out_duration": 0.5,
            }),
        ),
        (
            "voiceover",
            json!({
                "enabled": false, "tts_provider": "elevenlabs", "default_voice": "professional",
                "generate_script": true, "script_llm": "grok-4-1-fast-non-reasoning",
            }),
        ),
        (
            "avatar_overlay",
            json!({
                "enabled": false, "avatar_type": "talking_head", "position": "bottom_right", "size": "small",
            }),
        ),
        (
            "music_generation",
            json!({ "enabled": true, "use_continuation": true, "default_duration": 4.0, "fade_duration": 2.0 }),
        ),
        ("video_stitching", json!({ "enabled": true, "output_format": "mp4", "merge_audio": true })),
    ];
    steps.into_iter().map(|(name, members)| (name.to_owned(), members)).collect()
}
