//! What happened to a job. Stored as they are here, read forever: fields are only added, with a default.

use crate::imported::JobImported;
use crate::input::{CutClip, MixInput, RenderInput, SoundtrackInput};
use crate::state::{JobKind, Master, Outcome, Override};
use crate::watch::Owner;
use crate::{BlobRef, JobId, JobTerms, SceneChanges, SceneId, SceneSpec, SoundtrackWish};
use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::{Map, Value};

/// The schema version that today's code writes for every kind.
pub const SCHEMA_VERSION: u32 = 1;

/// The first fact of a job: what it is for and the terms it was made under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobCreated {
    /// The job.
    pub job: JobId,
    /// Which route made it.
    pub job_kind: JobKind,
    /// The campaign whose assets it shows.
    pub campaign_id: String,
    /// The campaign's name at that time, possibly empty.
    #[serde(default)]
    pub campaign_name: String,
    /// The client that the job belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The video's name.
    pub video_name: String,
    /// Key of the model in the registry.
    pub model: String,
    /// The price list used: micro-dollars per billed second.
    pub price_micros_per_second: i64,
    /// The aspect ratio asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// The resolution asked for; none lets the model's default hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// How many scenes the storyboard has.
    #[serde(default)]
    pub scene_count: u32,
    /// What they will cost, in micro-dollars.
    #[serde(default)]
    pub estimate_micros: i64,
    /// Images that the campaign had.
    #[serde(default)]
    pub total_assets: u32,
    /// Whether a soundtrack is made.
    #[serde(default = "yes")]
    pub soundtrack: bool,
    /// What the caller asked the music to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music_prompt: Option<String>,
    /// The job's parameters: the caller's own, with the server's keys winning.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// The settings that the job was made under; later changes of them do not touch it.
    #[serde(default, skip_serializing_if = "JobTerms::are_usual")]
    pub terms: JobTerms,
}

fn yes() -> bool {
    true
}

