//! When each outstanding request is asked for again.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use job_domain::Effect;
use rand::RngExt as _;

/// First wait after a worker was away; it doubles up to the time between two questions.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A request or a cancel, told apart from the other under the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id {
    key: String,
    request: bool,
}

impl Id {
    /// The identity of an effect.
    #[must_use]
    pub(super) fn of(effect: &Effect) -> Self {
        Self { key: effect.key().to_owned(), request: effect.digest().is_some() }
    }
}

#[derive(Clone, Copy, Debug)]
struct Request {
    due: Timestamp,
    asking: bool,
    failures: u32,
    away_since: Option<Timestamp>,
}

/// The requests of one job.
#[derive(Debug)]
pub(super) struct Requests {
    ask_again: Duration,
    known: HashMap<Id, Request>,
}

impl Requests {
    /// None yet; each is asked for again after `ask_again`.
    #[must_use]
    pub(super) fn new(ask_again: Duration) -> Self {
        Self { ask_again, known: HashMap::new() }
    }

    /// Takes up what is planned and forgets what is not any more. New requests are due at once.
    pub(super) fn follow(&mut self, planned: &[Effect], now: Timestamp) {
        let ids: Vec<Id> = planned.iter().map(Id::of).collect();
        self.known.retain(|id, _| ids.contains(id));
        for id in ids {
            let new = Request { due: now, asking: false, failures: 0, away_since: None };
            self.known.entry(id).or_insert(new);
        }
    }

    /// Takes a request that is due, if it is; it is not due again until it is answered.
    pub(super) fn take_due(&mut self, id: &Id, now: Timestamp) -> bool {
        match self.known.get_mut(id) {
            Some(request) if !request.asking && request.due <= now => {
                request.asking = true;
                true
            }
            _ => false,
        }
    }

    /// The earliest moment at which a request is due.
    #[must_use]
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.known.values().filter(|request| !request.asking).map(|request| request.due).min()
    }

    /// The worker answered.
    pub(super) fn answered(&mut self, id: &Id, now: Timestamp) {
        let due = later(now, self.ask_again);
        if let Some(request) = self.known.get_mut(id) {
            *request = Request { due, asking: false, failures: 0, away_since: None };
        }
    }

    /// The worker was away. How long it has been so.
    pub(super) fn failed(&mut self, id: &Id, now: Timestamp) -> Duration {
        let ask_again = self.ask_again;
        let Some(request) = self.known.get_mut(id) else { return Duration::ZERO };
        let wait = FIRST_WAIT.saturating_mul(1 << request.failures.min(16)).min(ask_again);
        request.failures += 1;
        request.asking = false;
        request.due = later(now, wait.mul_f64(rand::rng().random_range(0.5..=1.0)));
        let since = *request.away_since.get_or_insert(now);
        Duration::try_from(now.duration_since(since)).unwrap_or_default()
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).map_or(now, |by| now.saturating_add(by).unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: Duration = Duration::from_secs(15);

    fn cancel(key: &str) -> Effect {
        Effect::CancelSoundtrack { job: 1, take: 1, key: key.to_owned() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_new_request_is_due_at_once_and_again_after_its_answer() {
        let mut requests = Requests::new(AGAIN);
        let (one, id) = ([cancel("a")], Id::of(&cancel("a")));
        requests.follow(&one, at(0));
        assert!(requests.take_due(&id, at(0)));
        assert!(!requests.take_due(&id, at(100)), "not while it is asked");
        assert_eq!(requests.next_due(), None);
        requests.answered(&id, at(100));
        requests.follow(&one, at(101));
        assert!(!requests.take_due(&id, at(114)));
        assert_eq!(requests.next_due(), Some(at(115)));
        assert!(requests.take_due(&id, at(115)));
    }

    #[test]
    fn a_worker_that_is_away_is_asked_again_ever_more_seldom() {
        let mut requests = Requests::new(AGAIN);
        let (one, id) = ([cancel("a")], Id::of(&cancel("a")));
        requests.follow(&one, at(0));
        let mut now = at(0);
        for failures in 0..20 {
            assert!(requests.take_due(&id, now));
            let away = requests.failed(&id, now);
            assert_eq!(away, Duration::try_from(now.duration_since(at(0))).unwrap());
            let due = requests.next_due().unwrap();
            let wait = Duration::try_from(due.duration_since(now)).unwrap();
            let longest = FIRST_WAIT.saturating_mul(1 << failures).min(AGAIN);
            assert!(wait <= longest && wait >= longest / 2, "{wait:?} of {longest:?}");
            now = due;
        }
        requests.take_due(&id, now);
        requests.answered(&id, now);
        requests.take_due(&id, later(now, AGAIN));
        assert_eq!(requests.failed(&id, later(now, AGAIN)), Duration::ZERO, "an answer ends the absence");
    }

    #[test]
    fn what_is_not_planned_any_more_is_forgotten() {
        let mut requests = Requests::new(AGAIN);
        requests.follow(&[cancel("a"), cancel("b")], at(0));
        requests.follow(&[cancel("b")], at(1));
        assert!(!requests.take_due(&Id::of(&cancel("a")), at(60)));
        requests.follow(&[cancel("a"), cancel("b")], at(61));
        assert!(requests.take_due(&Id::of(&cancel("a")), at(61)));
    }
}
