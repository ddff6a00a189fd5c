//! A scene and the clips bought for it.

use crate::input::RenderInput;
use crate::state::SceneStatus;
use crate::{BlobRef, SceneSpec};
use serde::{Deserialize, Serialize};

/// A clip that a take delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clip {
    /// The clip.
    pub video: BlobRef,
    /// A still of it.
    pub poster: Option<BlobRef>,
    /// Its probed length in milliseconds.
    pub duration_ms: i64,
}

/// Where a take is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakeState {
    /// Asked for, no answer yet.
    Requested,
    /// Delivered.
    Rendered(Clip),
    /// Ended without a clip.
    Failed {
        /// Machine-readable code.
        code: String,
        /// Why, in words.
        reason: String,
        /// Whether asking again might help.
        retryable: bool,
    },
    /// Over at the worker after nobody waited for it any more.
    Closed {
        /// Why nobody waited.
        reason: String,
    },
}

/// One wanted clip of a scene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The take's number within the scene, from 1.
    pub number: u32,
    /// The cut it was bought for.
    pub cut: u32,
    /// Key of the request.
    pub key: String,
    /// Digest of the input.
    pub digest: String,
    /// The input as it was recorded with the request.
    pub input: RenderInput,
    /// Where it is.
    pub state: TakeState,
    /// The last attempt known to have started, 0 if none.
    pub attempt: u32,
    /// The provider's id of the last known prediction.
    pub provider_id: Option<String>,
    /// What it was charged so far, in micro-dollars.
    pub cost_micros: i64,
    /// When it was asked for, in milliseconds since 1970.
    #[serde(default)]
    pub requested_at_ms: i64,
    /// When the worker said how it ended, in milliseconds since 1970.
    #[serde(default)]
    pub settled_at_ms: Option<i64>,
}

impl Take {
    /// True until the worker has said how it ended.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        self.state == TakeState::Requested
    }
}

/// What a person wants a scene to be shown with, instead of what its takes say. Nothing is decided on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The status to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SceneStatus>,
    /// The provider's id to show; an empty one shows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
}

/// A scene of the job and the clips bought for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// Identity, place and what is to be shown.
    pub spec: SceneSpec,
    /// A take is wanted and not asked for yet.
    pub wanted: bool,
    /// Every take, oldest first.
    pub takes: Vec<Take>,
    /// The take whose clip goes into the video.
    pub chosen: Option<u32>,
    /// What a person wants it to be shown with; until the next thing that really happens to it.
    #[serde(default)]
    pub overridden: Option<Override>,
    /// When the scene was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When something last happened to it.
    pub updated_at_ms: i64,
}

impl Scene {
    /// The scene's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// The newest take.
    #[must_use]
    pub fn last_take(&self) -> Option<&Take> {
        self.takes.last()
    }

    /// A take by number.
    #[must_use]
    pub fn take(&self, number: u32) -> Option<&Take> {
        self.takes.iter().find(|take| take.number == number)
    }

    /// The clip that goes into the video.
    #[must_use]
    pub fn clip(&self) -> Option<&Clip> {
        match &self.take(self.chosen?)?.state {
            TakeState::Rendered(clip) => Some(clip),
            _ => None,
        }
    }
}
