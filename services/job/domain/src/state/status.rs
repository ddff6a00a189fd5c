//! The words for where jobs and scenes are.

use serde::{Deserialize, Serialize};

/// Which route made the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Scenes between two photos each.
    ImagePairs,
    /// Scenes by property type.
    PropertyPhotos,
}

impl JobKind {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::ImagePairs, Self::PropertyPhotos];

    /// The one that the word used outside names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The word used outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImagePairs => "image_pairs",
            Self::PropertyPhotos => "property_photos",
        }
    }
}

/// Where a job is in its life, as seen outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// The storyboard is there and may be changed.
    Pending,
    /// Let through, nothing asked for yet.
    Approved,
    /// The workers are at it.
    Processing,
    /// The video can be played. Stays so while a new cut is made.
    Completed,
    /// There is no video; a person may regenerate.
    Failed,
    /// Ended by a person.
    Canceled,
}

impl JobStatus {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Approved, Self::Processing, Self::Completed, Self::Failed, Self::Canceled];

    /// The one that the word used outside names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The word used outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// True for `completed`, `failed` and `canceled`.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }
}

/// Whether a completed video shows every scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every scene is in the video.
    Full,
    /// Some scenes failed and are missing.
    Partial,
}

impl Outcome {
    /// The word used outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
        }
    }
}

/// Where a scene is, as seen outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneStatus {
    /// No clip has been asked for yet.
    Pending,
    /// A clip is being made.
    Processing,
    /// The clip is there.
    Completed,
    /// There is no clip, and a reason.
    Failed,
}

impl SceneStatus {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Processing, Self::Completed, Self::Failed];

    /// The one that the word used outside names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The word used outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}
