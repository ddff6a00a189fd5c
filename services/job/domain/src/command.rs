//! What people ask of a job, and what the workers report to it.

use crate::imported::JobImported;
use crate::state::{JobKind, Override};
use crate::watch::Owner;
use crate::{BlobRef, JobId, JobTerms, SceneChanges, SceneDraft, SceneId, SoundtrackWish};
use serde_json::{Map, Value};

/// Everything that a new job is made from. Ids and the video's name are given: the domain draws none.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateJob {
    /// The new job's id.
    pub job: JobId,
    /// Which route makes it.
    pub kind: JobKind,
    /// The campaign whose assets it shows.
    pub campaign_id: String,
    /// The campaign's name, possibly empty.
    pub campaign_name: String,
    /// The client that the job belongs to.
    pub client_id: Option<String>,
    /// The video's name, see [`crate::view::video_name`].
    pub video_name: String,
    /// Name of the model as the caller or the settings gave it; any alias of the registry.
    pub model: String,
    /// The aspect ratio asked for.
    pub aspect_ratio: Option<String>,
    /// The resolution asked for.
    pub resolution: Option<String>,
    /// Whether a soundtrack is made.
    pub soundtrack: bool,
    /// What the music should be, in the caller's words.
    pub music_prompt: Option<String>,
    /// The caller's own parameters.
    pub parameters: Map<String, Value>,
    /// Parameters that the server sets; they win over the caller's of the same name.
    pub server_parameters: Map<String, Value>,
    /// Images that the campaign has.
    pub total_assets: u32,
    /// Who drew the storyboard: `template`, or the planner's name.
    pub planner: String,
    /// The settings that the job is made under.
    pub terms: JobTerms,
    /// The scenes in order, each with its new id.
    pub scenes: Vec<(SceneId, SceneDraft)>,
}

/// A request to a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make the job.
    Create(Box<CreateJob>),
    /// Bring over a job that is over in an older database.
    Import(Box<JobImported>),
    /// Change a scene of a pending job.
    EditScene {
        /// The scene.
        scene: SceneId,
        /// What changes.
        changes: SceneChanges,
    },
    /// Change the scene at a place of a pending job's storyboard.
    EditSceneAt {
        /// The place, from 0.
        index: u32,
        /// What changes.
        changes: SceneChanges,
    },
    /// Show a scene with something else than its takes say.
    OverrideScene {
        /// The scene.
        scene: SceneId,
        /// What to show; what is `None` stays as it is shown.
        shown: Override,
    },
    /// Take a scene out.
    RemoveScene {
        /// The scene.
        scene: SceneId,
    },
    /// Put the scenes of a pending job into another order.
    ReorderScenes {
        /// Every scene of the job, once.
        order: Vec<SceneId>,
    },
    /// Let a pending job start.
    Approve,
    /// End a job that is not over.
    Cancel {
        /// Why, in the person's words.
        reason: Option<String>,
    },
    /// Buy new takes of these scenes. An empty list on a failed job asks only for a new cut.
    Regenerate {
        /// The scenes.
        scenes: Vec<SceneId>,
    },
    /// Buy a new soundtrack and mix it under the video.
    RegenerateSoundtrack,
    /// Buy a soundtrack by a person's own wish, when nothing else of the job's music is being made.
    WishSoundtrack {
        /// The wish.
        wish: SoundtrackWish,
    },
    /// Record what the job should ask for next. Safe at any time, and empty when there is nothing.
    Advance,
    /// Record that the job did not move in time. Empty when it moved meanwhile, or somebody else has told it.
    Overdue(Box<Overdue>),
    /// The render worker tells of a take.
    SceneReported {
        /// The scene.
        scene: SceneId,
        /// The take.
        take: u32,
        /// What became of it.
        outcome: SceneOutcome,
    },
    /// The audio worker tells of a soundtrack.
    SoundtrackReported {
        /// The soundtrack's take.
        take: u32,
        /// What became of it.
        outcome: SoundtrackOutcome,
    },
    /// The stitch worker tells of a cut.
    CutReported {
        /// The cut.
        cut: u32,
        /// What became of it.
        outcome: CutOutcome,
    },
    /// The stitch worker tells of a mix.
    MixReported {
        /// The cut that was mixed.
        cut: u32,
        /// What became of it.
        outcome: MixOutcome,
    },
}

/// A job that did not move in time, as it was seen to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Who keeps it waiting.
    pub owner: Owner,
    /// What is waited for.
    pub what: String,
    /// Why, in words that a person can act on.
    pub cause: String,
    /// When it last moved, in milliseconds since 1970.
    pub since_ms: i64,
    /// The deadline that passed.
    pub deadline_ms: i64,
    /// How often it will have been told, from 1.
    pub times: u32,
}

/// Why a worker could not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Machine-readable code, such as `content_refused` or `canceled`.
    pub code: String,
    /// A sentence that a person can act on.
    pub reason: String,
    /// Whether asking again might help.
    pub retryable: bool,
}

/// What became of a take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SceneOutcome {
    /// The provider took up an attempt.
    Started {
        /// The attempt's number within the take, from 1.
        attempt: u32,
        /// The provider's id of the prediction.
        provider_id: String,
    },
    /// The clip is there.
    Rendered {
        /// The clip.
        clip: BlobRef,
        /// A still of it.
        poster: Option<BlobRef>,
        /// Its probed length in milliseconds.
        duration_ms: i64,
        /// What the whole take was charged, in micro-dollars.
        cost_micros: i64,
        /// The provider's id of the prediction that delivered.
        provider_id: Option<String>,
    },
    /// There will be no clip.
    Failed {
        /// Why.
        failure: Failure,
        /// What the whole take was charged all the same, in micro-dollars.
        cost_micros: i64,
        /// The provider's id of the last prediction.
        provider_id: Option<String>,
    },
}

/// What became of a soundtrack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundtrackOutcome {
    /// The soundtrack is there.
    Ready {
        /// The soundtrack.
        audio: BlobRef,
        /// Its length in milliseconds.
        duration_ms: i64,
        /// What it was charged, in micro-dollars.
        cost_micros: i64,
        /// What is missing of it, when anything is.
        shortfall: Option<String>,
    },
    /// There will be none.
    Failed {
        /// Why.
        failure: Failure,
        /// What was charged all the same, in micro-dollars.
        cost_micros: i64,
    },
}

/// What became of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutOutcome {
    /// The silent video is there.
    Ready {
        /// The video.
        video: BlobRef,
        /// A still of it.
        poster: Option<BlobRef>,
        /// Its probed length in milliseconds.
        duration_ms: i64,
    },
    /// There will be none.
    Failed(Failure),
}

/// What became of a mix: the same shape as a cut.
pub type MixOutcome = CutOutcome;
