//! What a person may wish of a soundtrack, beyond the one that comes with the job.

use crate::refusal::Violation;
use serde::{Deserialize, Serialize};

/// The longest words of a person about music, in characters.
pub const MAX_PROMPT: usize = 2_000;
/// The longest fade, in milliseconds.
pub const MAX_FADE_MS: i64 = 10_000;
/// How long the fade at the end is when the wish does not say, in milliseconds.
pub const USUAL_FADE_MS: i64 = 1_000;

/// How music is fitted to a video of another length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Cut off where the video ends; repeated when it is too short.
    #[default]
    Trim,
    /// Played slower when it is too short.
    Stretch,
    /// Played faster when it is too long.
    Compress,
}

impl SyncMode {
    /// The mode that a word stands for; any other word trims.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word {
            "stretch" => Self::Stretch,
            "compress" => Self::Compress,
            _ => Self::Trim,
        }
    }

    /// The word outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Stretch => "stretch",
            Self::Compress => "compress",
        }
    }
}

/// What happens when a part of the music cannot be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorStrategy {
    /// The rest of the soundtrack is silent.
    #[default]
    ContinueWithSilence,
    /// There is no soundtrack.
    Halt,
}

impl ErrorStrategy {
    /// The strategy that a word stands for; any other word goes on with silence.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        if word == "halt" { Self::Halt } else { Self::ContinueWithSilence }
    }

    /// The word outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContinueWithSilence => "continue_with_silence",
            Self::Halt => "halt",
        }
    }
}

/// A soundtrack that a person asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundtrackWish {
    /// The person's own words about the music; none leaves it to the job's words and the scenes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// How long the music fades out at its end, in milliseconds.
    pub fade_ms: i64,
    /// How it is fitted to the video.
    #[serde(default)]
    pub sync: SyncMode,
    /// Whether it is put under the video; else it is only there to be downloaded.
    pub merge: bool,
    /// What happens when a part of it cannot be made.
    #[serde(default)]
    pub on_error: ErrorStrategy,
}

impl SoundtrackWish {
    /// What is wrong with the wish, field by field; empty when nothing is.
    #[must_use]
    pub fn check(&self) -> Vec<Violation> {
        let mut wrong = Vec::new();
        if self.prompt.as_ref().is_some_and(|prompt| prompt.chars().count() > MAX_PROMPT) {
            let message = format!("should be at most {MAX_PROMPT} character(s)");
            wrong.push(Violation::new("audio_params.prompt", message));
        }
        if !(0..=MAX_FADE_MS).contains(&self.fade_ms) {
            let message = format!("must be from 0 to {} seconds", MAX_FADE_MS / 1_000);
            wrong.push(Violation::new("audio_params.fade_duration", message));
        }
        wrong
    }
}
