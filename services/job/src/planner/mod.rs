//! Storyboards: by xAI when it is configured, by templates when it is not or when they are asked for.

pub mod prompt;
pub mod reply;
pub mod xai;

use std::time::Duration;

use job_domain::{
    SceneDraft,
    state::JobKind,
    storyboard::{self, PlanAsset, ProposalError, TEMPLATE_PLANNER},
    wishes::{DEFAULT_CLIP_MS, Wishes},
};
use kit::{Code, ServiceError};
use telemetry::trace::span;
use tokio::time::Instant;

use crate::settings::XaiSettings;
use xai::{NoAnswer, Question, Xai};

/// Label of a storyboard by xAI.
pub const XAI: &str = "xai";
/// How often a bad storyboard is asked for, the first time included.
const STORYBOARDS: u32 = 3;
/// Scenes when nobody says how many: of pairs, of property types.
const USUAL_PAIRS: usize = 10;
const USUAL_VIEWS: usize = 7;

/// The planner that is configured.
#[derive(Debug)]
pub struct Planner {
    xai: Option<(Xai, Duration)>,
}

/// What a storyboard is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Brief<'a> {
    /// Which route makes the job.
    pub kind: JobKind,
    /// The caller's wishes, checked.
    pub wishes: &'a Wishes,
    /// The campaign's photos that can be frames, oldest first.
    pub photos: &'a [PlanAsset],
    /// What the campaign says of itself.
    pub text: &'a str,
}

/// A storyboard.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who drew it.
    pub planner: &'static str,
    /// Its scenes.
    pub scenes: Vec<SceneDraft>,
    /// Calls to the planner that it took.
    pub calls: u32,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The planner that is configured, else the templates.
    Configured,
    /// The templates.
    Templates,
}

/// Why one storyboard is no good.
enum Bad {
    Answer(NoAnswer),
    Shape,
    Proposal(ProposalError),
}

impl Planner {
    /// The planner of the settings.
    ///
    /// # Errors
    /// Its base URL is not a URL.
    pub fn new(settings: Option<&XaiSettings>) -> anyhow::Result<Self> {
        let xai =
            settings.map(|settings| anyhow::Ok((Xai::new(settings)?, settings.deadline))).transpose()?;
        Ok(Self { xai })
    }

    /// Calls to the planner since the start.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.xai.as_ref().map_or(0, |(xai, _)| xai.calls())
    }

    /// Who the caller wants: nobody in particular, `template`, or `xai`.
    ///
    /// # Errors
    /// There is no such planner here.
    pub fn choice(&self, wanted: &str) -> Result<Choice, ServiceError> {
        match wanted.trim() {
            "" => Ok(Choice::Configured),
            TEMPLATE_PLANNER => Ok(Choice::Templates),
            XAI if self.xai.is_some() => Ok(Choice::Configured),
            XAI => {
                Err(ServiceError::validation([("planner", "is not configured on this server; use template")]))
            }
            _ => Err(ServiceError::validation([("planner", "is invalid; use xai or template")])),
        }
    }

    /// Whether drawing asks a language model.
    #[must_use]
    pub fn asks_a_model(&self, choice: Choice) -> bool {
        self.xai.is_some() && choice == Choice::Configured
    }

    /// Draws a storyboard.
    ///
    /// # Errors
    /// The wishes do not fit into a video, or the planner failed for good; nothing is made up in its place.
    pub async fn draw(&self, brief: Brief<'_>, choice: Choice) -> Result<Plan, ServiceError> {
        match &self.xai {
            Some((xai, deadline)) if choice == Choice::Configured => {
                span("draw storyboard").around(ask(xai, *deadline, brief)).await
            }
            _ => {
                let scenes = storyboard::draw(brief.kind, brief.photos, brief.wishes).map_err(wrong)?;
                Ok(Plan { planner: TEMPLATE_PLANNER, scenes, calls: 0 })
            }
        }
    }
}

/// What a model would be asked for: so many scenes of such a length. What they would show is for it to say.
///
/// # Errors
/// The wishes do not fit into a video.
pub fn foreseen(brief: Brief<'_>) -> Result<Plan, ServiceError> {
    let photos = prompt::offered(brief.photos);
    let mut wishes = counted(brief.kind, brief.wishes, photos.len())?;
    wishes.clip_duration_ms.get_or_insert(DEFAULT_CLIP_MS);
    let scenes = storyboard::draw(brief.kind, photos, &wishes).map_err(wrong)?;
    Ok(Plan { planner: XAI, scenes, calls: 0 })
}

