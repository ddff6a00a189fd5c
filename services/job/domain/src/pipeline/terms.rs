//! What a new job takes from the settings.

use super::overlay::{self, Overlay};
use super::rules::LONGEST_MUSIC_FADE;
use super::voice::{USUAL_VOICE, is_voice};
use super::{Pipeline, script};
use crate::refusal::Violation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The settings that a job was made under, as far as they concern it after it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobTerms {
    /// Whether its own soundtrack goes under its video; else it is only there to be downloaded.
    #[serde(default = "yes")]
    pub merge_audio: bool,
    /// How long the music fades out, in milliseconds; none for the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music_fade_ms: Option<i64>,
    /// The text that lies over its video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
    /// What a voice says over its music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceTerms>,
    /// How many of its scenes may be rendered at one time; none for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u32>,
}

/// What a voice says over the music of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceTerms {
    /// The words.
    pub script: String,
    /// Name of the voice, or the provider's id.
    pub voice: String,
}

fn yes() -> bool {
    true
}

impl Default for JobTerms {
    fn default() -> Self {
        Self { merge_audio: true, music_fade_ms: None, overlay: None, voice: None, max_in_flight: None }
    }
}

impl JobTerms {
    /// Whether nobody changed anything that concerns the job.
    #[must_use]
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What a worker would refuse, once everything before it was paid.
    pub(crate) fn check(&self) -> Vec<Violation> {
        let mut wrong = self.overlay.as_ref().map(Overlay::check).unwrap_or_default();
        if let Some(VoiceTerms { script, voice }) = &self.voice {
            let fits = !script.trim().is_empty() && script.chars().count() <= script::LONGEST;
            if !fits || script.contains('\0') {
                wrong.push(Violation::new("voiceover.script", "can't be spoken"));
            }
            if !is_voice(voice) {
                wrong.push(Violation::new("voiceover.default_voice", "is no voice"));
            }
        }
        let longest = LONGEST_MUSIC_FADE * 1_000.0;
        if self.music_fade_ms.is_some_and(|fade| !(0.0..=longest).contains(&(fade as f64))) {
            wrong.push(Violation::new("music_generation.fade_duration", "is too long"));
        }
        if self.max_in_flight == Some(0) {
            wrong.push(Violation::new("video_rendering.max_concurrency", "must be at least 1"));
        }
        wrong
    }
}

/// What the settings say of a job that is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForNewJob {
    /// Whether a language model may draw its storyboard, and select its photos by that: it does both at once.
    pub use_ai: bool,
    /// How many scenes it has when the caller does not say; none leaves it to the route.
    pub scene_count: Option<u32>,
    /// Its model when the caller names none; none leaves it to the process.
    pub model: Option<String>,
    /// Whether it may have a soundtrack.
    pub soundtrack: bool,
    /// The voice that speaks over its music, when one is to.
    pub voice: Option<String>,
    /// What it keeps; the words of a voice are still to be written.
    pub terms: JobTerms,
}

impl Pipeline {
    /// What the settings say of a new job with this title.
    #[must_use]
    pub fn for_new_job(&self, title: &str) -> ForNewJob {
        let count = self.changed("scene_generation", "default_scene_count").and_then(Value::as_u64);
        let model = self.changed("video_rendering", "model").and_then(Value::as_str);
        let title = overlay::shortened(title);
        // A title that nobody could read is none.
        let is_told = overlay::is_told(&title) && !title.contains('\0');
        let most = self.changed("video_rendering", "max_concurrency").and_then(Value::as_u64);
        let fade = self.changed("music_generation", "fade_duration").and_then(Value::as_f64);
        ForNewJob {
            use_ai: self.is_on("scene_generation", "use_ai") && self.is_on("image_selection", "use_llm"),
            scene_count: count.and_then(|count| u32::try_from(count).ok()),
            model: model.map(str::to_owned),
            soundtrack: self.is_on("music_generation", "enabled"),
            voice: self.is_on("voiceover", "enabled").then(|| self.voice()),
            terms: JobTerms {
                merge_audio: self.is_on("video_stitching", "merge_audio"),
                music_fade_ms: fade.map(|seconds| millis(seconds).cast_signed()),
                voice: None,
                overlay: (is_told && self.is_on("text_overlays", "enabled")).then(|| self.overlay(title)),
                max_in_flight: most.and_then(|most| u32::try_from(most).ok()),
            },
        }
    }

    fn voice(&self) -> String {
        let voice = self.changed("voiceover", "default_voice").and_then(Value::as_str);
        // What was kept before it was checked may be none.
        voice.filter(|voice| is_voice(voice)).unwrap_or(USUAL_VOICE).to_owned()
    }

    fn overlay(&self, title: String) -> Overlay {
        let config = self.config();
        let member = |name: &str| config.get("text_overlays").and_then(|step| step.get(name));
        let text = |name: &str, usual: &str| member(name).and_then(Value::as_str).unwrap_or(usual).to_owned();
        let seconds = |name: &str| millis(member(name).and_then(Value::as_f64).unwrap_or(0.5));
        let size = member("default_font_size").and_then(Value::as_u64);
        Overlay {
            text: title,
            font: text("default_font", "Arial"),
            font_size: size.and_then(|size| u32::try_from(size).ok()).unwrap_or(48),
            color: text("default_color", "white"),
            position: text("default_position", "bottom_center"),
            fade_in_ms: seconds("fade_in_duration"),
            fade_out_ms: seconds("fade_out_duration"),
        }
    }
}

/// Seconds that were checked as milliseconds.
fn millis(seconds: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(seconds)
        .map_or(0, |length| u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}
