//! Cuts: the one being made and the one that is played.

use crate::input::{CutClip, MixInput};
use crate::{BlobRef, SceneId};
use serde::{Deserialize, Serialize};

/// A scene and the take of it that a video shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The scene.
    pub scene: SceneId,
    /// The take.
    pub take: u32,
}

/// A silent video that the stitch worker delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutFile {
    /// What it shows, in order.
    pub shown: Vec<Shown>,
    /// The video.
    pub video: BlobRef,
    /// A still of it.
    pub poster: Option<BlobRef>,
    /// Its probed length in milliseconds.
    pub duration_ms: i64,
}

/// The video that people play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// The video.
    pub video: BlobRef,
    /// A still of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<BlobRef>,
    /// Its probed length in milliseconds.
    pub duration_ms: i64,
    /// The same video without sound.
    pub silent: BlobRef,
    /// The soundtrack take under it; none when it is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soundtrack_take: Option<u32>,
    /// What it shows, in order.
    pub shown: Vec<Shown>,
}

/// How far a cut is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its takes are being made.
    Rendering,
    /// The silent video was asked for.
    Cutting {
        /// Key of the request.
        key: String,
        /// Digest of the clips.
        digest: String,
        /// The clips in order.
        clips: Vec<CutClip>,
    },
    /// The silent video is there.
    Cut(CutFile),
    /// The mix was asked for.
    Mixing {
        /// Key of the request.
        key: String,
        /// Digest of the input.
        digest: String,
        /// The input.
        input: MixInput,
        /// The soundtrack take in it.
        soundtrack_take: u32,
        /// The silent video.
        cut: CutFile,
    },
    /// The mix is there.
    Mixed {
        /// The video with its soundtrack.
        video: BlobRef,
        /// A still of it.
        poster: Option<BlobRef>,
        /// Its probed length in milliseconds.
        duration_ms: i64,
        /// The soundtrack take in it.
        soundtrack_take: u32,
        /// The silent video.
        cut: CutFile,
    },
    /// The first video's mix failed: it goes out silent.
    Unmixed {
        /// Why there is no sound.
        reason: String,
        /// The silent video.
        cut: CutFile,
    },
    /// The cut failed.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What the stitch worker makes of a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// The silent video.
    Cut,
    /// The video with its soundtrack.
    Mix,
}

/// A video that was asked for and that nobody waits for any more; the worker has not said that it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwanted {
    /// Which of the two.
    pub product: Product,
    /// The cut's number.
    pub cut: u32,
    /// Key of the request.
    pub key: String,
    /// When it was asked for, in milliseconds since 1970.
    #[serde(default)]
    pub requested_at_ms: i64,
}

/// The cut that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Making {
    /// The cut's number within the job, from 1.
    pub cut: u32,
    /// How far it is, 0 to 100. Never falls within a cut.
    pub percentage: u8,
    /// The takes that were bought for it.
    pub takes: Vec<Shown>,
    /// The soundtrack take that was bought for it.
    pub soundtrack_take: Option<u32>,
    /// Which step it is at.
    pub stage: Stage,
    /// When the stitch worker was asked last, in milliseconds since 1970; 0 before.
    #[serde(default)]
    pub requested_at_ms: i64,
}

impl Making {
    /// What the stitch worker was asked for and has not answered.
    #[must_use]
    pub fn outstanding(&self) -> Option<Unwanted> {
        let (product, key) = match &self.stage {
            Stage::Cutting { key, .. } => (Product::Cut, key.clone()),
            Stage::Mixing { key, .. } => (Product::Mix, key.clone()),
            _ => return None,
        };
        Some(Unwanted { product, cut: self.cut, key, requested_at_ms: self.requested_at_ms })
    }
}
