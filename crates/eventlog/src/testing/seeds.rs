//! Simulations run once per seed; a seed that fails is named, and can be run alone.

use std::time::Duration;

/// Runs one seed only.
const ONE: &str = "FILMSTRIP_SIM_SEED";
/// Runs that many seeds, for a longer drill.
const MANY: &str = "FILMSTRIP_SIM_SEEDS";

/// Numbers that look drawn and are the same for the same seed (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed);
        // Seeds that follow each other have nothing in common after this.
        Self(dice.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Other dice, which do not depend on how often these are thrown from now on.
    pub fn split(&mut self) -> Self {
        Self::new(self.next())
    }

    /// One of `0..n`; 0 when `n` is.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// One of `least..=most`.
    pub fn inclusive(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// One of `least..=most`.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least.saturating_add_unsigned(self.below(most.abs_diff(least).saturating_add(1)))
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// A time of `least..=most` milliseconds.
    pub fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.inclusive(least, most))
    }

    /// A draw from `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Names the seed that was running when a panic passes.
struct Running(u64);

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[allow(clippy::print_stderr, reason = "only tests call this")]
            {
                eprintln!("this seed fails; run it alone with {ONE}={}", self.0);
            }
        }
    }
}

/// Runs a simulation with each of `count` seeds. `FILMSTRIP_SIM_SEED` runs one seed alone, `FILMSTRIP_SIM_SEEDS`
/// another number of them. A seed that fails is printed.
pub fn each_seed(count: u64, run: impl Fn(u64)) {
    let told = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match told(ONE) {
        Some(seed) => seed..seed.saturating_add(1),
        None => 0..told(MANY).unwrap_or(count),
    };
    for seed in seeds {
        let _running = Running(seed);
        run(seed);
    }
}
