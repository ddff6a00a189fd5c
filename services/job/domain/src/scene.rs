//! A scene of the storyboard: what is to be shown, for how long, between which two frames.

use crate::{AssetId, BlobRef, SceneId};
use serde::{Deserialize, Serialize};

/// The longest text that a prompt, title or description may be, in characters.
pub const MAX_TEXT: usize = 4_000;

/// The longest that the words of a scene's type, transition, movement or music may be, in characters.
pub const MAX_WORDS: usize = 500;

/// One frame of a scene: the asset it came from and its bytes, so that deleting the asset breaks no job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The asset that the frame was taken from.
    pub asset_id: AssetId,
    /// The image itself.
    pub blob: BlobRef,
    /// Width in pixels, 0 if unknown.
    #[serde(default)]
    pub width: u32,
    /// Height in pixels, 0 if unknown.
    #[serde(default)]
    pub height: u32,
}

/// What the music of a scene should be like. All fields are free text, empty if nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Music {
    /// A sentence that describes the music.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Style words, comma-separated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub style: String,
    /// Energy, such as `medium-low`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub energy: String,
}

impl Music {
    /// True when nothing is said about the music.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.description.is_empty() && self.style.is_empty() && self.energy.is_empty()
    }
}

/// A scene as a planner drew it, before it has an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneDraft {
    /// Short title for people.
    pub title: String,
    /// What the scene shows, for people.
    pub description: String,
    /// What the video model is told. Never empty.
    pub prompt: String,
    /// Kind of room or shot, such as `bedroom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_type: Option<String>,
    /// Transition into the next scene (`fade`, `cut`, `dissolve`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<String>,
    /// Camera movement, such as `dolly_forward`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_movement: Option<String>,
    /// What the movement is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motion_goal: Option<String>,
    /// Name of the photo group that the frames came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// Selling points shown in the scene.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<String>,
    /// Start on the storyboard's own line of time, in milliseconds (templates only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_start_ms: Option<i64>,
    /// End on the storyboard's own line of time, in milliseconds (templates only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_end_ms: Option<i64>,
    /// What the music should be like.
    #[serde(default, skip_serializing_if = "Music::is_empty")]
    pub music: Music,
    /// The length that was asked for, in milliseconds.
    pub requested_ms: i64,
    /// The length that the model makes and bills, in seconds.
    pub billed_seconds: u32,
    /// Where the camera starts.
    pub first_frame: Frame,
    /// Where the camera ends.
    pub last_frame: Frame,
}

/// A scene of a job: a draft with its identity and place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneSpec {
    /// The scene's UUID.
    pub id: SceneId,
    /// The scene's number within the job, from 1. Never changes and is never given again; keys use it.
    pub number: u32,
    /// The scene's place in the video, from 0.
    pub index: u32,
    /// What is to be shown.
    #[serde(flatten)]
    pub draft: SceneDraft,
}

/// What an edit changes of a scene; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneChanges {
    /// New title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// New description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// New prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// New transition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<String>,
    /// New kind of room or shot; blank takes it away, as for the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_type: Option<String>,
    /// New camera movement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_movement: Option<String>,
    /// New purpose of the movement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motion_goal: Option<String>,
    /// New description of the music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music_description: Option<String>,
    /// New style of the music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music_style: Option<String>,
    /// New energy of the music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music_energy: Option<String>,
    /// New length, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_ms: Option<i64>,
    /// New first frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_frame: Option<Frame>,
    /// New last frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_frame: Option<Frame>,
}

impl SceneChanges {
    /// True when the edit changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Carries the changes over into a draft. What is billed is not touched.
    pub fn apply(&self, draft: &mut SceneDraft) {
        set(&mut draft.title, self.title.as_ref());
        set(&mut draft.description, self.description.as_ref());
        set(&mut draft.prompt, self.prompt.as_ref());
        set(&mut draft.requested_ms, self.requested_ms.as_ref());
        set(&mut draft.first_frame, self.first_frame.as_ref());
        set(&mut draft.last_frame, self.last_frame.as_ref());
        set(&mut draft.music.description, self.music_description.as_ref());
        set(&mut draft.music.style, self.music_style.as_ref());
        set(&mut draft.music.energy, self.music_energy.as_ref());
        set_words(&mut draft.transition, self.transition.as_ref());
        set_words(&mut draft.scene_type, self.scene_type.as_ref());
        set_words(&mut draft.camera_movement, self.camera_movement.as_ref());
        set_words(&mut draft.motion_goal, self.motion_goal.as_ref());
    }
}

fn set_words(field: &mut Option<String>, change: Option<&String>) {
    if let Some(words) = change {
        *field = Some(words.clone()).filter(|words| !words.trim().is_empty());
    }
}

fn set<T: Clone>(field: &mut T, change: Option<&T>) {
    if let Some(change) = change {
        field.clone_from(change);
    }
}
