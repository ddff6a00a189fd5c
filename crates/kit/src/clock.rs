//! The one place that reads the time.
//!
//! Rules get the time as a value. What must ask for it asks a [`Clock`], so that a test can stop it,
//! step it, or run it faster than the wall.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::Instant};

/// A source of time; cheap to clone, all clones agree.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Scaled { origin: Timestamp, started: Instant, factor: f64 },
    Manual(Arc<watch::Sender<Timestamp>>),
    Simulated { origin: Arc<watch::Sender<Timestamp>>, started: Instant },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that runs `factor` times as fast as the machine's, from now on.
    #[must_use]
    pub fn scaled(factor: f64) -> Self {
        Self(Kind::Scaled { origin: wall(), started: Instant::now(), factor: factor.max(0.001) })
    }

    /// A clock that stands at `now` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self(Kind::Manual(Arc::new(watch::Sender::new(now))))
    }

    /// A clock that shows `now` and goes on with the runtime's own time, which a simulation pauses. Like a
    /// machine's it can be set, by [`Clock::set_by`]; clocks made apart differ as those of machines do.
    #[must_use]
    pub fn simulated(now: Timestamp) -> Self {
        Self(Kind::Simulated { origin: Arc::new(watch::Sender::new(now)), started: Instant::now() })
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System => wall(),
            Kind::Scaled { origin, started, factor } => {
                let passed = started.elapsed().mul_f64(*factor);
                *origin + SignedDuration::try_from(passed).unwrap_or(SignedDuration::ZERO)
            }
            Kind::Manual(now) => *now.borrow(),
            Kind::Simulated { origin, started } => {
                *origin.borrow() + SignedDuration::try_from(started.elapsed()).unwrap_or(SignedDuration::ZERO)
            }
        }
    }

    /// Waits for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Kind::System | Kind::Simulated { .. } => tokio::time::sleep(duration).await,
            Kind::Scaled { factor, .. } => tokio::time::sleep(duration.div_f64(*factor)).await,
            Kind::Manual(now) => {
                let until = self.now() + SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO);
                let mut now = now.subscribe();
                // The sender lives in `self`, so waiting cannot fail.
                let _ = now.wait_for(|now| *now >= until).await;
            }
        }
    }

    /// Waits until `moment` of this clock's time; returns at once when it is past.
    pub async fn sleep_until(&self, moment: Timestamp) {
        let left = moment.duration_since(self.now());
        if let Ok(left) = Duration::try_from(left) {
            self.sleep(left).await;
        }
    }

    /// Moves a manual clock; any other clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(now) = &self.0 {
            let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::ZERO);
            now.send_modify(|now| *now += by);
        }
    }
}

impl Clock {
    /// Sets a simulated clock forward or back, as a time server does: what sleeps is not woken by it. Any other
    /// clock is left alone.
    pub fn set_by(&self, by: SignedDuration) {
        if let Kind::Simulated { origin, .. } = &self.0 {
            origin.send_modify(|now| *now += by);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the one place that may")]
fn wall() -> Timestamp {
    Timestamp::now()
}
