//! Where every choice of the run comes from: one seed, and generators that fork.
//!
//! The choices are a function of the seed; the order of the threads is not. A seed that broke something makes
//! the same programs again, and finds it again if the orders are as common as such faults are.

use std::time::Duration;

/// A generator (SplitMix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn one_in(&mut self, so_many: u64) -> bool {
        self.below(so_many) == 0
    }

    pub fn micros(&mut self, below: u64) -> Duration {
        Duration::from_micros(self.below(below))
    }

    /// Another one, whose choices say nothing of this one's.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
