//! A job as its events tell it.

mod cuts;
mod soundtrack;
mod stall;
mod status;
mod takes;

pub use cuts::{CutFile, Making, Master, Product, Shown, Stage, Unwanted};
pub use soundtrack::{Soundtrack, SoundtrackState, SoundtrackTake};
pub use stall::Stall;
pub use status::{JobKind, JobStatus, Outcome, SceneStatus};
pub use takes::{Clip, Override, Scene, Take, TakeState};

use crate::imported::Imported;
use crate::{JobId, JobTerms};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A job as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The job's id.
    pub id: JobId,
    /// Which route made it.
    pub kind: JobKind,
    /// The campaign whose assets it shows.
    pub campaign_id: String,
    /// The campaign's name when the job was made.
    pub campaign_name: String,
    /// The client that it belongs to.
    pub client_id: Option<String>,
    /// The video's name.
    pub video_name: String,
    /// Key of the model in the registry.
    pub model: String,
    /// Micro-dollars per billed second, from the price list used.
    pub price_micros_per_second: i64,
    /// The aspect ratio asked for.
    pub aspect_ratio: Option<String>,
    /// The resolution asked for.
    pub resolution: Option<String>,
    /// The parameters as stored; see [`crate::view::parameters`] for what is shown.
    pub parameters: Map<String, Value>,
    /// Images that the campaign had when the job was made.
    pub total_assets: u32,
    /// The settings that the job was made under.
    pub terms: JobTerms,
    /// Who drew the storyboard.
    pub planner: String,
    /// Where the job is.
    pub status: JobStatus,
    /// Whether the playable video shows every scene; none before there is one.
    pub outcome: Option<Outcome>,
    /// Why it failed or was canceled.
    pub error: Option<String>,
    /// The scenes in the order of the video.
    pub scenes: Vec<Scene>,
    /// Scenes taken out; kept for takes that are still out and for what they cost.
    pub removed: Vec<Scene>,
    /// What the storyboard will cost, in micro-dollars. Frozen at approval.
    pub estimate_micros: i64,
    /// The soundtrack.
    pub soundtrack: Soundtrack,
    /// The cut that is being made.
    pub making: Option<Making>,
    /// Videos that are still out at the stitch worker though the job was canceled.
    #[serde(default)]
    pub unwanted: Vec<Unwanted>,
    /// Number of the last cut, 0 before approval.
    pub cuts: u32,
    /// How far the job came before it failed or was canceled, 0 to 100.
    pub reached: u8,
    /// The newest silent video.
    pub last_cut: Option<CutFile>,
    /// The video that people play.
    pub master: Option<Master>,
    /// Why the last attempt at a new cut of a completed job came to nothing.
    pub next_cut_error: Option<String>,
    /// What a person should know about the playable video.
    pub warnings: Vec<String>,
    /// When the job was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When something last happened to it.
    pub updated_at_ms: i64,
    /// When something last happened that it waited for; 0 when that was not told yet.
    #[serde(default)]
    pub moved_at_ms: i64,
    /// When it was let through; none before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at_ms: Option<i64>,
    /// Since when it has been unfinished, if it is: when it was made, or taken up again.
    #[serde(default)]
    pub unfinished_since_ms: i64,
    /// What was told of it, while it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// Where it was brought over from, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

impl Job {
    /// When something last happened that the job waited for, in milliseconds since 1970.
    #[must_use]
    pub fn last_moved_ms(&self) -> i64 {
        self.moved_at_ms.max(self.created_at_ms)
    }

    /// A scene of the storyboard by id.
    #[must_use]
    pub fn scene(&self, id: &str) -> Option<&Scene> {
        self.scenes.iter().find(|scene| scene.spec.id == id)
    }

    /// A scene by id, also when it was taken out.
    #[must_use]
    pub fn any_scene(&self, id: &str) -> Option<&Scene> {
        self.scenes.iter().chain(&self.removed).find(|scene| scene.spec.id == id)
    }

    /// A scene by the number that keys use, also when it was taken out.
    #[must_use]
    pub fn scene_numbered(&self, number: u32) -> Option<&Scene> {
        self.scenes.iter().chain(&self.removed).find(|scene| scene.spec.number == number)
    }

    /// The takes that the video would show now, in order.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let shown = |scene: &Scene| {
            let take = scene.chosen?;
            Some(Shown { scene: scene.spec.id.clone(), take })
        };
        self.scenes.iter().filter_map(shown).collect()
    }

    /// The length of the video if every scene is rendered, in seconds.
    #[must_use]
    pub fn planned_seconds(&self) -> u32 {
        self.scenes.iter().map(|scene| scene.spec.draft.billed_seconds).sum()
    }
}
