//! One program under many seeds.

use crate::sim::Sim;

/// The variable that names the one seed to run.
const SEED: &str = "GORO_SEED";

/// The variable that says how many seeds to run instead of how many the test asks for.
const SEEDS: &str = "GORO_SEEDS";

/// Runs `program` with a simulation of each of the seeds `0..seeds`.
///
/// When it panics, the seed is printed to standard error as `GORO_SEED=..`, and the panic goes on.
/// With `GORO_SEED` set only that seed runs; `GORO_SEEDS` replaces the number of seeds.
///
/// # Panics
/// When `program` does, and when one of the variables is set to what is no number.
///
/// ```
/// goro_sim::explore(50, |sim| {
///     let sum = sim.run(async { goro_runtime::spawn(async { 1 + 1 }).await });
///     assert_eq!(sum.unwrap().unwrap(), 2);
/// });
/// ```
#[track_caller]
pub fn explore(seeds: u64, mut program: impl FnMut(Sim)) {
    explore_while(seeds, |sim| {
        program(sim);
        true
    });
}

/// As [`explore`], for a program that says whether it has passed: the first seed under which it has
/// not is printed too, and is the last. True when all have passed.
///
/// # Panics
/// As [`explore`].
///
/// ```
/// let mut runs = 0;
/// let passed = goro_sim::explore_while(50, |sim| {
///     runs += 1;
///     sim.run(async { 1 + 1 }).is_ok_and(|sum| sum == 3)
/// });
/// assert!(!passed && runs == 1);
/// ```
#[track_caller]
pub fn explore_while(seeds: u64, mut program: impl FnMut(Sim) -> bool) -> bool {
    range(seeds, number(SEED), number(SEEDS)).all(|seed| {
        let mut telling = Telling { seed, failed: true };
        telling.failed = !program(Sim::new(seed));
        !telling.failed
    })
}

fn range(seeds: u64, only: Option<u64>, instead: Option<u64>) -> core::ops::RangeInclusive<u64> {
    match (only, instead.unwrap_or(seeds).checked_sub(1)) {
        (Some(seed), _) => seed..=seed,
        (None, Some(last)) => 0..=last,
        #[expect(clippy::reversed_empty_ranges, reason = "no seed at all")]
        (None, None) => 1..=0,
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    match value.trim().parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable}={value:?} is not a number: set it to one, or unset it"),
    }
}

/// Names the seed if the program fails, by a panic too.
struct Telling {
    seed: u64,
    failed: bool,
}

impl Drop for Telling {
    fn drop(&mut self) {
        if self.failed {
            eprintln!("this run failed; it alone again: {SEED}={}", self.seed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_or_so_many() {
        assert_eq!(range(3, None, None).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(range(3, None, Some(2)).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(range(3, Some(u64::MAX), Some(2)).collect::<Vec<_>>(), [u64::MAX]);
        assert_eq!(range(0, None, None).count(), 0);
    }
}
