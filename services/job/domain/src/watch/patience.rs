//! How long each may take to move a job.

use super::Owner;
use std::time::Duration;

/// What is told again is told once a day at least, unless the patience itself is longer.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a job may stand still, by who has to move next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a storyboard is approved or canceled.
    pub person: Duration,
    /// Until the render worker begins or ends a take.
    pub render: Duration,
    /// Until the stitch worker ends a cut or a mix.
    pub stitch: Duration,
    /// Until the audio worker ends a soundtrack.
    pub audio: Duration,
    /// Until what follows is asked for.
    pub job: Duration,
}

/// Longer than anything takes that goes well, shorter than a worker waits before it gives up: a prediction may take half an
/// hour, a run of ffmpeg 20 minutes.
impl Default for Patience {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            person: 7 * DAY,
            render: minutes(20),
            stitch: minutes(15),
            audio: minutes(20),
            job: minutes(2),
        }
    }
}

impl Patience {
    /// How long that one may take.
    #[must_use]
    pub fn with(&self, owner: Owner) -> Duration {
        match owner {
            Owner::Person => self.person,
            Owner::Render => self.render,
            Owner::Stitch => self.stitch,
            Owner::Audio => self.audio,
            Owner::Job => self.job,
        }
    }

    /// The shortest of them.
    #[must_use]
    pub fn shortest(&self) -> Duration {
        Owner::ALL.map(|owner| self.with(owner)).into_iter().min().unwrap_or_default()
    }

    /// How long after a stall was told so many times it is told once more: ever longer, but every day, or as seldom as
    /// somebody as patient would say it.
    #[must_use]
    pub fn until_told_again(&self, owner: Owner, times: u32) -> Duration {
        let patience = self.with(owner);
        patience.saturating_mul(1 << times.min(16)).min(patience.max(DAY))
    }
}
