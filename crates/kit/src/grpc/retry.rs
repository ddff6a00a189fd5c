//! How often, how soon and within which budget a call is sent again.

use std::{sync::Arc, time::Duration};

use rand::RngExt as _;
use tower::retry::budget::{Budget, TpsBudget};

/// How often a call is sent at most.
pub(super) const TRIES: u32 = 4;
/// Longest pause before the second try; three times as long before each further one.
const PAUSE: Duration = Duration::from_millis(20);

/// Over this time the budget is reckoned.
const WINDOW: Duration = Duration::from_secs(10);
/// Calls that may be sent again each second, however few calls there are.
const PER_SECOND: u32 = 10;
/// And this part of all calls.
const PER_CALL: f32 = 0.2;

/// The budget of a channel, in what a service that has just lost one of two busy replicas needs: a hundred calls
/// at once. A service that is down gets at most a fifth more calls than without.
pub(super) fn budget() -> Arc<dyn Budget + Send + Sync> {
    Arc::new(TpsBudget::new(WINDOW, PER_SECOND, PER_CALL))
}

/// The pause after the given try, random so that many callers do not come back at once.
pub(super) fn pause(tried: u32) -> Duration {
    let longest = PAUSE.saturating_mul(3_u32.saturating_pow(tried.saturating_sub(1).min(6)));
    longest.mul_f64(rand::rng().random_range(0.1..=1.0))
}
