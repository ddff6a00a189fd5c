//! The soundtrack and the takes bought for it.

use crate::BlobRef;
use crate::input::SoundtrackInput;
use serde::{Deserialize, Serialize};

/// Where a soundtrack take is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundtrackState {
    /// Asked for, no answer yet.
    Requested,
    /// There.
    Ready {
        /// The soundtrack.
        audio: BlobRef,
        /// Its length in milliseconds.
        duration_ms: i64,
    },
    /// Ended without one.
    Failed {
        /// Machine-readable code.
        code: String,
        /// Why, in words.
        reason: String,
        /// Whether asking again might help.
        retryable: bool,
    },
}

/// One wanted soundtrack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundtrackTake {
    /// Its number, from 1.
    pub number: u32,
    /// Key of the request.
    pub key: String,
    /// Digest of the input.
    pub digest: String,
    /// The input as it was recorded with the request.
    pub input: SoundtrackInput,
    /// Where it is.
    pub state: SoundtrackState,
    /// What it was charged so far, in micro-dollars.
    pub cost_micros: i64,
    /// When it was asked for, in milliseconds since 1970.
    pub requested_at_ms: i64,
    /// When it settled, in milliseconds since 1970.
    pub settled_at_ms: Option<i64>,
}

/// The job's soundtrack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soundtrack {
    /// The job wants one at all.
    pub enabled: bool,
    /// What the caller asked the music to be.
    pub prompt: Option<String>,
    /// A take is wanted and not asked for yet.
    pub wanted: bool,
    /// Every take, oldest first.
    pub takes: Vec<SoundtrackTake>,
}

impl Soundtrack {
    /// The newest take.
    #[must_use]
    pub fn last(&self) -> Option<&SoundtrackTake> {
        self.takes.last()
    }

    /// The newest soundtrack that is there, with its take's number.
    #[must_use]
    pub fn ready(&self) -> Option<(u32, &BlobRef)> {
        self.takes.iter().rev().find_map(|take| match &take.state {
            SoundtrackState::Ready { audio, .. } => Some((take.number, audio)),
            _ => None,
        })
    }

    /// True while a take is wanted or being made.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.wanted || self.last().is_some_and(|take| take.state == SoundtrackState::Requested)
    }

    /// Why the newest take failed.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match &self.last()?.state {
            SoundtrackState::Failed { reason, .. } => Some(reason),
            _ => None,
        }
    }
}
