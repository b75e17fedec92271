//! The name of one entry: where it lies, and which of the many that lay there it is.
//!
//! Invariants:
//! 1. Generations come from one counter per container, not per slot, so that a slot's memory can be
//!    given back without forgetting which generations were used there.
//! 2. No generation is 0: a vacant slot is marked with it, and `Option<Key>` costs nothing.
//!
//! The counter wraps. A stale key could then name another's entry, if it was kept for exactly
//! 2^32 - 1 insertions (minutes at the fastest possible rate) and its slot was reused by the very
//! last of them; the owner of a key must not keep it that long after the entry is gone.

use core::num::NonZeroU32;

/// The name of one entry in a [`Wheel`](crate::Wheel) or a [`WaitList`](crate::WaitList).
///
/// It is meaningful only to the container that gave it out. Once the entry is gone the key is
/// stale: every operation answers `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) index: u32,
    pub(crate) generation: NonZeroU32,
}

impl Key {
    /// The key as one word, never 0; [`from_bits`](Key::from_bits) is its inverse.
    #[inline]
    pub const fn to_bits(self) -> u64 {
        (self.generation.get() as u64) << 32 | self.index as u64
    }

    /// The key that a word from [`to_bits`](Key::to_bits) stands for. Any other word gives a key
    /// that is as good as stale.
    #[inline]
    pub const fn from_bits(bits: u64) -> Self {
        match NonZeroU32::new((bits >> 32) as u32) {
            Some(generation) => Self { index: bits as u32, generation },
            // No container has an entry there.
            None => Self { index: u32::MAX, generation: NonZeroU32::MIN },
        }
    }
}

/// The counter that tells apart the entries which lay in one place.
#[derive(Debug)]
pub(crate) struct Generations(u32);

impl Generations {
    /// Starts counting; a debug build starts just before the wrap, so that every test crosses it.
    pub(crate) const fn new() -> Self {
        Self(if cfg!(debug_assertions) { u32::MAX - 6 } else { 0 })
    }

    #[inline]
    pub(crate) fn next(&mut self) -> NonZeroU32 {
        self.0 = self.0.wrapping_add(1);
        NonZeroU32::new(self.0).unwrap_or_else(|| {
            self.0 = 1;
            NonZeroU32::MIN
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_back() {
        for (index, generation) in [(0, 1), (7, u32::MAX), (u32::MAX, 1), (u32::MAX, u32::MAX)] {
            let key = Key { index, generation: NonZeroU32::new(generation).unwrap() };
            assert_eq!(Key::from_bits(key.to_bits()), key);
        }
        for bits in [0, 7, u64::from(u32::MAX)] {
            assert_eq!(Key::from_bits(bits).index, u32::MAX);
        }
        assert_eq!(size_of::<Option<Key>>(), 8);
    }

    #[test]
    fn generations_wrap_past_zero() {
        let mut generations = Generations(u32::MAX - 1);
        assert_eq!(generations.next().get(), u32::MAX);
        assert_eq!(generations.next().get(), 1);
        assert_eq!(generations.next().get(), 2);
    }
}
