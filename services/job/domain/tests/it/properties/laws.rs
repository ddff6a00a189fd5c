//! The laws that hold for every job, whatever happens to it.

use job_domain::digest::digest;
use job_domain::state::TakeState;
use job_domain::{
    Command, Effect, Job, JobEvent, JobStatus, SceneOutcome, SoundtrackOutcome, next, plan, progress,
};
use std::collections::{BTreeMap, HashMap};

/// What was seen of a job so far.
pub(super) struct Laws {
    /// Digest of every key that was asked for.
    requested: HashMap<String, String>,
    /// The highest percentage seen of each cut.
    percentages: HashMap<u32, u8>,
    /// The most that was charged for each take of each scene, and of each soundtrack (scene 0).
    charges: BTreeMap<(u32, u32), i64>,
    completions: usize,
    /// Takes that a person allowed to be bought, and those that were.
    allowed: usize,
    bought: usize,
}

impl Laws {
    pub(super) fn new(job: &Job) -> Self {
        assert_eq!(job.status, JobStatus::Pending);
        Self {
            requested: HashMap::new(),
            percentages: HashMap::new(),
            charges: BTreeMap::new(),
            completions: 0,
            allowed: 0,
            bought: 0,
        }
    }

    pub(super) fn charged(&self) -> i64 {
        self.charges.values().sum()
    }

    /// What is charged for a take that was asked for is owed, whenever it is told.
    pub(super) fn reported(&mut self, job: &Job, command: &Command) {
        let (slot, cost) = match command {
            Command::SceneReported { scene, take, outcome } => {
                let Some(found) = job.any_scene(scene).filter(|scene| scene.take(*take).is_some()) else {
                    return;
                };
                let cost = match outcome {
                    SceneOutcome::Rendered { cost_micros, .. } | SceneOutcome::Failed { cost_micros, .. } => {
                        cost_micros
                    }
                    SceneOutcome::Started { .. } => return,
                };
                ((found.spec.number, *take), *cost)
            }
            Command::SoundtrackReported { take, outcome } => {
                if !job.soundtrack.takes.iter().any(|known| known.number == *take) {
                    return;
                }
                let (SoundtrackOutcome::Ready { cost_micros, .. }
                | SoundtrackOutcome::Failed { cost_micros, .. }) = outcome;
                ((0, *take), *cost_micros)
            }
            _ => return,
        };
        let charge = self.charges.entry(slot).or_default();
        *charge = cost.max(*charge);
    }

    /// Checks one event against the job before and after it.
    pub(super) fn happened(&mut self, before: &Job, event: &JobEvent, after: &Job) {
        self.status(before, event, after);
        self.request(event);
        match event {
            JobEvent::JobApproved { .. } => self.allowed += after.scenes.len(),
            JobEvent::RegenerationRequested { scenes, .. } => self.allowed += scenes.len(),
            JobEvent::SceneTakeRequested { .. } => self.bought += 1,
            JobEvent::JobCompleted { .. } => self.completions += 1,
            JobEvent::SceneOverridden { .. } => shows_only(before, after),
            _ => {}
        }
        let is_end = matches!(event, JobEvent::JobCompleted { .. } | JobEvent::CutReplaced { .. });
        assert!(is_end || before.master == after.master, "only an end changes the video that people play");
        if is_end {
            shows_what_was_rendered(after);
        }
        self.percentage(after);
    }

    fn status(&self, before: &Job, event: &JobEvent, after: &Job) {
        use JobStatus::{Approved, Canceled, Completed, Failed, Pending, Processing};
        let edge = (before.status, after.status);
        let allowed = before.status == after.status
            || matches!(
                edge,
                (Pending, Approved | Canceled)
                    | (Approved, Processing | Canceled)
                    | (Processing, Completed | Failed | Canceled)
            )
            || (edge == (Failed, Processing) && matches!(event, JobEvent::RegenerationRequested { .. }));
        assert!(allowed, "{} led from {:?} to {:?}", event.kind(), before.status, after.status);
    }

