//! One generator per thread, for choices of scheduling and order. Not for secrets.
//!
//! Invariants:
//! 1. A thread that was never seeded seeds itself from the operating system at its first question.
//! 2. After [`seed`], the answers on this thread are a function of the seed: the simulator's replay
//!    rests on it.

use core::cell::Cell;

use goro_shim::random::{Random, entropy};

struct Generator {
    random: Random,
    seeded: Cell<bool>,
}

local! {
    static GENERATOR: Generator = Generator { random: Random::new(0), seeded: Cell::new(false) }
}

impl Generator {
    #[inline]
    fn ready(&self) -> &Random {
        if !self.seeded.get() {
            self.seed(entropy());
        }
        &self.random
    }

    #[cold]
    fn seed(&self, seed: u64) {
        self.random.reseed(seed);
        self.seeded.set(true);
    }
}

/// 64 even bits.
#[inline]
pub fn next() -> u64 {
    GENERATOR.with(|generator| generator.ready().next())
}

/// A number below `bound`, even to within one part in 2^32; zero when `bound` is zero.
#[inline]
pub fn below(bound: u32) -> u32 {
    GENERATOR.with(|generator| generator.ready().below(bound))
}

/// Makes this thread's answers a function of `seed` from here on.
///
/// ```
/// use goro_context::random;
/// random::seed(7);
/// let first = (random::next(), random::below(10));
/// random::seed(7);
/// assert_eq!((random::next(), random::below(10)), first);
/// ```
pub fn seed(seed: u64) {
    GENERATOR.with(|generator| generator.seed(seed));
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use goro_shim::thread;

    fn in_a_thread<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
        thread::start("random".into(), None, body).unwrap().join().unwrap()
    }

    #[test]
    fn threads_that_nobody_seeded_differ() {
        let four = || [next(), next(), next(), next()];
        assert_ne!(in_a_thread(four), in_a_thread(four));
    }

    #[test]
    fn equal_seeds_give_equal_answers_on_any_thread() {
        let seeded = |value| {
            move || {
                seed(value);
                [next(), next(), u64::from(below(1_000)), next()]
            }
        };
        assert_eq!(in_a_thread(seeded(5)), in_a_thread(seeded(5)));
        assert_ne!(in_a_thread(seeded(5)), in_a_thread(seeded(6)));
    }

    /// Pitfall 53: no seed, zero included, leads to a state that stops choosing.
    #[test]
    fn the_extreme_seeds_choose_evenly() {
        in_a_thread(|| {
            for value in [0, u64::MAX] {
                seed(value);
                let mut seen = [0_u32; 4];
                for _ in 0..4_000 {
                    seen[below(4) as usize] += 1;
                }
                assert!(seen.iter().all(|&n| n > 800), "{value}: {seen:?}");
            }
            assert_eq!(below(0), 0);
        });
    }
}
