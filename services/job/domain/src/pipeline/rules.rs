//! What each member of each step may be. Members that are not named here are kept as they come.

use super::overlay::{LONGEST_FADE, POSITIONS, SIZES, is_color};
use super::voice::{VOICES, is_voice};
use crate::models;
use crate::refusal::Violation;
use serde_json::{Map, Value};

/// Most renders at the provider at one time, over everything.
const MOST_CONCURRENT: i64 = 10;
/// Most scenes that a new job may have by default.
const MOST_SCENES: i64 = 30;
/// The longest default of a scene's music, in seconds.
const LONGEST_MUSIC: f64 = 60.0;
/// The longest fade of music, in seconds.
pub(super) const LONGEST_MUSIC_FADE: f64 = 10.0;
/// The longest text of a member.
const LONGEST_TEXT: usize = 200;

enum Rule {
    /// True or false.
    Switch,
    /// Always on: nothing here can do without it.
    On(&'static str),
    /// Always off: nothing here can do it.
    Off(&'static str),
    /// A whole number between two.
    Whole(i64, i64),
    /// A number between two.
    Number(f64, f64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A short text.
    Text,
    /// A video model of the registry.
    Model,
    /// A colour.
    Color,
    /// A voice that the audio service takes.
    Voice,
}

const NO_FALLBACK: &str =
    "a storyboard that a language model fails to draw is an error, nothing takes its place";

fn rule(step: &str, member: &str) -> Option<Rule> {
    Some(match (step, member) {
        ("scene_generation" | "video_rendering" | "video_stitching", "enabled") => {
            Rule::On("without it there is no video")
        }
        ("image_selection", "enabled") => Rule::On("a storyboard is made of photos that were selected"),
        ("image_selection", "fallback_to_simple") => Rule::Off(NO_FALLBACK),
        ("music_generation", "use_continuation") => Rule::On("music goes on from where it was"),
        ("avatar_overlay", "enabled") => Rule::Off("avatars cannot be made here"),
        (_, "enabled")
        | ("scene_generation", "use_ai")
        | ("image_selection", "use_llm")
        | ("voiceover", "generate_script")
        | ("video_stitching", "merge_audio") => Rule::Switch,
        ("scene_generation", "default_scene_count") => Rule::Whole(1, MOST_SCENES),
        ("video_rendering", "model") => Rule::Model,
        ("video_rendering", "max_concurrency") => Rule::Whole(1, MOST_CONCURRENT),
        ("text_overlays", "default_font") => Rule::Word(&["Arial", "arial", "arial_bold", "opensans"]),
        ("text_overlays", "default_font_size") => Rule::Whole(*SIZES.start(), *SIZES.end()),
        ("text_overlays", "default_position") => Rule::Word(&POSITIONS),
        ("text_overlays", "default_color") => Rule::Color,
        ("text_overlays", "fade_in_duration" | "fade_out_duration") => Rule::Number(0.0, LONGEST_FADE),
        ("voiceover", "tts_provider") => Rule::Word(&["elevenlabs"]),
        ("voiceover", "default_voice") => Rule::Voice,
        ("voiceover", "script_llm") | ("avatar_overlay", _) => Rule::Text,
        ("music_generation", "default_duration") => Rule::Number(1.0, LONGEST_MUSIC),
        ("music_generation", "fade_duration") => Rule::Number(0.0, LONGEST_MUSIC_FADE),
        ("video_stitching", "output_format") => Rule::Word(&["mp4"]),
        _ => return None,
    })
}

/// What is wrong with the members of a step.
pub(super) fn check(step: &str, members: &Map<String, Value>) -> Vec<Violation> {
    let wrong = |(member, value): (&String, &Value)| {
        let why = why_not(&rule(step, member)?, value)?;
        Some(Violation::new(format!("{step}.{member}"), why))
    };
    members.iter().filter_map(wrong).collect()
}

fn why_not(rule: &Rule, value: &Value) -> Option<String> {
    let (is_right, wanted) = match rule {
        Rule::Switch => (value.is_boolean(), "must be true or false".to_owned()),
        Rule::On(why) => (value == &Value::Bool(true), format!("must be true: {why}")),
        Rule::Off(why) => (value == &Value::Bool(false), format!("must be false: {why}")),
        Rule::Whole(least, most) => {
            let fits = value.as_i64().is_some_and(|number| (*least..=*most).contains(&number));
            (fits, format!("must be a whole number from {least} to {most}"))
        }
        Rule::Number(least, most) => {
            let fits = value.as_f64().is_some_and(|number| (*least..=*most).contains(&number));
            (fits, format!("must be a number from {least} to {most}"))
        }
        Rule::Word(words) => {
            let fits = value.as_str().is_some_and(|word| words.contains(&word));
            (fits, format!("must be one of {}", words.join(", ")))
        }
        Rule::Text => {
            let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT;
            (value.as_str().is_some_and(fits), format!("must be a text of at most {LONGEST_TEXT} characters"))
        }
        Rule::Model => {
            return match value.as_str() {
                Some(name) => models::require("model", name).err().map(|wrong| wrong.message),
                None => Some("must be the name of a video model".to_owned()),
            };
        }
        Rule::Color => (
            value.as_str().is_some_and(is_color),
            "must be the name of a colour, such as white, or #rrggbb".to_owned(),
        ),
        Rule::Voice => (
            value.as_str().is_some_and(is_voice),
            format!("must be one of {}, or the provider's id of a voice", VOICES.join(", ")),
        ),
    };
    (!is_right).then_some(wanted)
}

/// What steps ask of each other.
pub(super) fn check_together(changed: &Map<String, Value>) -> Option<Violation> {
    let set = |step: &str| changed.get(step)?.get("enabled")?.as_bool();
    let is_mute = set("voiceover") == Some(true) && set("music_generation") == Some(false);
    let message = "needs music_generation.enabled: the voice is laid over the music";
    is_mute.then(|| Violation::new("voiceover.enabled", message))
}
