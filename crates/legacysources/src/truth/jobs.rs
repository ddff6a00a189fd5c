//! What is told about jobs and their scenes.

use super::BytesTruth;

/// What made a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Clips between pairs of images (in both services).
    Pairs,
    /// As `Pairs`, by the pipeline of separate tasks.
    Luigi,
    /// From the photos of a property (in both services).
    Property,
    /// The Python service's storyboard of a brief.
    Generic,
    /// The Python service's second version.
    V2,
    /// Clips joined by hand.
    Concat,
    /// A single clip by a model.
    Clip,
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobTruth {
    /// Its number there.
    pub number: i64,
    /// `generated_videos` or `jobs`.
    pub table: &'static str,
    /// What made it.
    pub family: Family,
    /// What it should be here, `image_pairs` or `property_photos`; none when the source does not say.
    pub kind: Option<&'static str>,
    /// `model_id` in `scenes.db`, `parameters.video_model` in Phoenix.
    pub model: String,
    /// As in the source's parameters, there or not.
    pub campaign_id: Option<String>,
    /// As in the source's parameters or column when it is a UUID, there or not.
    pub client_id: Option<String>,
    /// Phoenix alone.
    pub video_name: Option<String>,
    /// What the row says.
    pub source_status: String,
    /// `completed`, `failed` or `canceled`.
    pub status: &'static str,
    /// Whether it was over there. One that was not has to be given a reason.
    pub finished: bool,
    /// Why it failed, when the source says it.
    pub error: Option<String>,
    /// Its video.
    pub video: Option<BytesTruth>,
    /// Whether it says that it is completed, and there is no video in the source.
    pub video_missing: bool,
    /// A still of its video.
    pub poster: Option<BytesTruth>,
    /// Its sound.
    pub audio: Option<BytesTruth>,
    /// In their order.
    pub scenes: Vec<SceneTruth>,
    /// Micro-dollars.
    pub estimate_micros: i64,
    /// Micro-dollars.
    pub actual_micros: i64,
    /// RFC 3339 with Z.
    pub created_at: String,
    /// RFC 3339 with Z; none when the row has none.
    pub updated_at: Option<String>,
}

/// A scene of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneTruth {
    /// UUID.
    pub id: String,
    /// `job_scenes`, `video_sub_jobs` or `sub_jobs`.
    pub table: &'static str,
    /// From 1; numbers may be missing. In Phoenix its place by the time of its creation.
    pub number: u32,
    /// What the row says; empty when its table has no status.
    pub source_status: String,
    /// `pending`, `completed` or `failed`.
    pub status: &'static str,
    /// Why it failed, when the source says it.
    pub error: Option<String>,
    /// What it shows, when the source says it.
    pub description: Option<String>,
    /// Milliseconds, when the source says it.
    pub duration_ms: Option<u64>,
    /// The assets that it shows.
    pub frames: Vec<FrameTruth>,
    /// Its clip, when its bytes are in the source.
    pub clip: Option<BytesTruth>,
    /// The provider's id of the prediction.
    pub provider_id: Option<String>,
    /// Micro-dollars.
    pub actual_micros: i64,
}

/// An asset that a scene shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameTruth {
    /// UUID.
    pub asset_id: String,
    /// SHA-256 of its bytes; none when the asset or its bytes are gone.
    pub sha256: Option<String>,
}
