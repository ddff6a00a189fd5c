//! Stored events: what happened to a voice. Nothing of them is published: who asks for a voice waits for it.

use eventlog::{Meta, NewEvent};
use jiff::Timestamp;
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::script::Request;

/// Something that happened to a voice. One variant is one event kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It is wanted.
    VoiceRequested(Request),
    /// A call is about to be made: recorded before it, since it may be charged from here on.
    VoiceCalled {
        /// The voice.
        key: String,
        /// The call, from 1.
        attempt: u32,
    },
    /// The provider did not take the call on; there will be another.
    VoiceDelayed {
        /// The voice.
        key: String,
        /// The call.
        attempt: u32,
        /// Why.
        reason: String,
        /// When the next one is due.
        retry_at: Timestamp,
    },
    /// It is not wanted any more, and no call was made for it.
    VoiceCanceled {
        /// The voice.
        key: String,
        /// Why, in the asker's words.
        reason: String,
    },
    /// It is in the object store.
    VoiceSpoken {
        /// The voice.
        key: String,
        /// The speech.
        audio: BlobRef,
        /// Its real length, milliseconds.
        duration_ms: u64,
        /// USD micros.
        cost_micros: i64,
    },
    /// Another voice of the same job says the same: it is this one, too.
    VoiceReused {
        /// The voice.
        key: String,
        /// The other one.
        from: String,
        /// The speech.
        audio: BlobRef,
        /// Its real length, milliseconds.
        duration_ms: u64,
    },
    /// It will not come.
    VoiceFailed {
        /// The voice.
        key: String,
        /// Why, and what to do.
        reason: String,
        /// Whether asking for a new one may help.
        retryable: bool,
        /// USD micros paid all the same.
        cost_micros: i64,
    },
}

impl Event {
    /// Name of the event.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::VoiceRequested(_) => "VoiceRequested",
            Self::VoiceCalled { .. } => "VoiceCalled",
            Self::VoiceDelayed { .. } => "VoiceDelayed",
            Self::VoiceCanceled { .. } => "VoiceCanceled",
            Self::VoiceSpoken { .. } => "VoiceSpoken",
            Self::VoiceReused { .. } => "VoiceReused",
            Self::VoiceFailed { .. } => "VoiceFailed",
        }
    }

    /// The voice.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::VoiceRequested(Request { key, .. })
            | Self::VoiceCalled { key, .. }
            | Self::VoiceDelayed { key, .. }
            | Self::VoiceCanceled { key, .. }
            | Self::VoiceSpoken { key, .. }
            | Self::VoiceReused { key, .. }
            | Self::VoiceFailed { key, .. } => key,
        }
    }

    /// What was paid by it, USD micros.
    #[must_use]
    pub fn cost_micros(&self) -> i64 {
        match self {
            Self::VoiceSpoken { cost_micros, .. } | Self::VoiceFailed { cost_micros, .. } => *cost_micros,
            Self::VoiceRequested(_)
            | Self::VoiceCalled { .. }
            | Self::VoiceDelayed { .. }
            | Self::VoiceCanceled { .. }
            | Self::VoiceReused { .. } => 0,
        }
    }

    /// The event as it is stored: its members only, the kind beside them.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn to_stored(&self, at: Timestamp) -> Result<NewEvent, serde_json::Error> {
        let data = serde_json::to_value(self)?.get(self.kind()).cloned().unwrap_or(Value::Null);
        let meta = Meta {
            correlation_id: self.key().to_owned(),
            causation_id: None,
            traceparent: telemetry::trace::traceparent(),
            actor: "audio".to_owned(),
        };
        Ok(NewEvent::new(Uuid::now_v7(), self.kind(), data, at).meta(meta))
    }

    /// The event that was stored under this kind.
    ///
    /// # Errors
    /// The kind or the data is not ours.
    pub fn from_stored(kind: &str, data: &eventlog::Data) -> Result<Self, serde_json::Error> {
        data.read_variant(kind)
    }
}
