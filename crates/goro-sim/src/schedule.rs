//! Who goes first.

use goro_runtime::driver::scripted::Mover;
use goro_shim::random::Random;

/// How the next of several threads is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Schedule {
    /// Each time any of them, with equal chances.
    Random,
    /// The one with the highest priority. Priorities are drawn once, and `depth - 1` times in a run
    /// the one that is running gets the lowest of all.
    ///
    /// Finds with a known probability what needs `depth` things in one order (Burckhardt and others,
    /// *A randomized scheduler with probabilistic guarantees of finding bugs*, ASPLOS 2010). Most
    /// bugs need 2 or 3.
    Pct {
        /// How many things must be in order; 1 is priorities that never change.
        depth: u32,
    },
}

/// So often may a thread that can move be passed over; then it goes, whatever its priority, since
/// what the others spin for may be its to do.
const PATIENCE: u32 = 300;

/// While a poll is busy, one choice in so many lets time pass, whatever the priorities: a processor
/// is not taken away for longer because a thread has a low one.
const CLOCK_ONCE_IN: u32 = 3;

/// A change of priorities is among the first so many choices, which are as likely to be few as many.
const HORIZON: u32 = 14;

/// A schedule under way.
#[derive(Debug)]
pub(crate) struct Chooser {
    schedule: Schedule,
    random: Random,
    known: Vec<Known>,
    /// At which choices priorities change, the next one last.
    changes: Vec<u64>,
    choices: u64,
    /// The next lowest priority; drawn ones are above.
    lowest: u64,
}

/// A thread that has been able to move.
#[derive(Debug)]
struct Known {
    mover: Mover,
    priority: u64,
    /// How often it was passed over since it last moved.
    passed: u32,
}

impl Chooser {
    pub(crate) fn new(schedule: Schedule, seed: u64) -> Self {
        let random = Random::new(seed);
        let mut changes = Vec::new();
        if let Schedule::Pct { depth } = schedule {
            for _ in 1..depth {
                let magnitude = 1_u64 << random.below(HORIZON);
                changes.push(magnitude + random.next() % magnitude);
            }
            changes.sort_unstable_by(|a, b| b.cmp(a));
        }
        let lowest = u64::from(u32::MAX);
        Self { schedule, random, known: Vec::new(), changes, choices: 0, lowest }
    }

    /// The index of the one to go.
    pub(crate) fn choose(&mut self, movers: &[Mover]) -> usize {
        match self.schedule {
            Schedule::Random => {
                self.random.below(u32::try_from(movers.len()).unwrap_or(u32::MAX)) as usize
            }
            Schedule::Pct { .. } => match movers.iter().position(|&mover| mover == Mover::Clock) {
                Some(clock) if self.random.below(CLOCK_ONCE_IN) == 0 => clock,
                _ => self.by_priority(movers),
            },
        }
    }

    fn by_priority(&mut self, movers: &[Mover]) -> usize {
        self.choices += 1;
        let mut chosen = (0, 0);
        for (index, &mover) in movers.iter().enumerate() {
            let known = self.known(mover);
            known.passed += 1;
            let rank = match mover {
                Mover::Clock => 0,
                _ if known.passed > PATIENCE => u64::MAX,
                _ => known.priority,
            };
            if index == 0 || rank > chosen.1 {
                chosen = (index, rank);
            }
        }
        let Some(&mover) = movers.get(chosen.0) else { return 0 };
        self.known(mover).passed = 0;
        if self.changes.last().is_some_and(|&at| at <= self.choices) {
            self.changes.pop();
            self.lowest -= 1;
            self.known(mover).priority = self.lowest;
        }
        chosen.0
    }

    fn known(&mut self, mover: Mover) -> &mut Known {
        let index = self.known.iter().position(|known| known.mover == mover).unwrap_or_else(|| {
            let priority = self.random.next() | 1 << 63;
            self.known.push(Known { mover, priority, passed: 0 });
            self.known.len() - 1
        });
        &mut self.known[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: [Mover; 3] = [Mover::Worker(0), Mover::Worker(1), Mover::Monitor];

    fn choices(schedule: Schedule, seed: u64, count: usize) -> Vec<usize> {
        let mut chooser = Chooser::new(schedule, seed);
        (0..count).map(|_| chooser.choose(&THREE)).collect()
    }

    #[test]
    fn equal_seeds_choose_alike_and_others_do_not() {
        for schedule in [Schedule::Random, Schedule::Pct { depth: 3 }] {
            let runs: Vec<_> = (0..20).map(|seed| choices(schedule, seed, 500)).collect();
            assert_eq!(runs[7], choices(schedule, 7, 500));
            assert!(runs.iter().any(|run| run != &runs[0]), "{schedule:?}");
        }
    }

    #[test]
    fn random_choices_are_even() {
        let chosen = choices(Schedule::Random, 1, 9_000);
        for index in 0..3 {
            let count = chosen.iter().filter(|&&c| c == index).count();
            assert!((2_700..3_300).contains(&count), "{index} was chosen {count} times");
        }
    }

    #[test]
    fn priorities_change_as_often_as_the_depth_says() {
        let changes = |depth, seed| {
            let mut chooser = Chooser::new(Schedule::Pct { depth }, seed);
            let run: Vec<_> = (0..PATIENCE).map(|_| chooser.choose(&THREE)).collect();
            run.windows(2).filter(|pair| pair[0] != pair[1]).count()
        };
        for seed in 0..50 {
            assert_eq!(changes(1, seed), 0, "seed {seed}");
            assert!(changes(3, seed) <= 2, "seed {seed}");
        }
        assert!((0..50).any(|seed| changes(3, seed) == 2));
    }

    #[test]
    fn time_passes_beside_whoever_has_priority() {
        for schedule in [Schedule::Random, Schedule::Pct { depth: 1 }] {
            let mut chooser = Chooser::new(schedule, 1);
            let both = [Mover::Worker(0), Mover::Clock];
            let passed = (0..3_000).filter(|_| chooser.choose(&both) == 1).count();
            assert!((500..2_000).contains(&passed), "{schedule:?}: {passed} of 3000");
        }
    }

    #[test]
    fn nobody_runs_for_ever_while_others_wait() {
        for seed in 0..10 {
            let chosen = choices(Schedule::Pct { depth: 1 }, seed, 10_000);
            for index in 0..3 {
                assert!(chosen.contains(&index), "seed {seed}: {index} never moved");
            }
        }
    }
}
