//! Moments by chance that can be had again.

use std::time::Duration;

/// A repeatable sequence of moments (xorshift64*), so that a failure can be looked at again.
pub(crate) struct Moments(pub(crate) u64);

impl Moments {
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
