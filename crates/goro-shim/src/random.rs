//! A small generator for scheduling choices: splitmix64, which has no bad state, zero included.

use core::cell::Cell;

/// A source of scheduling choices. Not for secrets.
#[derive(Debug)]
pub struct Random(Cell<u64>);

impl Random {
    /// Starts from `seed`; every seed is as good as any other.
    pub const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// Starts over from `seed`.
    pub fn reseed(&self, seed: u64) {
        self.0.set(seed);
    }

    /// 64 even bits.
    #[inline]
    pub fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, even to within one part in 2^32; zero when `bound` is zero.
    #[inline]
    pub fn below(&self, bound: u32) -> u32 {
        // Multiply-shift on the high half: no division, no modulo bias worth a loop.
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }
}

/// A seed that differs between processes and between calls, from the hasher keys std draws from
/// the operating system.
pub fn entropy() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pitfall 53: a generator that reaches an all-zero state stops choosing.
    #[test]
    fn the_extreme_seeds_still_choose() {
        for seed in [0, 1, u64::MAX] {
            let random = Random::new(seed);
            let mut seen = [0_u32; 8];
            for _ in 0..8_000 {
                seen[random.below(8) as usize] += 1;
            }
            assert!(seen.iter().all(|&n| (800..1200).contains(&n)), "{seed}: {seen:?}");
        }
    }

    #[test]
    fn below_zero_is_zero() {
        assert_eq!(Random::new(7).below(0), 0);
    }
}
