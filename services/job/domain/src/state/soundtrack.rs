//! The soundtrack and the takes bought for it.

use crate::input::SoundtrackInput;
use crate::{BlobRef, SoundtrackWish};
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
        /// What is missing of it, when anything is.
        #[serde(default)]
        shortfall: Option<String>,
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
    /// The wish that it serves; none for the job's own.
    pub wish: Option<SoundtrackWish>,
    /// Where it is.
    pub state: SoundtrackState,
    /// What it was charged so far, in micro-dollars.
    pub cost_micros: i64,
    /// When it was asked for, in milliseconds since 1970.
    pub requested_at_ms: i64,
    /// When it settled, in milliseconds since 1970.
    pub settled_at_ms: Option<i64>,
}

impl SoundtrackTake {
    /// Why it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match &self.state {
            SoundtrackState::Failed { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// What is missing of it though it is there.
    #[must_use]
    pub fn shortfall(&self) -> Option<&str> {
        match &self.state {
            SoundtrackState::Ready { shortfall, .. } => shortfall.as_deref(),
            _ => None,
        }
    }

    /// Whether it is for the video, and not only to be downloaded.
    #[must_use]
    pub fn is_for_the_video(&self) -> bool {
        self.wish.as_ref().is_none_or(|wish| wish.merge)
    }
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
    /// What people wish and is not asked for yet, oldest first.
    pub wishes: Vec<SoundtrackWish>,
    /// A soundtrack that was wished for the video is there, and no cut has taken it up.
    pub merge_due: bool,
    /// Every take, oldest first.
    pub takes: Vec<SoundtrackTake>,
}

impl Soundtrack {
    /// The newest take.
    #[must_use]
    pub fn last(&self) -> Option<&SoundtrackTake> {
        self.takes.last()
    }

    /// The newest soundtrack that is there for the video, with its take's number.
    #[must_use]
    pub fn ready(&self) -> Option<(u32, &BlobRef)> {
        self.for_the_video().find_map(|take| match &take.state {
            SoundtrackState::Ready { audio, .. } => Some((take.number, audio)),
            _ => None,
        })
    }

    /// The takes for the video, newest first.
    fn for_the_video(&self) -> impl Iterator<Item = &SoundtrackTake> {
        self.takes.iter().rev().filter(|take| take.is_for_the_video())
    }

    /// The take of this number.
    #[must_use]
    pub fn take(&self, number: u32) -> Option<&SoundtrackTake> {
        self.takes.iter().find(|take| take.number == number)
    }

    /// True while a take for the video is wanted or being made.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.wanted || self.for_the_video().any(|take| take.state == SoundtrackState::Requested)
    }

    /// True while any take is wanted or being made.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.wanted || self.takes.iter().any(|take| take.state == SoundtrackState::Requested)
    }

    /// True while music that somebody wished is waited for.
    #[must_use]
    pub fn is_wished(&self) -> bool {
        let asked = |take: &SoundtrackTake| take.wish.is_some() && take.state == SoundtrackState::Requested;
        !self.wishes.is_empty() || self.takes.iter().any(asked)
    }

    /// Why the newest take for the video failed.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.for_the_video().next()?.failure()
    }

    /// Why the newest take failed, whatever it is for.
    #[must_use]
    pub fn newest_failure(&self) -> Option<&str> {
        self.last()?.failure()
    }
}
