//! What each worker is asked to make. Recorded with the request, so that a repeated request is the same request.

use crate::pipeline::VoiceTerms;
use crate::soundtrack_wish::{ErrorStrategy, SyncMode};
use crate::{BlobRef, Frame, SceneId, scene::Music};
use serde::{Deserialize, Serialize};

/// One clip: everything that decides what the provider makes and bills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderInput {
    /// Key of the model in the registry, such as `veo3`.
    pub model: String,
    /// What the video model is told: one line, no line breaks.
    pub prompt: String,
    /// Seconds to make and bill.
    pub seconds: u32,
    /// `16:9` or `9:16`; none when the clip follows the first frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// `1080p` or what the model offers.
    pub resolution: String,
    /// Where the camera starts.
    pub first_frame: Frame,
    /// Where the camera ends.
    pub last_frame: Frame,
}

/// The soundtrack of a whole video.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundtrackInput {
    /// The planned length of the video in milliseconds: the billed seconds of all scenes.
    pub duration_ms: i64,
    /// What the caller asked the music to be; wins over what the scenes say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// One part per scene, in order.
    pub parts: Vec<SoundtrackPart>,
    /// What happens when a part of it cannot be made; none leaves it to the audio worker, which repeats what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<ErrorStrategy>,
    /// How long the soundtrack fades out at its end, in milliseconds; none where the mix fades it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fade_ms: Option<i64>,
    /// What a voice says over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceTerms>,
}

/// The part of a soundtrack that lies under one scene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundtrackPart {
    /// Title of the scene.
    pub title: String,
    /// What the scene shows.
    pub description: String,
    /// What the music should be like.
    #[serde(default, skip_serializing_if = "Music::is_empty")]
    pub music: Music,
    /// Planned length in milliseconds.
    pub duration_ms: i64,
}

/// One clip of a cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutClip {
    /// The scene shown.
    pub scene: SceneId,
    /// The scene's number.
    pub number: u32,
    /// The take chosen.
    pub take: u32,
    /// The clip.
    pub clip: BlobRef,
    /// Its probed length in milliseconds.
    pub duration_ms: i64,
}

/// The cut and the soundtrack to put under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixInput {
    /// The silent video.
    pub video: BlobRef,
    /// Its length in milliseconds: the mix is exactly as long.
    pub duration_ms: i64,
    /// The soundtrack.
    pub soundtrack: BlobRef,
    /// How the music is fitted and faded, when somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<MixShape>,
}

/// How music is fitted to a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixShape {
    /// How it gets the video's length.
    pub sync: SyncMode,
    /// How long it fades out at the end, in milliseconds.
    pub fade_ms: i64,
}
