//! Moments by chance that can be had again.

use std::time::Duration;

/// A repeatable sequence of moments (xorshift64*), so that a failure can be looked at again.
pub(crate) struct Moments(pub(crate) u64);

impl Moments {
    /// The sequence of a seed, however small: seeds that differ by one have nothing else in common.
    pub(crate) fn seeded(seed: u64) -> Self {
        // The finaliser of splitmix64; 0 is the one state that xorshift never leaves.
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)).max(1))
    }

    /// The next number below `below`, which is not 0.
    pub(crate) fn number(&mut self, below: usize) -> usize {
        self.part() as usize % below
    }

    /// The next moment between the two.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        least + self.next(most.saturating_sub(least))
    }

    /// The next moment before `below`.
    pub(crate) fn next(&mut self, below: Duration) -> Duration {
        below.mul_f64(f64::from(self.part()) / f64::from(1u32 << 24))
    }

    /// The same things in another order.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.part() as usize % (last + 1));
        }
    }

    /// 24 bits.
    fn part(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        u32::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40).unwrap()
    }
}
