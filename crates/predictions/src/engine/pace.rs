//! How fast attempts may be started: the start rate, and the provider's own rate limit.
//!
//! Only the process that holds the runner's lease starts attempts. The one that takes over goes on where the last
//! one was: from the newest intent in the database, and the wait that was stored when the provider asked for it.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock as _,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use jiff::Timestamp;
use kit::Clock;
use parking_lot::Mutex;

use crate::plan::later;

/// The limiter on the service's clock.
#[derive(Clone, Debug)]
struct Passing {
    clock: Clock,
    origin: Timestamp,
}

impl governor::clock::Clock for Passing {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::try_from(self.clock.now().duration_since(self.origin)).unwrap_or_default()
    }
}

/// When the next create call may be made.
pub(super) struct Pace {
    clock: Passing,
    spacing: Duration,
    starts: RateLimiter<NotKeyed, InMemoryState, Passing, NoOpMiddleware<Duration>>,
    resume_at: Mutex<Option<Timestamp>>,
}

impl Pace {
    pub(super) fn new(clock: Clock, per_second: u32) -> Self {
        let origin = clock.now();
        let clock = Passing { clock, origin };
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        // No bursts: starts are spread, because many at one moment is what makes the provider fail.
        let quota = Quota::per_second(rate).allow_burst(NonZeroU32::MIN);
        Self {
            starts: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            spacing: Duration::from_secs(1) / rate.get(),
            resume_at: Mutex::default(),
        }
    }

    /// The whole account waits at least that long.
    pub(super) fn throttle(&self, until: Timestamp) {
        let mut resume_at = self.resume_at.lock();
        *resume_at = (*resume_at).max(Some(until));
    }

    /// Goes on after a start that another process may have made.
    pub(super) fn follow(&self, last_start: Timestamp) {
        // A machine whose clock is ahead of ours does not hold us up for longer than one space.
        let last_start = last_start.min(self.clock.clock.now());
        self.throttle(later(last_start, self.spacing));
    }

    /// Until when the provider has asked us to wait, if that is still to come.
    pub(super) fn throttled_until(&self) -> Option<Timestamp> {
        (*self.resume_at.lock()).filter(|until| *until > self.clock.clock.now())
    }

    /// Waits until a start is allowed, and takes it.
    pub(super) async fn start(&self) {
        loop {
            if let Some(until) = self.throttled_until() {
                self.clock.clock.sleep_until(until).await;
                continue;
            }
            match self.starts.check() {
                Ok(()) => return,
                Err(not_yet) => self.clock.clock.sleep(not_yet.wait_time_from(self.clock.now())).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const STEP: Duration = Duration::from_millis(50);

    /// Starts of ten that want to start at once, as times passed on the clock.
    async fn ten_starts(clock: &Clock, pace: &Pace) -> Vec<Duration> {
        let began = clock.now();
        let passed = || Duration::try_from(clock.now().duration_since(began)).unwrap();
        let mut starts = Vec::new();
        for _ in 0..1000 {
            while starts.len() < 10 && pace.start().now_or_never().is_some() {
                starts.push(passed());
            }
            clock.advance(STEP);
        }
        starts
    }

    #[tokio::test]
    async fn starts_are_spread_evenly_and_never_bunched() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let starts = ten_starts(&clock, &Pace::new(clock.clone(), 5)).await;
        let expected: Vec<Duration> = (0..10).map(|n| Duration::from_millis(200) * n).collect();
        assert_eq!(starts, expected, "time that nobody used is not saved up");
    }

    #[tokio::test]
    async fn a_pause_without_starts_is_not_made_up_for() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let pace = Pace::new(clock.clone(), 5);
        pace.start().await;
        clock.advance(Duration::from_secs(3600));
        assert_eq!(ten_starts(&clock, &pace).await[1], Duration::from_millis(200));
    }

    #[tokio::test]
    async fn nobody_starts_before_the_provider_allows_it_and_an_earlier_wish_does_not_shorten_the_wait() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let pace = Pace::new(clock.clone(), 5);
        pace.throttle(later(clock.now(), Duration::from_secs(30)));
        pace.throttle(later(clock.now(), Duration::from_secs(10)));
        let starts = ten_starts(&clock, &pace).await;
        assert_eq!(starts[..2], [Duration::from_secs(30), Duration::from_millis(30_200)]);
    }

    #[tokio::test]
    async fn a_successor_keeps_the_distance_from_its_predecessors_last_start() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let pace = Pace::new(clock.clone(), 5);
        pace.follow(clock.now());
        assert_eq!(ten_starts(&clock, &pace).await[0], Duration::from_millis(200));
        let pace = Pace::new(clock.clone(), 5);
        pace.follow(later(clock.now(), Duration::from_secs(900)));
        assert_eq!(ten_starts(&clock, &pace).await[0], Duration::from_millis(200), "a clock that is ahead");
    }
}
