//! Stored events: what happened to a soundtrack. What happened to its segments' orders is told by the orders'
//! own streams.

use eventlog::{Data, Meta, NewEvent};
use jiff::Timestamp;
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A scene as the music hears it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// What it is called.
    pub title: String,
    /// What the music should be like under it.
    pub description: String,
    /// Style words, such as "ambient".
    pub style: String,
    /// From "low" to "high".
    pub energy: String,
    /// How long it is on, milliseconds.
    pub duration_ms: u64,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Such as `job-43/soundtrack-1`.
    pub key: String,
    /// Digest of what is wanted, by the asker.
    pub digest: String,
    /// The job.
    pub job_id: i32,
    /// Whose turn it is is decided by campaign.
    pub campaign_id: String,
    /// At least this long, milliseconds.
    pub duration_ms: u64,
    /// The scenes in order.
    pub scenes: Vec<Scene>,
    /// A person's own words.
    pub prompt: Option<String>,
    /// What happens when a segment cannot be made.
    #[serde(default, skip_serializing_if = "OnFailure::is_usual")]
    pub on_failure: OnFailure,
    /// How long it fades out at its end, milliseconds; none when whoever mixes it fades it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fade_ms: Option<u64>,
    /// What a voice says over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Spoken>,
}

/// What a voice says over a soundtrack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// The words.
    pub script: String,
    /// The provider's id of the voice.
    pub voice: String,
}

/// What happens when a segment cannot be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// What there is is delivered when it is half of the music or more; the mix repeats it.
    #[default]
    Repeat,
    /// What there is is filled up with silence.
    Silence,
    /// There is no soundtrack.
    Halt,
}

impl OnFailure {
    /// The strategy that a word stands for; none for a word that is not known.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "" => Some(Self::Repeat),
            "continue_with_silence" => Some(Self::Silence),
            "halt" => Some(Self::Halt),
            _ => None,
        }
    }

    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Something that happened to a soundtrack. One variant is one event kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It is wanted.
    SoundtrackRequested(Request),
    /// It is not wanted any more; on an unknown key this is a tombstone.
    SoundtrackCancelRequested {
        /// The soundtrack.
        key: String,
        /// The job; 0 when the key does not say.
        job_id: i32,
        /// Why, in the asker's words.
        reason: String,
    },
    /// It is in the object store.
    SoundtrackFinished {
        /// The soundtrack.
        key: String,
        /// The job.
        job_id: i32,
        /// The music.
        audio: BlobRef,
        /// Its real length, milliseconds.
        duration_ms: u64,
        /// USD micros paid for all its segments.
        cost_micros: i64,
        /// How many segments it is made of.
        segments: u32,
        /// What is missing of it, when anything is: music, which the mix repeats, or the voice over it.
        shortfall: Option<String>,
    },
    /// It will not come.
    SoundtrackFailed {
        /// The soundtrack.
        key: String,
        /// The job.
        job_id: i32,
        /// What was wrong and what to do.
        reason: String,
        /// Whether asking for a new one may help.
        retryable: bool,
        /// USD micros paid all the same.
        cost_micros: i64,
    },
    /// It was stopped, and nothing of it goes on at the provider.
    SoundtrackCanceled {
        /// The soundtrack.
        key: String,
        /// The job; 0 when the key does not say.
        job_id: i32,
        /// USD micros paid all the same.
        cost_micros: i64,
    },
}

impl Event {
    /// Name of the event.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SoundtrackRequested(_) => "SoundtrackRequested",
            Self::SoundtrackCancelRequested { .. } => "SoundtrackCancelRequested",
            Self::SoundtrackFinished { .. } => "SoundtrackFinished",
            Self::SoundtrackFailed { .. } => "SoundtrackFailed",
            Self::SoundtrackCanceled { .. } => "SoundtrackCanceled",
        }
    }

    fn job_id(&self) -> i32 {
        match self {
            Self::SoundtrackRequested(request) => request.job_id,
            Self::SoundtrackCancelRequested { job_id, .. }
            | Self::SoundtrackFinished { job_id, .. }
            | Self::SoundtrackFailed { job_id, .. }
            | Self::SoundtrackCanceled { job_id, .. } => *job_id,
        }
    }

    /// The event as it is stored: its members only, the kind beside them.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn to_stored(&self, at: Timestamp) -> Result<NewEvent, serde_json::Error> {
        let data = serde_json::to_value(self)?.get(self.kind()).cloned().unwrap_or(Value::Null);
        let meta = Meta {
            correlation_id: format!("job-{}", self.job_id()),
            causation_id: None,
            traceparent: telemetry::trace::traceparent(),
            actor: "audio".to_owned(),
        };
        Ok(NewEvent::new(Uuid::now_v7(), self.kind(), data, at).meta(meta))
    }

    /// The event that was stored under this kind; none for a kind that is not a soundtrack's.
    ///
    /// # Errors
    /// The kind is ours and the data is not.
    pub fn from_stored(kind: &str, data: &Data) -> Result<Option<Self>, serde_json::Error> {
        if !kind.starts_with("Soundtrack") {
            return Ok(None);
        }
        data.read_variant(kind).map(Some)
    }
}
