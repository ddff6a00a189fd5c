//! When each thing happened to each job, as seen from outside the job service.

use std::{collections::HashMap, time::Instant};

use anyhow::Context as _;
use parking_lot::Mutex;

/// The moments of one job. "Done" is the moment before a worker stores its result: what storing and telling take
/// is ours, not the provider's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    /// Just before the approval is sent.
    pub(crate) approved: Option<Instant>,
    /// The last scene was asked for.
    pub(crate) all_requested: Option<Instant>,
    /// The last scene was done.
    pub(crate) last_done: Option<Instant>,
    pub(crate) cut_requested: Option<Instant>,
    /// The later of cut and soundtrack was done.
    pub(crate) mixable: Option<Instant>,
    pub(crate) mix_requested: Option<Instant>,
    pub(crate) mixed: Option<Instant>,
    /// A reader of the job's feed was told.
    pub(crate) completed: Option<Instant>,
}

/// How long each part of a job took, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) to_all_requested: f64,
    pub(crate) to_cut_requested: f64,
    pub(crate) to_mix_requested: f64,
    pub(crate) to_completed: f64,
    /// From the approval to the end; the providers take no time, so all of it is ours.
    pub(crate) whole: f64,
}

impl Moments {
    pub(crate) fn parts(&self) -> anyhow::Result<Parts> {
        let between = |from: Option<Instant>, to: Option<Instant>| {
            let (from, to) = (from.context("a moment was missed")?, to.context("a moment was missed")?);
            anyhow::Ok(to.saturating_duration_since(from).as_secs_f64() * 1000.0)
        };
        Ok(Parts {
            to_all_requested: between(self.approved, self.all_requested)?,
            to_cut_requested: between(self.last_done, self.cut_requested)?,
            to_mix_requested: between(self.mixable, self.mix_requested)?,
            to_completed: between(self.mixed, self.completed)?,
            whole: between(self.approved, self.completed)?,
        })
    }
}

/// Of all jobs.
#[derive(Debug, Default)]
pub(crate) struct Clockwork(Mutex<HashMap<i32, Moments>>);

impl Clockwork {
    pub(crate) fn mark(&self, job: i32, note: impl FnOnce(&mut Moments, Instant)) {
        let now = Instant::now();
        note(self.0.lock().entry(job).or_default(), now);
    }

    pub(crate) fn take(&self, job: i32) -> anyhow::Result<Parts> {
        let moments = self.0.lock().remove(&job).context("nothing happened to the job")?;
        moments.parts()
    }
}
