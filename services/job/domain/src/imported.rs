//! What an older database says of a finished job, as it is brought over.

use crate::state::{JobKind, JobStatus, SceneStatus};
use crate::{AssetId, BlobRef, JobId, SceneId};
use serde::{Deserialize, Serialize};

/// Why nothing is made again of a job that was brought over.
pub(crate) const STAYS: &str = "Job came from an older database, which does not say enough to make it again; make a new \
                                job of its campaign";

/// The row of an older database that a job was brought over from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyOrigin {
    /// Which database: `scenes.db`, `phoenix`, or the name that the person who imports gave it.
    pub source: String,
    /// The table.
    pub table: String,
    /// The row's primary key as text.
    pub row: String,
    /// SHA-256 (lower-case hex) of what was read of the row and of its bytes.
    pub digest: String,
}

/// A file of an older database, with its bytes in the object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// The bytes.
    pub blob: BlobRef,
    /// A still of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<BlobRef>,
    /// Its length in milliseconds, 0 if unknown.
    #[serde(default)]
    pub duration_ms: i64,
}

/// An asset that a scene shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFrame {
    /// The asset.
    pub asset_id: AssetId,
    /// Its bytes; none when they are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobRef>,
    /// Width in pixels, 0 if unknown.
    #[serde(default)]
    pub width: u32,
    /// Height in pixels, 0 if unknown.
    #[serde(default)]
    pub height: u32,
}

/// A scene as it was in the older database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedScene {
    /// The scene's UUID.
    pub id: SceneId,
    /// Its number within the job, from 1; numbers may be missing.
    pub number: u32,
    /// Short title for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What the scene shows, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What the video model was told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// Kind of room or shot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_type: Option<String>,
    /// Transition into the next scene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<String>,
    /// Camera movement.
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
    /// The length in the storyboard, in milliseconds.
    #[serde(default)]
    pub duration_ms: i64,
    /// Where the camera starts and ends: none, one that is both, or two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<ImportedFrame>,
    /// Where it was. Never `processing`: nothing is under way any more.
    pub status: SceneStatus,
    /// Why it has no clip; empty when nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// The provider's id of its prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// The clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<ImportedFile>,
    /// What it cost, in micro-dollars.
    #[serde(default)]
    pub cost_micros: i64,
    /// When it was made, in microseconds since 1970.
    pub created_at_us: i64,
    /// When something last happened to it there, in microseconds since 1970.
    pub updated_at_us: i64,
}

/// The first fact of a job that was brought over: all that the older database says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobImported {
    /// The job, by its number here.
    pub job: JobId,
    /// Its number in the older database.
    pub legacy_id: JobId,
    /// Its place among the videos of its campaign, from 1, each once. Names of later videos count on from it.
    pub number: u32,
    /// Where it comes from.
    pub origin: LegacyOrigin,
    /// Which kind of job it was.
    pub job_kind: JobKind,
    /// The campaign, empty when it had none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub campaign_id: String,
    /// The campaign's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub campaign_name: String,
    /// The client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The video's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub video_name: String,
    /// The model, as it was called there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// How it ended: `completed`, `failed` or `canceled`.
    pub status: JobStatus,
    /// Why there is no video; empty when nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// The aspect ratio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// The resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Its parameters to the letter: the text of a JSON object, empty when it had none.
    pub parameters_json: String,
    /// The scenes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenes: Vec<ImportedScene>,
    /// What it was estimated at, in micro-dollars.
    #[serde(default)]
    pub estimate_micros: i64,
    /// All that it cost, in micro-dollars.
    #[serde(default)]
    pub actual_cost_micros: i64,
    /// The video that people play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<ImportedFile>,
    /// The soundtrack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<ImportedFile>,
    /// Whether the video has the soundtrack under it.
    #[serde(default)]
    pub audio_merged: bool,
    /// When it was made, in microseconds since 1970.
    pub created_at_us: i64,
    /// When something last happened to it there, in microseconds since 1970.
    pub updated_at_us: i64,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl JobImported {
    /// Whether this is `before` with files that it lacked, and nothing else is another. What follows from a file may come
    /// with it: a job's end with its video, a scene's with its clip. So may warnings, which tell of what is missing. The
    /// numbers here are not compared, nor is the digest.
    #[must_use]
    pub fn is_more_of(&self, before: &Self) -> bool {
        let mut less = Self { job: before.job, number: before.number, ..self.clone() };
        less.origin.digest.clone_from(&before.origin.digest);
        less.warnings.clone_from(&before.warnings);
        let mut grew = false;
        if take_back(&mut less.video, before.video.as_ref(), &mut grew) {
            less.status = before.status;
            less.error.clone_from(&before.error);
        }
        take_back(&mut less.audio, before.audio.as_ref(), &mut grew);
        for (scene, before) in less.scenes.iter_mut().zip(&before.scenes) {
            scene.take_back(before, &mut grew);
        }
        grew && less == *before
    }
}

impl ImportedScene {
    /// Takes away the files that `before` lacks.
    fn take_back(&mut self, before: &Self, grew: &mut bool) {
        if take_back(&mut self.clip, before.clip.as_ref(), grew) {
            self.status = before.status;
            self.error.clone_from(&before.error);
        }
        for (frame, before) in self.frames.iter_mut().zip(&before.frames) {
            if before.blob.is_none() && frame.blob.is_some() {
                (frame.blob, frame.width, frame.height) = (None, before.width, before.height);
                *grew = true;
            }
        }
    }
}

/// Takes away a file that `before` lacks, or its still; whether it was the file.
fn take_back(file: &mut Option<ImportedFile>, before: Option<&ImportedFile>, grew: &mut bool) -> bool {
    let Some(before) = before else {
        let had = file.take().is_some();
        *grew |= had;
        return had;
    };
    if before.poster.is_none() {
        *grew |= file.as_mut().is_some_and(|file| file.poster.take().is_some());
    }
    false
}

/// What a job keeps of having been brought over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Where it comes from.
    pub origin: LegacyOrigin,
    /// Its number in the older database.
    pub legacy_id: JobId,
    /// Its place among the videos of its campaign.
    pub number: u32,
    /// What the older database counted beside the takes, in micro-dollars; less than nothing where its scenes counted
    /// more than the job did.
    pub cost_micros: i64,
}
