//! Which replica is next: in turn over those that are well; when none is, the one whose failure is oldest.

use std::time::Duration;

use tokio::time::Instant;

/// How long a replica is left aside after its first failure; twice as long after each further one.
const ASIDE: Duration = Duration::from_millis(250);
/// The longest that it is left aside.
const LONGEST_ASIDE: Duration = Duration::from_secs(10);

/// How a replica did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Failures since it last answered.
    failures: u32,
    failed_at: Option<Instant>,
    aside_until: Option<Instant>,
}

impl Standing {
    /// It answered.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// It could not be reached, did not answer, or said that it cannot.
    pub(super) fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(now);
        self.aside_until = Some(now + self.aside());
    }

    /// A call is sent to it. If it failed before, that call finds out for all the others.
    pub(super) fn asked(&mut self, now: Instant) {
        if self.failures > 0 {
            self.aside_until = Some(now + self.aside());
        }
    }

    fn aside(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        ASIDE.saturating_mul(1 << doublings).min(LONGEST_ASIDE)
    }

    fn is_well(&self, now: Instant) -> bool {
        self.aside_until.is_none_or(|until| until <= now)
    }
}

/// The place of the replica to ask in the `turn`-th turn; each comes with whether this call asked it before.
pub(super) fn choose(replicas: &[(Standing, bool)], turn: usize, now: Instant) -> Option<usize> {
    let fresh = |place: &usize| replicas[*place].0.is_well(now) && !replicas[*place].1;
    let well: Vec<usize> = (0..replicas.len()).filter(fresh).collect();
    if !well.is_empty() {
        return Some(well[turn % well.len()]);
    }
    (0..replicas.len()).min_by_key(|&place| (replicas[place].1, replicas[place].0.failed_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(times: u32, at: Instant) -> Standing {
        let mut standing = Standing::default();
        for _ in 0..times {
            standing.failed(at);
        }
        standing
    }

    const WELL: Standing = Standing { failures: 0, failed_at: None, aside_until: None };

    #[test]
    fn those_that_are_well_take_turns() {
        let now = Instant::now();
        let replicas = [(WELL, false), (failed(1, now), false), (WELL, false)];
        let chosen: Vec<_> = (0..4).map(|turn| choose(&replicas, turn, now).unwrap()).collect();
        assert_eq!(chosen, [0, 2, 0, 2]);
    }

    #[test]
    fn a_call_goes_to_one_it_did_not_ask_yet() {
        let now = Instant::now();
        assert_eq!(choose(&[(WELL, true), (WELL, false)], 0, now), Some(1));
        assert_eq!(choose(&[(WELL, true), (failed(1, now), false)], 0, now), Some(1), "even if it is aside");
        assert_eq!(choose(&[(WELL, true)], 0, now), Some(0), "unless there is no other");
        assert_eq!(choose(&[], 0, now), None);
    }

    #[test]
    fn when_none_is_well_the_oldest_failure_is_tried() {
        let now = Instant::now();
        let later = now + Duration::from_millis(1);
        let replicas = [(failed(1, later), false), (failed(1, now), false)];
        assert_eq!(choose(&replicas, 0, later), Some(1));
    }

    #[test]
    fn a_replica_is_left_aside_for_longer_each_time_and_asked_by_one_call_then() {
        let now = Instant::now();
        let mut standing = failed(1, now);
        assert!(!standing.is_well(now));
        assert!(standing.is_well(now + ASIDE));
        assert!(!failed(2, now).is_well(now + ASIDE));
        assert!(failed(u32::from(u8::MAX), now).is_well(now + LONGEST_ASIDE));
        standing.asked(now + ASIDE);
        assert!(!standing.is_well(now + ASIDE), "one call is enough to find out");
        standing.answered();
        assert!(standing.is_well(now));
    }
}
