//! The music models that can be ordered: what they are called, how much they make at once, what they cost.

/// A music model at Replicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MusicModel {
    /// What predictions are created with: `owner/name:version`.
    pub slug: &'static str,
    /// The variant that the input names.
    pub variant: &'static str,
    /// Longest output of one prediction in seconds; a continuation's window counts.
    pub longest_seconds: u32,
    /// The input member that takes a number of our choice, which finds the prediction again.
    pub seed_field: &'static str,
    /// What one finished prediction costs, USD micros. Replicate bills by GPU time and states about 0.08 USD for
    /// a run of up to 30 s (<https://replicate.com/meta/musicgen>); the length hardly changes it.
    pub price_micros: i64,
}

/// MusicGen, pinned to the version whose continuation is known: its output is the window followed by the new
/// seconds, and both together last at most 30 s.
pub const MUSICGEN: MusicModel = MusicModel {
    slug: "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
    variant: "stereo-large",
    longest_seconds: 30,
    seed_field: "seed",
    price_micros: 80_000,
};
