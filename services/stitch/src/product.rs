//! What a product is: a cut, a mix or a video with a text over it, wanted under a key.

use std::{fmt, time::Duration};

use media::{SoundShape, Sync};
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};

use crate::overlay::Overlay;

/// What sort of product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Clips, one after the other, silent.
    Cut,
    /// A cut with its soundtrack.
    Mix,
    /// A video with a text over it.
    Overlay,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Cut, Self::Mix, Self::Overlay];

    /// Its word in tables and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Mix => "mix",
            Self::Overlay => "overlay",
        }
    }

    /// The kind that a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind that a key such as `job-43/mix-1` names; a cut when it names none.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        let last = key.rsplit('/').next().unwrap_or_default();
        if last.starts_with("mix") {
            Self::Mix
        } else if last.starts_with("overlay") {
            Self::Overlay
        } else {
            Self::Cut
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sound gets the length of a video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Cut off, or repeated.
    #[default]
    Trim,
    /// Played slower when it is too short.
    Stretch,
    /// Played faster when it is too long.
    Compress,
}

impl SyncMode {
    /// The mode that a word stands for; none for a word that is not known.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "" | "trim" => Some(Self::Trim),
            "stretch" => Some(Self::Stretch),
            "compress" => Some(Self::Compress),
            _ => None,
        }
    }
}

/// How sound is fitted to a video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// How it gets the video's length.
    pub sync: SyncMode,
    /// How long it fades out at the end, milliseconds; none for the usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fade_ms: Option<u64>,
}

impl Shape {
    /// As the media tools take it.
    #[must_use]
    pub fn to_media(self) -> SoundShape {
        let sync = match self.sync {
            SyncMode::Trim => Sync::Trim,
            SyncMode::Stretch => Sync::Stretch,
            SyncMode::Compress => Sync::Compress,
        };
        let usual = SoundShape::default();
        SoundShape { sync, fade: self.fade_ms.map_or(usual.fade, Duration::from_millis) }
    }
}

/// What a product is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// For a cut: clips in playing order.
    Clips(Vec<BlobRef>),
    /// For a cut: clips in playing order, and the text that lies over all of them.
    ClipsUnder {
        /// The clips.
        clips: Vec<BlobRef>,
        /// The text.
        overlay: Overlay,
    },
    /// For a mix.
    CutAndSoundtrack {
        /// The video.
        cut: BlobRef,
        /// The sound.
        soundtrack: BlobRef,
        /// How the sound is fitted, when somebody said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shape: Option<Shape>,
    },
    /// For a video with a text over it.
    VideoUnder {
        /// The video.
        video: BlobRef,
        /// The text.
        overlay: Overlay,
    },
}

impl Input {
    /// What it makes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Clips(_) | Self::ClipsUnder { .. } => Kind::Cut,
            Self::VideoUnder { .. } => Kind::Overlay,
            Self::CutAndSoundtrack { .. } => Kind::Mix,
        }
    }
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Such as `job-43/cut-1`.
    pub key: String,
    /// Digest of what is wanted, by the asker.
    pub digest: String,
    /// The job.
    pub job_id: i32,
    /// What it is to be made of.
    pub input: Input,
}

/// How far a product is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Wanted, not finished.
    Waiting {
        /// Somebody is at it, as far as is known.
        working: bool,
    },
    /// In the object store.
    Ready(Made),
    /// It cannot be made.
    Failed {
        /// What was wrong and what to do.
        reason: String,
    },
    /// Not wanted any more, or never to be wanted.
    Canceled {
        /// Why, in the asker's words.
        reason: String,
    },
}

/// A finished product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The video.
    pub video: BlobRef,
    /// Its real length, milliseconds.
    pub duration_ms: u64,
    /// A frame of it, 640 x 360.
    pub poster: BlobRef,
}

/// A product with how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Such as `job-43/cut-1`.
    pub key: String,
    /// Cut or mix.
    pub kind: Kind,
    /// The job; 0 when only a cancellation named the key and the key names no job.
    pub job_id: i32,
    /// Digest and input of the request; none when it was canceled before it was asked for.
    pub wanted: Option<(String, Input)>,
    /// How far it is.
    pub state: State,
    /// How many attempts failed.
    pub attempts: u32,
    /// Trace of the request.
    pub traceparent: Option<String>,
}

/// The job that a key such as `job-43/cut-1` names; 0 when it names none.
#[must_use]
pub fn job_of(key: &str) -> i32 {
    let number = key.strip_prefix("job-").and_then(|rest| rest.split('/').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_job_and_its_kind() {
        assert_eq!([job_of("job-43/cut-1"), job_of("x"), job_of("job-x/1")], [43, 0, 0]);
        assert_eq!([Kind::of_key("job-43/cut-1"), Kind::of_key("job-43/mix-2")], [Kind::Cut, Kind::Mix]);
        assert_eq!(Kind::of_key("job-43/overlay-ab12"), Kind::Overlay);
    }
}