    fn request(&mut self, event: &JobEvent) {
        let (key, sent, computed) = match event {
            JobEvent::SceneTakeRequested { key, digest: sent, input, .. } => (key, sent, digest(input)),
            JobEvent::SoundtrackRequested { key, digest: sent, input, .. } => (key, sent, digest(input)),
            JobEvent::CutRequested { key, digest: sent, clips, .. } => (key, sent, digest(clips)),
            JobEvent::MixRequested { key, digest: sent, input, .. } => (key, sent, digest(input)),
            _ => return,
        };
        assert_eq!(*sent, computed, "{key} carries the digest of its input");
        let first = self.requested.insert(key.clone(), sent.clone()).is_none();
        assert!(first, "{key} is asked for twice");
    }

    fn percentage(&mut self, job: &Job) {
        let shown = progress::progress(job).percentage;
        assert!(shown <= 100);
        if job.status == JobStatus::Completed {
            assert_eq!(shown, 100, "a completed job stays at 100");
        }
        if let Some(making) = &job.making {
            let highest = self.percentages.entry(making.cut).or_default();
            assert!(making.percentage >= *highest, "cut {} fell from {highest}", making.cut);
            *highest = making.percentage;
        }
    }

    /// Checks the job as it stands after a command.
    pub(super) fn stands(&self, job: &Job) {
        assert!(self.completions <= 1, "a job completes once");
        assert!(self.bought <= self.allowed, "only a person buys");
        for effect in plan(job) {
            let known = self.requested.get(effect.key());
            let known =
                known.unwrap_or_else(|| panic!("{} was recorded before it is asked for", effect.key()));
            assert!(effect.digest().is_none_or(|sent| sent == known), "{} keeps its digest", effect.key());
            let is_cancel = matches!(
                effect,
                Effect::CancelScene { .. } | Effect::CancelSoundtrack { .. } | Effect::CancelProduct { .. }
            );
            assert!(is_cancel || job.status != JobStatus::Canceled, "a canceled job asks for nothing");
        }
        let is_render =
            |effect: &Effect| matches!(effect, Effect::RenderScene { .. } | Effect::CancelScene { .. });
        let renders = plan(job).iter().filter(|effect| is_render(effect)).count();
        let most = job.terms.max_in_flight.map_or(usize::MAX, |most| most as usize);
        assert!(renders <= most, "{renders} scenes are rendered at one time, {most} may be");
        let indexes: Vec<u32> = job.scenes.iter().map(|scene| scene.spec.index).collect();
        assert_eq!(indexes, (0..job.scenes.len() as u32).collect::<Vec<_>>(), "places have no gaps");
        assert_eq!(job.status == JobStatus::Completed, job.master.is_some());
        assert_eq!(job.outcome.is_some(), job.master.is_some());
    }
}

/// What a person writes down asks for nothing, settles nothing, pays nothing.
fn shows_only(before: &Job, after: &Job) {
    assert_eq!(plan(before), plan(after));
    assert_eq!(next(before), next(after));
    assert_eq!(before.making, after.making);
    assert_eq!(before.soundtrack, after.soundtrack);
    for (old, new) in before.scenes.iter().zip(&after.scenes) {
        assert_eq!((&old.takes, old.chosen, old.wanted), (&new.takes, new.chosen, new.wanted));
    }
}

fn shows_what_was_rendered(job: &Job) {
    let master = job.master.as_ref().expect("an end has a video");
    assert!(!master.shown.is_empty());
    for shown in &master.shown {
        let scene = job.scene(&shown.scene).expect("the scene is in the storyboard");
        let take = scene.take(shown.take).expect("the take was asked for");
        assert!(matches!(take.state, TakeState::Rendered(_)), "{shown:?} was rendered");
    }
}
