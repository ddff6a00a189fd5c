//! The outside world's own clock: real timestamps, scaled durations.

use std::time::Duration;

use jiff::Timestamp;

/// Tells the time and turns stage seconds into real ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StageClock {
    scale: f64,
}

impl StageClock {
    /// `scale` stage seconds pass in one real second.
    pub(crate) fn new(scale: f64) -> Self {
        Self { scale }
    }

    /// Microseconds since the Unix epoch. Real time, so that the product can compare it with its own.
    #[expect(
        clippy::disallowed_methods,
        reason = "the stage is the outside world: its clock is not the one that tests of the product move"
    )]
    pub(crate) fn now(&self) -> i64 {
        Timestamp::now().as_microsecond()
    }

    /// How long `seconds` of stage time take.
    pub(crate) fn real(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64((seconds / self.scale).max(0.0)).unwrap_or(Duration::MAX)
    }

    /// `seconds` of stage time as real microseconds.
    pub(crate) fn micros(&self, seconds: f64) -> i64 {
        i64::try_from(self.real(seconds).as_micros()).unwrap_or(i64::MAX)
    }

    /// Sleeps until `due` (microseconds since the epoch).
    pub(crate) async fn sleep_until(&self, due: i64) {
        let left = due.saturating_sub(self.now());
        if left > 0 {
            tokio::time::sleep(Duration::from_micros(left.unsigned_abs())).await;
        }
    }

    /// Sleeps for `seconds` of stage time.
    pub(crate) async fn sleep(&self, seconds: f64) {
        tokio::time::sleep(self.real(seconds)).await;
    }
}

/// RFC 3339 with `Z` and microseconds, as the providers write it.
pub(crate) fn rfc3339(micros: i64) -> String {
    Timestamp::from_microsecond(micros)
        .map(|t| t.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
        .unwrap_or_default()
}

/// The reverse of [`rfc3339`], lenient as to precision.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|t| t.as_microsecond())
}
