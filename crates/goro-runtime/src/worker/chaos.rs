//! Yields and delays where a program does not expect them, on real threads.
//!
//! A task's budget is what makes its operations yield; chaos is a budget drawn anew for each poll,
//! so the operations themselves know nothing of it. It is drawn between two polls, where a worker
//! looks at its hints in any case: without chaos nothing is paid but one load in place of a number.
//!
//! Invariant: a poll gets at least one operation done, or a program would go round in place.

use core::fmt;
use goro_context::budget;
use goro_shim::random::Random;
use goro_shim::time::Duration;

/// How often operations yield, and how long tasks are held up then.
#[derive(Clone, Copy)]
pub(crate) struct Chaos {
    /// Out of 2^32.
    yields: u64,
    longest: Duration,
}

impl Chaos {
    pub(crate) fn new(probability: f64, longest: Duration) -> Self {
        // What is not a number becomes zero.
        let yields = (probability.clamp(0.0, 1.0) * 4_294_967_296.0) as u64;
        Self { yields, longest }
    }

    /// How many operations the next poll may do.
    pub(super) fn units(&self, random: &Random) -> u32 {
        let lasts = |_: &u32| random.next() >> 32 >= self.yields;
        1 + (1..budget::LIMIT).take_while(lasts).count() as u32
    }

    /// This thread's tasks are held up until the guard is dropped.
    pub(super) fn begin(self) -> Shaken {
        budget::hold_up(self.longest);
        Shaken(())
    }
}

/// A thread whose tasks are held up.
pub(super) struct Shaken(());

impl Drop for Shaken {
    fn drop(&mut self) {
        budget::hold_up(Duration::ZERO);
    }
}

impl fmt::Debug for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let probability = self.yields as f64 / 4_294_967_296.0;
        f.debug_struct("Chaos")
            .field("probability", &probability)
            .field("longest", &self.longest)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn average(probability: f64) -> f64 {
        let (chaos, random) = (Chaos::new(probability, Duration::ZERO), Random::new(5));
        let sum: u32 = (0..2_000).map(|_| chaos.units(&random)).sum();
        f64::from(sum) / 2_000.0
    }

    #[test]
    fn one_operation_at_least_and_the_whole_budget_at_most() {
        for certain in [1.0, 7.0, f64::INFINITY] {
            assert!((average(certain) - 1.0).abs() < 1e-9);
        }
        for never in [0.0, -1.0, f64::NAN] {
            assert!((average(never) - f64::from(budget::LIMIT)).abs() < 1e-9, "{never}");
        }
    }

    #[test]
    fn an_operation_in_four_is_four_operations_a_poll() {
        let average = average(0.25);
        assert!((3.7..4.3).contains(&average), "{average}");
    }
}