async fn ask(xai: &Xai, deadline: Duration, brief: Brief<'_>) -> Result<Plan, ServiceError> {
    let photos = prompt::offered(brief.photos);
    let wishes = counted(brief.kind, brief.wishes, photos.len())?;
    let user = request(brief, &wishes, photos);
    let schema = prompt::schema();
    let until = Instant::now() + deadline;
    let mut calls = 0;
    let mut system = prompt::SYSTEM.to_owned();
    let mut last = Bad::Shape;
    for storyboard in 1..=STORYBOARDS {
        let question = Question { system: &system, user: &user, schema: &schema, model: None };
        let bad = match xai.ask(question, until, &mut calls).await {
            Err(error) => return Err(failed(Bad::Answer(error))),
            Ok(answer) => match check(brief.kind, &answer, photos, &wishes) {
                Ok(scenes) => return Ok(Plan { planner: XAI, scenes, calls }),
                Err(bad) => bad,
            },
        };
        let why = bad.to_string();
        tracing::warn!(storyboard, why, "the planner drew a storyboard that cannot be used");
        system = format!("{}\n\nYour last answer could not be used: {why}. Answer again.", prompt::SYSTEM);
        last = bad;
    }
    Err(failed(last))
}

/// The wishes with the number of scenes that is asked for.
fn counted(kind: JobKind, wishes: &Wishes, photos: usize) -> Result<Wishes, ServiceError> {
    let usual = match kind {
        JobKind::ImagePairs => USUAL_PAIRS,
        JobKind::PropertyPhotos => USUAL_VIEWS,
    };
    let asked = wishes.scene_count(photos).map_err(wrong)?;
    let count = asked.unwrap_or_else(|| usual.min(photos).min(wishes.most_scenes()));
    Ok(Wishes { num_pairs: u32::try_from(count).ok(), ..wishes.clone() })
}

fn request(brief: Brief<'_>, wishes: &Wishes, photos: &[PlanAsset]) -> String {
    let scene_types = storyboard::allowed_types(brief.kind, wishes);
    let assets = photos.iter().map(|photo| prompt::RequestAsset {
        id: &photo.id,
        name: &photo.name,
        tags: &photo.tags,
        width: photo.width,
        height: photo.height,
    });
    let request = prompt::Request {
        kind: brief.kind.as_str(),
        num_scenes: wishes.num_pairs.unwrap_or(1),
        clip_duration: Duration::from_millis(
            u64::try_from(wishes.clip_duration_ms.unwrap_or(DEFAULT_CLIP_MS)).unwrap_or_default(),
        )
        .as_secs_f64(),
        scene_types: &scene_types,
        brief: &prompt::brief(brief.text),
        style: wishes.style.as_deref(),
        music_genre: wishes.music_genre.as_deref(),
        assets: assets.collect(),
    };
    request.text()
}

fn check(kind: JobKind, answer: &str, photos: &[PlanAsset], wishes: &Wishes) -> Result<Vec<SceneDraft>, Bad> {
    let proposal = reply::read(answer).ok_or(Bad::Shape)?;
    storyboard::check(kind, proposal, photos, wishes).map_err(Bad::Proposal)
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answer(error) => error.fmt(f),
            Self::Shape => NoAnswer::Unreadable.fmt(f),
            Self::Proposal(error) => error.fmt(f),
        }
    }
}

fn wrong(violation: job_domain::Violation) -> ServiceError {
    ServiceError::validation([(violation.field, violation.message)])
}

/// The contract's two answers to a storyboard that cannot be had.
fn failed(bad: Bad) -> ServiceError {
    if let Bad::Proposal(ProposalError::SceneTypes { invalid }) = &bad {
        let types = serde_json::json!(invalid);
        return ServiceError::new(Code::Invalid, "invalid_scene_types", bad.to_string())
            .fact("invalid_types", types);
    }
    ServiceError::new(Code::Unavailable, "scene_generation_failed", "Failed to generate scenes")
        .fact("details", bad)
}
