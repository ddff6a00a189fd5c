//! What a storyboard will cost: billed seconds times the price list of the job.

use crate::models::MICROS_PER_USD;
use crate::scene::SceneDraft;

/// The most that a video may last, in billed seconds.
pub const MAX_TOTAL_SECONDS: u32 = 60;
/// The currency of every amount.
pub const CURRENCY: &str = "USD";

/// Micro-dollars for the scenes given.
#[must_use]
pub fn micros<'a>(scenes: impl IntoIterator<Item = &'a SceneDraft>, price_micros_per_second: i64) -> i64 {
    let seconds: i64 = scenes.into_iter().map(|scene| i64::from(scene.billed_seconds)).sum();
    seconds * price_micros_per_second
}

/// An amount in dollars, rounded half up to cents.
#[must_use]
pub fn usd(micros: i64) -> f64 {
    let cents = (micros + MICROS_PER_USD / 200).div_euclid(MICROS_PER_USD / 100);
    cents as f64 / 100.0
}
