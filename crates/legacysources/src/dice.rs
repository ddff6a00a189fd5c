//! Ids, choices and times that are the same for the same seed.

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use uuid::Builder;

/// Ids and choices.
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A UUID of version 4 as text.
    pub(crate) fn uuid(&mut self) -> String {
        Builder::from_random_bytes(self.0.random()).into_uuid().to_string()
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// `count` characters such as providers' ids and hashes consist of.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[self.below(32)])).collect()
    }

    /// `count` hexadecimal digits.
    pub(crate) fn hex(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b"0123456789abcdef"[self.below(16)])).collect()
    }
}

/// A time, in the spellings that are met.
#[derive(Clone, Copy)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// When the first row of a source was made: 2025-11-17 at noon.
    pub(crate) const START: Self = Self(Timestamp::constant(1_763_380_800, 0));

    /// So much later.
    pub(crate) fn plus(self, seconds: i64) -> Self {
        Self(self.0 + SignedDuration::from_secs(seconds))
    }

    /// With a fraction of a second.
    pub(crate) fn with_micros(self, micros: i64) -> Self {
        Self(self.0 + SignedDuration::from_micros(micros))
    }

    /// As SQLite's `CURRENT_TIMESTAMP` writes it.
    pub(crate) fn sqlite(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// As Python's `isoformat` writes a time without a zone.
    pub(crate) fn python(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
    }

    /// As Phoenix stores it.
    pub(crate) fn phoenix(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// RFC 3339 with Z.
    pub(crate) fn rfc3339(self) -> String {
        self.0.to_string()
    }
}

/// A clock that is moved by hand.
pub(crate) struct Clock(Moment);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Moment::START)
    }

    /// The time after so many seconds.
    pub(crate) fn tick(&mut self, seconds: i64) -> Moment {
        self.0 = self.0.plus(seconds);
        self.0
    }
}
