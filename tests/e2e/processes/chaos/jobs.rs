//! Which jobs are made, and what each has to come to: drawn from a seed.

use serde_json::Value;

use crate::world::Moments;

/// What is done to a job, or wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// Nothing: approved and awaited.
    Plain,
    /// Canceled while it waits for its approval.
    CanceledBefore,
    /// Canceled while the provider makes a clip for it.
    CanceledDuring,
    /// Canceled while its music is made.
    CanceledMusic,
    /// Canceled while its clips are joined or its music is put under them.
    CanceledCut,
    /// When it is done, a new take of its first scene is asked for.
    Regenerated,
    /// The provider refuses all its scenes.
    Refused,
    /// The provider refuses one of its two scenes.
    Partial,
    /// The provider refuses its music.
    Silent,
    /// One of its clips disappears from the object store before the clips are joined.
    ClipLost,
    /// Its soundtrack disappears from the object store before it is put under the video.
    TrackLost,
    /// Long enough for music in two pieces, of clips that are upright and clips that are not.
    Long,
}

/// Which photographs a job is made from: what is wrong with it is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum House {
    /// An ordinary one, of several.
    Ordinary(usize),
    /// Of rooms that the provider refuses.
    Refused,
    /// One room that it refuses, one that it does not.
    Mixed,
    /// Its music is refused.
    Silent,
    /// Like no other one, so that nobody else misses the clips that it loses; they take their time.
    Lost,
    /// Another one of which everything takes its time.
    Slow,
    /// Of photographs of both shapes.
    Long,
}

/// Scenes of a long job, of 10 s each.
pub(super) const LONG_SCENES: usize = 4;
/// One in so many rounds has a long job. Few: where processes live for seconds, what takes them longer starves.
const LONG_EVERY: usize = 3;
/// How many ordinary houses there are.
pub(super) const ORDINARY: usize = 3;

/// A job to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) number: usize,
    pub(super) kind: Kind,
    pub(super) house: House,
    pub(super) scenes: usize,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Outcome {
    Full,
    Partial,
    Failed,
    Canceled,
}

impl Outcome {
    /// As the API shows it; none for a job that is not over.
    pub(super) fn of(job: &Value) -> Option<Self> {
        match (job["status"].as_str()?, job["outcome"].as_str()) {
            ("completed", Some("full")) => Some(Self::Full),
            ("completed", Some("partial")) => Some(Self::Partial),
            ("failed", _) => Some(Self::Failed),
            ("canceled", _) => Some(Self::Canceled),
            _ => None,
        }
    }
}

impl Kind {
    /// Whether a job of this kind may come to that.
    pub(super) fn allows(self, outcome: Outcome) -> bool {
        match self {
            Self::Plain | Self::Regenerated | Self::Silent | Self::TrackLost | Self::Long => {
                outcome == Outcome::Full
            }
            Self::CanceledBefore => outcome == Outcome::Canceled,
            // The cancel may come too late.
            Self::CanceledDuring | Self::CanceledMusic | Self::CanceledCut => {
                matches!(outcome, Outcome::Canceled | Outcome::Full)
            }
            // So may the loss.
            Self::ClipLost => matches!(outcome, Outcome::Failed | Outcome::Full),
            Self::Refused => outcome == Outcome::Failed,
            Self::Partial => outcome == Outcome::Partial,
        }
    }
}

/// How many jobs are in a round.
const ROUND: usize = 16;

/// Endless, in rounds: each round holds every kind.
pub(super) struct Jobs {
    moments: Moments,
    round: Vec<Kind>,
    made: usize,
}

impl Jobs {
    pub(super) fn new(seed: u64) -> Self {
        Self { moments: Moments::seeded(!seed), round: Vec::new(), made: 0 }
    }
}

impl Iterator for Jobs {
    type Item = Wanted;

    fn next(&mut self) -> Option<Wanted> {
        if self.round.is_empty() {
            self.round = vec![
                Kind::Plain,
                Kind::Plain,
                Kind::Plain,
                Kind::Plain,
                Kind::CanceledBefore,
                Kind::CanceledDuring,
                Kind::CanceledMusic,
                Kind::CanceledCut,
                Kind::CanceledCut,
                Kind::Regenerated,
                Kind::Refused,
                Kind::Partial,
                Kind::Silent,
                Kind::ClipLost,
                Kind::TrackLost,
                Kind::TrackLost,
            ];
            if (self.made / ROUND).is_multiple_of(LONG_EVERY) {
                self.round[0] = Kind::Long;
            }
            self.moments.shuffle(&mut self.round);
        }
        let kind = self.round.pop()?;
        let (house, scenes) = match kind {
            Kind::Refused => (House::Refused, 1),
            Kind::Partial => (House::Mixed, 2),
            Kind::Silent => (House::Silent, 1),
            Kind::ClipLost => (House::Lost, 2),
            Kind::TrackLost | Kind::CanceledDuring => (House::Slow, 2),
            Kind::CanceledMusic => (House::Slow, 1),
            Kind::Long => (House::Long, LONG_SCENES),
            _ => (House::Ordinary(self.moments.number(ORDINARY)), 1 + self.moments.number(2)),
        };
        self.made += 1;
        Some(Wanted { number: self.made, kind, house, scenes })
    }
}

#[test]
fn a_seed_always_gives_the_same_jobs_and_rounds_hold_every_kind() {
    let jobs = |seed| Jobs::new(seed).take(2 * LONG_EVERY * ROUND).collect::<Vec<_>>();
    assert_eq!(jobs(5), jobs(5));
    assert_ne!(jobs(5), jobs(6));
    for rounds in jobs(5).chunks(LONG_EVERY * ROUND) {
        let kinds: std::collections::BTreeSet<Kind> = rounds.iter().map(|job| job.kind).collect();
        assert_eq!(kinds.len(), 12, "{rounds:?}");
    }
}

#[test]
fn a_job_is_small() {
    assert!(Jobs::new(1).take(1000).all(|job| (1..=2).contains(&job.scenes) || job.kind == Kind::Long));
}
