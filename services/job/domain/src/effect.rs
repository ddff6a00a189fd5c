//! What should be outstanding at the workers now. Level-triggered: computed from the state, under keys that make
//! asking twice the same as asking once.

use crate::input::{CutClip, MixInput, RenderInput, SoundtrackInput};
use crate::state::{Job, Product, Scene, SoundtrackState, Stage, Take};
use crate::{JobId, JobStatus, SceneId, pipeline::Overlay};

/// One request that should be outstanding, or one cancel that should have reached its worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the render worker for a take.
    RenderScene {
        /// The job.
        job: JobId,
        /// The campaign, for fairness between campaigns.
        campaign_id: String,
        /// The scene.
        scene: SceneId,
        /// The scene's number.
        number: u32,
        /// The take.
        take: u32,
        /// Key of the request.
        key: String,
        /// Digest of the input.
        digest: String,
        /// The input.
        input: Box<RenderInput>,
    },
    /// Tell the render worker that a take is not wanted any more.
    CancelScene {
        /// The job.
        job: JobId,
        /// The scene.
        scene: SceneId,
        /// The scene's number.
        number: u32,
        /// The take.
        take: u32,
        /// Key of the request.
        key: String,
    },
    /// Ask the audio worker for a soundtrack.
    MakeSoundtrack {
        /// The job.
        job: JobId,
        /// The campaign, for fairness between campaigns.
        campaign_id: String,
        /// The soundtrack's take.
        take: u32,
        /// Key of the request.
        key: String,
        /// Digest of the input.
        digest: String,
        /// The input.
        input: SoundtrackInput,
    },
    /// Tell the audio worker that a soundtrack is not wanted any more.
    CancelSoundtrack {
        /// The job.
        job: JobId,
        /// The soundtrack's take.
        take: u32,
        /// Key of the request.
        key: String,
    },
    /// Ask the stitch worker for the silent video.
    Cut {
        /// The job.
        job: JobId,
        /// The cut.
        cut: u32,
        /// Key of the request.
        key: String,
        /// Digest of the clips.
        digest: String,
        /// The clips in order.
        clips: Vec<CutClip>,
        /// The text that lies over them.
        overlay: Option<Overlay>,
    },
    /// Ask the stitch worker to put the soundtrack under the cut.
    Mix {
        /// The job.
        job: JobId,
        /// The cut.
        cut: u32,
        /// Key of the request.
        key: String,
        /// Digest of the input.
        digest: String,
        /// The input.
        input: MixInput,
    },
    /// Tell the stitch worker that a cut or a mix is not wanted any more.
    CancelProduct {
        /// The job.
        job: JobId,
        /// Cut or mix.
        product: Product,
        /// The cut.
        cut: u32,
        /// Key of the request.
        key: String,
    },
}

impl Effect {
    /// Key of the request that the effect makes or cancels.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::RenderScene { key, .. }
            | Self::CancelScene { key, .. }
            | Self::MakeSoundtrack { key, .. }
            | Self::CancelSoundtrack { key, .. }
            | Self::Cut { key, .. }
            | Self::Mix { key, .. }
            | Self::CancelProduct { key, .. } => key,
        }
    }

    /// Digest of the input; none for a cancel.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::RenderScene { digest, .. }
            | Self::MakeSoundtrack { digest, .. }
            | Self::Cut { digest, .. }
            | Self::Mix { digest, .. } => Some(digest),
            Self::CancelScene { .. } | Self::CancelSoundtrack { .. } | Self::CancelProduct { .. } => None,
        }
    }
}

/// What should be outstanding now: every request without an answer, and every cancel without one.
#[must_use]
pub fn plan(job: &Job) -> Vec<Effect> {
    let canceled = job.status == JobStatus::Canceled;
    let mut effects = Vec::new();
    for scene in &job.scenes {
        takes(job, scene, !canceled, &mut effects);
    }
    for scene in &job.removed {
        takes(job, scene, false, &mut effects);
    }
    soundtrack(job, !canceled, &mut effects);
    effects.extend(video(job));
    effects.extend(job.unwanted.iter().map(|unwanted| Effect::CancelProduct {
        job: job.id,
        product: unwanted.product,
        cut: unwanted.cut,
        key: unwanted.key.clone(),
    }));
    effects
}

/// Whether [`plan`] has anything in it.
#[must_use]
pub fn has_outstanding(job: &Job) -> bool {
    let mut scenes = job.scenes.iter().chain(&job.removed);
    scenes.any(|scene| scene.takes.iter().any(Take::is_outstanding))
        || job.soundtrack.takes.iter().any(|take| take.state == SoundtrackState::Requested)
        || job.making.as_ref().is_some_and(|making| making.outstanding().is_some())
        || !job.unwanted.is_empty()
}

fn takes(job: &Job, scene: &Scene, wanted: bool, effects: &mut Vec<Effect>) {
    for take in scene.takes.iter().filter(|take| take.is_outstanding()) {
        let (id, number, key) = (scene.spec.id.clone(), scene.spec.number, take.key.clone());
        effects.push(if wanted {
            Effect::RenderScene {
                job: job.id,
                campaign_id: job.campaign_id.clone(),
                scene: id,
                number,
                take: take.number,
                key,
                digest: take.digest.clone(),
                input: Box::new(take.input.clone()),
            }
        } else {
            Effect::CancelScene { job: job.id, scene: id, number, take: take.number, key }
        });
    }
}

fn soundtrack(job: &Job, wanted: bool, effects: &mut Vec<Effect>) {
    let outstanding = |take: &&crate::state::SoundtrackTake| take.state == SoundtrackState::Requested;
    for take in job.soundtrack.takes.iter().filter(outstanding) {
        effects.push(if wanted {
            Effect::MakeSoundtrack {
                job: job.id,
                campaign_id: job.campaign_id.clone(),
                take: take.number,
                key: take.key.clone(),
                digest: take.digest.clone(),
                input: take.input.clone(),
            }
        } else {
            Effect::CancelSoundtrack { job: job.id, take: take.number, key: take.key.clone() }
        });
    }
}

fn video(job: &Job) -> Option<Effect> {
    let making = job.making.as_ref()?;
    match &making.stage {
        Stage::Cutting { key, digest, clips } => Some(Effect::Cut {
            job: job.id,
            cut: making.cut,
            key: key.clone(),
            digest: digest.clone(),
            clips: clips.clone(),
            overlay: job.terms.overlay.clone(),
        }),
        Stage::Mixing { key, digest, input, .. } => Some(Effect::Mix {
            job: job.id,
            cut: making.cut,
            key: key.clone(),
            digest: digest.clone(),
            input: input.clone(),
        }),
        _ => None,
    }
}