/// One fact in the life of a job. In JSON the member `kind` names it. Money is in micro-dollars, lengths are in
/// milliseconds; `cost_micros` is what the whole take was charged so far, `actual_cost_micros` the whole job;
/// a scene's `number` never changes, its `index` is its place at that time.
#[allow(missing_docs, reason = "each kind is described; the fields share the words explained above")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum JobEvent {
    /// Campaign, kind, parameters, model and price list.
    JobCreated(Box<JobCreated>),
    /// A job that was over when it came from an older database. Comes once more when bytes of it are found later.
    JobImported(Box<JobImported>),
    /// The scenes, with what they will cost.
    StoryboardDrafted { planner: String, scenes: Vec<SceneSpec>, estimate_micros: i64 },
    /// A scene was changed while the job was pending.
    SceneEdited { scene: SceneId, changes: SceneChanges, billed_seconds: u32, estimate_micros: i64 },
    /// A scene was taken out. `cut` is the new cut that follows when the job was completed.
    SceneRemoved {
        scene: SceneId,
        estimate_micros: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<u32>,
    },
    /// A person wrote down what a scene is to be shown with; what is left out stays as it was. It settles nothing, asks
    /// for nothing, and lasts until the next thing that really happens to the scene.
    SceneOverridden {
        scene: SceneId,
        #[serde(flatten)]
        shown: Override,
    },
    /// The scenes were put into another order.
    SceneReordered { order: Vec<SceneId> },
    /// The gate: the estimate is frozen, rendering may start.
    JobApproved { estimate_micros: i64, planned_seconds: u32 },
    /// The way out.
    JobCanceled {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A person wants new takes of these scenes (none: only a new cut), and perhaps a new soundtrack.
    RegenerationRequested {
        cut: u32,
        scenes: Vec<SceneId>,
        #[serde(default)]
        soundtrack: bool,
    },
    /// One clip of a scene is wanted: recorded before it is asked for.
    SceneTakeRequested {
        cut: u32,
        scene: SceneId,
        number: u32,
        take: u32,
        key: String,
        digest: String,
        input: RenderInput,
    },
    /// The provider took up an attempt at a take.
    SceneAttemptStarted { scene: SceneId, number: u32, take: u32, attempt: u32, provider_id: String },
    /// A take delivered its clip.
    SceneRendered {
        scene: SceneId,
        number: u32,
        index: u32,
        take: u32,
        clip: BlobRef,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        poster: Option<BlobRef>,
        duration_ms: i64,
        cost_micros: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider_id: Option<String>,
    },
    /// A take ended without a clip.
    SceneFailed {
        scene: SceneId,
        number: u32,
        index: u32,
        take: u32,
        code: String,
        reason: String,
        retryable: bool,
        cost_micros: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider_id: Option<String>,
    },
    /// A take that nobody waits for any more (canceled job, removed scene) is over at the worker.
    SceneTakeClosed { scene: SceneId, number: u32, take: u32, reason: String, cost_micros: i64 },
    /// A take that had ended turned out to have cost more than was known.
    SceneTakeCharged { scene: SceneId, number: u32, take: u32, cost_micros: i64 },
    /// A person wishes a soundtrack: it is asked for when it is its turn.
    SoundtrackWished { wish: SoundtrackWish },
    /// A soundtrack is wanted: recorded before it is asked for. `wish` is the oldest one that waits, which it serves.
    SoundtrackRequested {
        take: u32,
        key: String,
        digest: String,
        input: SoundtrackInput,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wish: Option<SoundtrackWish>,
    },
    /// The soundtrack is there; `shortfall` is what is missing of it.
    SoundtrackReady {
        take: u32,
        audio: BlobRef,
        duration_ms: i64,
        cost_micros: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shortfall: Option<String>,
    },
    /// There will be no soundtrack from this take.
    SoundtrackFailed { take: u32, code: String, reason: String, retryable: bool, cost_micros: i64 },
    /// A soundtrack take that had ended turned out to have cost more than was known.
    SoundtrackCharged { take: u32, cost_micros: i64 },
    /// The silent video is wanted, from these clips in this order.
    CutRequested { cut: u32, key: String, digest: String, clips: Vec<CutClip> },
    /// The silent video is there.
    CutReady {
        cut: u32,
        video: BlobRef,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        poster: Option<BlobRef>,
        duration_ms: i64,
    },
    /// There will be no video from this cut.
    CutFailed { cut: u32, code: String, reason: String, retryable: bool },
    /// The cut with its soundtrack is wanted.
    MixRequested { cut: u32, key: String, digest: String, input: MixInput },
    /// The cut with its soundtrack is there.
    MixReady {
        cut: u32,
        video: BlobRef,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        poster: Option<BlobRef>,
        duration_ms: i64,
    },
    /// The soundtrack could not be put under the cut.
    MixFailed { cut: u32, code: String, reason: String, retryable: bool },
    /// A cut or a mix that nobody waits for any more (canceled job) is over at the worker.
    ProductClosed { cut: u32, key: String, reason: String },
    /// The end: the video can be played.
    JobCompleted {
        cut: u32,
        outcome: Outcome,
        master: Master,
        actual_cost_micros: i64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// The end: there is no video, and why.
    JobFailed { cut: u32, reason: String },
    /// A better cut took the place of the one before it.
    CutReplaced {
        cut: u32,
        outcome: Outcome,
        master: Master,
        actual_cost_micros: i64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// The job did not move since `since_ms`, and the deadline passed: why, told so many times by now.
    JobStalled { owner: Owner, what: String, cause: String, since_ms: i64, deadline_ms: i64, times: u32 },
    /// A job that stalled at `since_ms` moved again or is over; who had kept it waiting, and for what.
    JobResumed { owner: Owner, what: String, since_ms: i64 },
}

/// A stored event that today's code cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the stored event of kind {kind} cannot be read")]
pub struct UnreadableEvent {
    /// The kind under which it is stored.
    pub kind: String,
    /// What is wrong with it.
    #[source]
    pub source: serde_json::Error,
}

impl JobEvent {
    /// The name under which the event is stored.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::JobCreated(_) => "JobCreated",
            Self::JobImported(_) => "JobImported",
            Self::StoryboardDrafted { .. } => "StoryboardDrafted",
            Self::SceneEdited { .. } => "SceneEdited",
            Self::SceneRemoved { .. } => "SceneRemoved",
            Self::SceneOverridden { .. } => "SceneOverridden",
            Self::SceneReordered { .. } => "SceneReordered",
            Self::JobApproved { .. } => "JobApproved",
            Self::JobCanceled { .. } => "JobCanceled",
            Self::RegenerationRequested { .. } => "RegenerationRequested",
            Self::SceneTakeRequested { .. } => "SceneTakeRequested",
            Self::SceneAttemptStarted { .. } => "SceneAttemptStarted",
            Self::SceneRendered { .. } => "SceneRendered",
            Self::SceneFailed { .. } => "SceneFailed",
            Self::SceneTakeClosed { .. } => "SceneTakeClosed",
            Self::SceneTakeCharged { .. } => "SceneTakeCharged",
            Self::SoundtrackWished { .. } => "SoundtrackWished",
            Self::SoundtrackRequested { .. } => "SoundtrackRequested",
            Self::SoundtrackReady { .. } => "SoundtrackReady",
            Self::SoundtrackFailed { .. } => "SoundtrackFailed",
            Self::SoundtrackCharged { .. } => "SoundtrackCharged",
            Self::CutRequested { .. } => "CutRequested",
            Self::CutReady { .. } => "CutReady",
            Self::CutFailed { .. } => "CutFailed",
            Self::MixRequested { .. } => "MixRequested",
            Self::MixReady { .. } => "MixReady",
            Self::MixFailed { .. } => "MixFailed",
            Self::ProductClosed { .. } => "ProductClosed",
            Self::JobCompleted { .. } => "JobCompleted",
            Self::JobFailed { .. } => "JobFailed",
            Self::CutReplaced { .. } => "CutReplaced",
            Self::JobStalled { .. } => "JobStalled",
            Self::JobResumed { .. } => "JobResumed",
        }
    }

    /// The event's data as it is stored beside its kind: a JSON object without the member `kind`.
    #[must_use]
    pub fn to_data(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.shift_remove("kind");
        }
        value
    }

    /// Reads a stored event from its kind and the JSON text of its data. Errors: the kind is unknown or the data does
    /// not fit it.
    pub fn from_stored(kind: &str, data: &str) -> Result<Self, UnreadableEvent> {
        let read = with_kind(kind, data).and_then(|whole| serde_json::from_str(&whole));
        read.map_err(|source| UnreadableEvent { kind: kind.to_owned(), source })
    }
}

/// The object that the text is, with the kind as its first member: as text, so that it is parsed only once.
fn with_kind(kind: &str, data: &str) -> Result<String, serde_json::Error> {
    let kind = serde_json::to_string(kind)?;
    let no_object = || serde_json::Error::custom("the data is no JSON object");
    let members = data.trim_start().strip_prefix('{').ok_or_else(no_object)?;
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    Ok(format!("{{\"kind\":{kind}{comma}{members}"))
}
