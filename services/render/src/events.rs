//! Stored events: what became of a take. What happened to its order is told by the order's own facts in the same
//! stream.

use eventlog::{Data, Meta, NewEvent};
use jiff::Timestamp;
use predictions::{Fact, OrderState, Outcome};
use protos::common::v1::BlobRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::request::Take;

/// Something that happened to a take. One variant is one event kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The provider took an attempt on.
    RenderStarted {
        /// Key of the render.
        key: String,
        /// Which take.
        take: Take,
        /// The provider's id.
        prediction_id: String,
        /// Number of the attempt, from 1.
        attempt: u32,
    },
    /// The clip is in the object store.
    RenderFinished {
        /// Key of the render.
        key: String,
        /// Which take.
        take: Take,
        /// The clip.
        clip: BlobRef,
        /// Its probed length, milliseconds.
        duration_ms: u64,
        /// The provider's id.
        prediction_id: String,
        /// USD micros for all attempts.
        cost_micros: i64,
    },
    /// There will be no clip.
    RenderFailed {
        /// Key of the render.
        key: String,
        /// Which take.
        take: Take,
        /// What was wrong and what to do.
        reason: String,
        /// Whether a new take may help.
        retryable: bool,
        /// USD micros paid all the same.
        cost_micros: i64,
    },
    /// It was stopped.
    RenderCanceled {
        /// Key of the render.
        key: String,
        /// Which take.
        take: Take,
        /// USD micros paid all the same.
        cost_micros: i64,
    },
}

/// What a delivered clip was found to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Probed length, milliseconds.
    pub duration_ms: u64,
}

impl Event {
    /// What a fact of its order means for a take, if anything.
    #[must_use]
    pub fn of(key: &str, take: &Take, state: &OrderState, fact: &Fact) -> Option<Self> {
        let (key, take, cost_micros) = (key.to_owned(), take.clone(), state.cost_micros());
        match fact {
            Fact::AttemptAccepted { prediction_id, .. } => Some(Self::RenderStarted {
                key,
                take,
                prediction_id: prediction_id.clone(),
                attempt: u32::try_from(state.attempts.len()).unwrap_or(u32::MAX),
            }),
            Fact::OrderSettled { outcome } => Some(match outcome {
                Outcome::Delivered { blob, prediction_id, found } => Self::RenderFinished {
                    key,
                    take,
                    clip: blob.clone(),
                    duration_ms: Found::deserialize(found).unwrap_or_default().duration_ms,
                    prediction_id: prediction_id.clone(),
                    cost_micros,
                },
                Outcome::Failed(failure) => Self::RenderFailed {
                    key,
                    take,
                    reason: failure.reason.clone(),
                    retryable: failure.retryable(),
                    cost_micros,
                },
                Outcome::Canceled { .. } => Self::RenderCanceled { key, take, cost_micros },
            }),
            _ => None,
        }
    }

    /// Name of the event.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RenderStarted { .. } => "RenderStarted",
            Self::RenderFinished { .. } => "RenderFinished",
            Self::RenderFailed { .. } => "RenderFailed",
            Self::RenderCanceled { .. } => "RenderCanceled",
        }
    }

    /// The event as it is stored: its members only, the kind beside them.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn to_stored(&self, at: Timestamp) -> Result<NewEvent, serde_json::Error> {
        let data = serde_json::to_value(self)?.get(self.kind()).cloned().unwrap_or(Value::Null);
        let (Self::RenderStarted { take, .. }
        | Self::RenderFinished { take, .. }
        | Self::RenderFailed { take, .. }
        | Self::RenderCanceled { take, .. }) = self;
        let meta = Meta {
            correlation_id: format!("job-{}", take.job_id),
            causation_id: None,
            traceparent: telemetry::trace::traceparent(),
            actor: "render".to_owned(),
        };
        Ok(NewEvent::new(Uuid::now_v7(), self.kind(), data, at).meta(meta))
    }

    /// The event that was stored under this kind; none for a kind that is not a take's.
    ///
    /// # Errors
    /// The kind is ours and the data is not.
    pub fn from_stored(kind: &str, data: &Data) -> Result<Option<Self>, serde_json::Error> {
        if !kind.starts_with("Render") {
            return Ok(None);
        }
        data.read_variant(kind).map(Some)
    }
}
