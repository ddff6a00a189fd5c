//! The check of a planner's proposal: only the campaign's own assets, no invented types, no more than fits.

use super::frames::{PlanAsset, normal, usable_frames};
use super::templates::TEMPLATES;
use crate::estimate::MAX_TOTAL_SECONDS;
use crate::refusal::Violation;
use crate::scene::{Frame, MAX_TEXT, Music, SceneDraft};
use crate::state::JobKind;
use crate::wishes::{DEFAULT_CLIP_MS, DEFAULT_PROPERTY_TYPES, Wishes};
use serde::{Deserialize, Serialize};

/// What a planner proposes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The scenes in order.
    pub scenes: Vec<ProposedScene>,
}

/// One scene of a proposal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProposedScene {
    /// Short title.
    pub title: String,
    /// What the scene shows.
    pub description: String,
    /// What the video model is told; the description when empty.
    pub prompt: String,
    /// Length in seconds.
    pub duration: f64,
    /// Kind of room or shot.
    pub scene_type: Option<String>,
    /// Transition into the next scene.
    pub transition: Option<String>,
    /// Camera movement.
    pub camera_movement: Option<String>,
    /// Name of the photo group.
    pub group_name: Option<String>,
    /// Selling points.
    pub highlights: Vec<String>,
    /// The assets of the scene: the first is where the camera starts, the last where it ends.
    pub asset_ids: Vec<String>,
    /// What the music should be like.
    pub music_description: Option<String>,
    /// Style words of the music.
    pub music_style: Option<String>,
    /// Energy of the music.
    pub music_energy: Option<String>,
}

/// Why a proposal cannot be used. The planner may do better when asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// There is no scene in it.
    #[error("No scenes generated")]
    Empty,
    /// There are more or fewer scenes than asked for.
    #[error("the planner proposed {got} scenes instead of {expected}")]
    WrongCount {
        /// How many were asked for.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// A scene names an asset that the campaign does not have or that cannot be a frame.
    #[error("scene {scene} names `{asset}`, which is not a usable image of the campaign")]
    ForeignAsset {
        /// The scene's place, from 1.
        scene: usize,
        /// What it names.
        asset: String,
    },
    /// A scene names no asset.
    #[error("scene {scene} names no image")]
    NoAsset {
        /// The scene's place, from 1.
        scene: usize,
    },
    /// Scene types that are not among the allowed ones; `None` for a scene without a type.
    #[error("Scene types do not match allowed property types")]
    SceneTypes {
        /// Each once, in the order of the scenes.
        invalid: Vec<Option<String>>,
    },
    /// A scene has no title or nothing to tell the video model.
    #[error("scene {scene} has no {field}")]
    Blank {
        /// The scene's place, from 1.
        scene: usize,
        /// What is missing.
        field: &'static str,
    },
    /// A text of a scene is longer than any model reads.
    #[error("the {field} of scene {scene} is longer than {MAX_TEXT} characters")]
    Wordy {
        /// The scene's place, from 1.
        scene: usize,
        /// Which text.
        field: &'static str,
    },
    /// The video would be too long.
    #[error("the scenes last {seconds} seconds together; a video may last at most {MAX_TOTAL_SECONDS}")]
    TooLong {
        /// Billed seconds of all scenes.
        seconds: u32,
    },
    /// What the caller asked for does not fit into a video, whatever the planner says.
    #[error("{} {}", .0.field, .0.message)]
    Wish(Violation),
}

impl ProposalError {
    /// True when asking the planner again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Wish(_))
    }
}

/// The scene types that a planner may use.
#[must_use]
pub fn allowed_types(kind: JobKind, wishes: &Wishes) -> Vec<String> {
    match kind {
        JobKind::PropertyPhotos => wishes.property_types.clone(),
        JobKind::ImagePairs => {
            let ours = TEMPLATES
                .iter()
                .flat_map(|template| [template.key].into_iter().chain(template.scene_types.iter().copied()));
            let mut types: Vec<String> = Vec::new();
            for kind in ours.chain(DEFAULT_PROPERTY_TYPES).map(str::to_owned) {
                if !types.contains(&kind) {
                    types.push(kind);
                }
            }
            types
        }
    }
}

