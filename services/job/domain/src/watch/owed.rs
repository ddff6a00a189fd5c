//! What is owed to an unfinished job, and by whom.

use super::{Owner, is_unfinished};
use crate::JobStatus;
use crate::state::{Job, Product, Scene, SoundtrackState, Take};

/// One thing that somebody owes to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Who owes it.
    pub owner: Owner,
    /// What it is, such as `take 1 of scene 2`.
    pub what: String,
    /// The request for it; none when it is not a worker's to answer.
    pub request: Option<Request>,
}

/// A request that a worker has not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its key, as that of the [`Effect`](crate::Effect).
    pub key: String,
    /// Whether the job still wants what it is for; else its end is waited for.
    pub wanted: bool,
    /// How far it is known to have come.
    pub begun: Begun,
}

/// How far a request is known to have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// This worker does not say when it begins.
    Unknown,
    /// The provider has not taken it up.
    No,
    /// The provider has taken it up.
    Attempt {
        /// The attempt's number, from 1.
        number: u32,
        /// The provider's id of the prediction, when it is known.
        prediction: Option<String>,
    },
}

/// Everything that is owed; what was asked for first comes first. Empty exactly when the job is finished.
#[must_use]
pub fn owed(job: &Job) -> Vec<Owed> {
    let mut asked: Vec<(i64, Owed)> = takes(job).chain(soundtracks(job)).chain(videos(job)).collect();
    // Keeps the order of the plan among those that were asked for at one time.
    asked.sort_by_key(|(at_ms, _)| *at_ms);
    let mut owed: Vec<Owed> = asked.into_iter().map(|(_, owed)| owed).collect();
    if owed.is_empty() {
        owed.extend(not_a_workers(job));
    }
    owed
}

/// The takes that are out, each with when it was asked for.
fn takes(job: &Job) -> impl Iterator<Item = (i64, Owed)> {
    let wanted = job.status != JobStatus::Canceled;
    let shown = job.scenes.iter().map(move |scene| (scene, wanted));
    let scenes = shown.chain(job.removed.iter().map(|scene| (scene, false)));
    scenes.flat_map(|(scene, wanted)| {
        let open = scene.takes.iter().filter(|take| take.is_outstanding());
        open.map(move |take| (take.requested_at_ms, owed_take(scene, take, wanted)))
    })
}

fn owed_take(scene: &Scene, take: &Take, wanted: bool) -> Owed {
    let begun = match take.attempt {
        0 => Begun::No,
        number => Begun::Attempt { number, prediction: take.provider_id.clone() },
    };
    Owed {
        owner: Owner::Render,
        what: format!("take {} of scene {}", take.number, scene.spec.number),
        request: Some(Request { key: take.key.clone(), wanted, begun }),
    }
}

fn soundtracks(job: &Job) -> impl Iterator<Item = (i64, Owed)> {
    let wanted = job.status != JobStatus::Canceled;
    let open = job.soundtrack.takes.iter().filter(|take| take.state == SoundtrackState::Requested);
    open.map(move |take| {
        let owed = Owed {
            owner: Owner::Audio,
            what: format!("soundtrack {}", take.number),
            request: Some(Request { key: take.key.clone(), wanted, begun: Begun::Unknown }),
        };
        (take.requested_at_ms, owed)
    })
}

fn videos(job: &Job) -> impl Iterator<Item = (i64, Owed)> {
    let making = job.making.as_ref().and_then(|making| making.outstanding()).map(|video| (video, true));
    let unwanted = job.unwanted.iter().map(|video| (video.clone(), false));
    making.into_iter().chain(unwanted).map(|(video, wanted)| {
        let what = match video.product {
            Product::Cut => format!("cut {}", video.cut),
            Product::Mix => format!("the mix of cut {}", video.cut),
        };
        let request = Request { key: video.key, wanted, begun: Begun::Unknown };
        (video.requested_at_ms, Owed { owner: Owner::Stitch, what, request: Some(request) })
    })
}

/// What is owed when no worker owes anything.
fn not_a_workers(job: &Job) -> Option<Owed> {
    let (owner, what) = match job.status {
        _ if !is_unfinished(job) => return None,
        // A soundtrack may be wished before the approval.
        JobStatus::Pending if !crate::has_next(job) => (Owner::Person, "the approval of the storyboard"),
        _ => (Owner::Job, "the next request"),
    };
    Some(Owed { owner, what: what.to_owned(), request: None })
}
