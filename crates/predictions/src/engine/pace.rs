//! How fast attempts may be started: the start rate, and the provider's own rate limit.

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
            resume_at: Mutex::default(),
        }
    }

    /// The whole account waits at least that long.
    pub(super) fn throttle(&self, until: Timestamp) {
        let mut resume_at = self.resume_at.lock();
        *resume_at = (*resume_at).max(Some(until));
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