/// Checks a proposal against the campaign's assets and the caller's wishes, and fills in what is billed.
/// Errors: the first rule that the proposal breaks.
pub fn check(
    kind: JobKind,
    proposal: Proposal,
    assets: &[PlanAsset],
    wishes: &Wishes,
) -> Result<Vec<SceneDraft>, ProposalError> {
    if proposal.scenes.is_empty() {
        return Err(ProposalError::Empty);
    }
    let frames = usable_frames(assets);
    let expected = wishes.scene_count(frames.len()).map_err(ProposalError::Wish)?;
    let got = proposal.scenes.len();
    if let Some(expected) = expected.filter(|expected| *expected != got) {
        return Err(ProposalError::WrongCount { expected, got });
    }
    let types = check_types(kind, &proposal, wishes)?;
    let mut drafts = Vec::with_capacity(got);
    for ((place, scene), scene_type) in (1..).zip(proposal.scenes).zip(types) {
        drafts.push(draft(place, scene, scene_type, &frames, wishes)?);
    }
    let seconds: u32 = drafts.iter().map(|draft| draft.billed_seconds).sum();
    if seconds > MAX_TOTAL_SECONDS {
        return Err(ProposalError::TooLong { seconds });
    }
    Ok(drafts)
}

/// The type of each scene in the spelling of the allowed list. Spelling is forgiven, invention is not.
fn check_types(
    kind: JobKind,
    proposal: &Proposal,
    wishes: &Wishes,
) -> Result<Vec<Option<String>>, ProposalError> {
    let allowed = allowed_types(kind, wishes);
    let mut types = Vec::new();
    let mut invalid: Vec<Option<String>> = Vec::new();
    for scene in &proposal.scenes {
        let given = scene.scene_type.as_deref().map(str::trim).filter(|given| !given.is_empty());
        let known = given.and_then(|given| allowed.iter().find(|known| normal(known) == normal(given)));
        let optional = kind == JobKind::ImagePairs && given.is_none();
        let given = given.map(str::to_owned);
        if known.is_none() && !optional && !invalid.contains(&given) {
            invalid.push(given);
        }
        types.push(known.cloned());
    }
    if invalid.is_empty() { Ok(types) } else { Err(ProposalError::SceneTypes { invalid }) }
}

fn draft(
    place: usize,
    scene: ProposedScene,
    scene_type: Option<String>,
    assets: &[&PlanAsset],
    wishes: &Wishes,
) -> Result<SceneDraft, ProposalError> {
    let frame = |id: Option<&String>| -> Result<Frame, ProposalError> {
        let id = id.ok_or(ProposalError::NoAsset { scene: place })?;
        let found = assets.iter().find(|asset| asset.id == *id);
        found
            .map(|asset| asset.frame())
            .ok_or_else(|| ProposalError::ForeignAsset { scene: place, asset: id.chars().take(60).collect() })
    };
    // Every asset named must be the campaign's own, also those between the first and the last.
    for id in &scene.asset_ids {
        frame(Some(id))?;
    }
    let (first_frame, last_frame) = (frame(scene.asset_ids.first())?, frame(scene.asset_ids.last())?);
    let title = filled(scene.title).ok_or(ProposalError::Blank { scene: place, field: "title" })?;
    let prompt = filled(scene.prompt).or_else(|| filled(scene.description.clone()));
    let prompt = prompt.ok_or(ProposalError::Blank { scene: place, field: "prompt" })?;
    for (field, text) in [("title", &title), ("description", &scene.description), ("prompt", &prompt)] {
        if text.chars().count() > MAX_TEXT {
            return Err(ProposalError::Wordy { scene: place, field });
        }
    }
    let requested_ms = wishes.clip_duration_ms.unwrap_or_else(|| length_ms(scene.duration, wishes));
    Ok(SceneDraft {
        title,
        description: scene.description,
        prompt,
        scene_type,
        transition: scene.transition.and_then(filled),
        camera_movement: scene.camera_movement.and_then(filled),
        motion_goal: None,
        group_name: scene.group_name.and_then(filled),
        highlights: scene.highlights,
        time_start_ms: None,
        time_end_ms: None,
        music: Music {
            description: scene.music_description.unwrap_or_default(),
            style: scene.music_style.unwrap_or_default(),
            energy: scene.music_energy.unwrap_or_default(),
        },
        requested_ms,
        billed_seconds: wishes.model.billed(requested_ms),
        first_frame,
        last_frame,
    })
}

fn filled(text: String) -> Option<String> {
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// The planner's seconds in milliseconds, within what the model makes; nonsense becomes the default.
fn length_ms(seconds: f64, wishes: &Wishes) -> i64 {
    if !seconds.is_finite() || seconds <= 0.0 {
        return DEFAULT_CLIP_MS;
    }
    let longest = f64::from(wishes.model.longest());
    (seconds.min(longest) * 1_000.0).round().max(1.0) as i64
}
