//! How long a worker looks for its token before it sleeps on its thread.
//!
//! A thread that sleeps costs whoever wakes it 2 to 4 us, and is on its way for 30 to 50 us once its
//! core has gone to sleep too. Where work comes in batches, a runtime's second worker spends an eighth
//! of its time so. Therefore it looks for its token first, for about as long as its way would be; a
//! token that comes meanwhile costs its giver one read-modify-write.
//!
//! Looking burns a processor. Invariants:
//! 1. One worker of a runtime looks at a time. (Who lay down last is woken first.)
//! 2. Nobody looks beyond its deadline.
//! 3. Who has looked in vain lets the next chance go by, then two, four, up to [`MOST`]; so one that is
//!    never woken soon spends a thousandth of its time on it, and one that is, nearly always.
//! 4. It is a delay before a sleep and nothing else: the token is taken by the sleep itself, and to all
//!    others the worker sleeps already.
//!
//! Left out: looking by who sleeps in the reactor, where each look is a system call.

use core::hint::spin_loop;
use goro_shim::atomic::{AtomicBool, AtomicU32, Ordering};
use goro_shim::time::{Duration, Instant, now};

use super::Parker;

/// How long a look takes at most.
const LOOK: Duration = Duration::from_micros(50);

/// The most chances that are let go by.
const MOST: u32 = 64;

/// Turns of the loop between two readings of the clock, which take as long as one of them.
const TURNS: u32 = 8;

/// Whether a worker of this runtime looks; see the module.
#[derive(Debug, Default)]
pub struct Patience(AtomicBool);

impl Patience {
    /// Looks for the token of `parker`, whose owner is about to sleep until `deadline`.
    pub fn look(&self, parker: &Parker, deadline: Option<Instant>) {
        self.look_for(LOOK, parker, deadline);
    }

    fn look_for(&self, long: Duration, parker: &Parker, deadline: Option<Instant>) {
        if !parker.luck.is_worth_it() || self.0.swap(true, Ordering::Relaxed) {
            return;
        }
        let soon = now() + long;
        let until = deadline.map_or(soon, |deadline| deadline.min(soon));
        let found = loop {
            if parker.is_given() {
                break true;
            }
            for _ in 0..TURNS {
                spin_loop();
            }
            if now() >= until {
                break false;
            }
        };
        self.0.store(false, Ordering::Relaxed);
        parker.luck.note(found);
    }
}

/// What came of one worker's looks. Only it writes here.
#[derive(Debug, Default)]
pub(super) struct Luck {
    /// How many chances to let go by yet.
    pass: AtomicU32,
    /// How many after the next look in vain; zero counts as one.
    next: AtomicU32,
}

impl Luck {
    fn is_worth_it(&self) -> bool {
        let pass = self.pass.load(Ordering::Relaxed);
        self.pass.store(pass.saturating_sub(1), Ordering::Relaxed);
        pass == 0
    }

    fn note(&self, found: bool) {
        let (pass, next) = if found {
            (0, 0)
        } else {
            let pass = self.next.load(Ordering::Relaxed).max(1);
            (pass, (pass * 2).min(MOST))
        };
        self.pass.store(pass, Ordering::Relaxed);
        self.next.store(next, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::parker::Nudge;

    /// How many chances go by before the next one is taken.
    fn passed(luck: &Luck) -> u32 {
        (0..).find(|_| luck.is_worth_it()).unwrap()
    }

    #[test]
    fn who_looks_in_vain_looks_ever_more_seldom() {
        let luck = Luck::default();
        assert_eq!(passed(&luck), 0);
        for expected in [1, 2, 4, 8, 16, 32, 64, 64] {
            luck.note(false);
            assert_eq!(passed(&luck), expected);
        }
        luck.note(true);
        assert_eq!([passed(&luck), passed(&luck)], [0, 0], "luck has turned");
        luck.note(false);
        assert_eq!(passed(&luck), 1);
    }

    #[test]
    fn a_token_that_is_there_is_found_and_left_for_the_sleep() {
        let (patience, parker) = (Patience::default(), Parker::new());
        parker.adopt();
        assert_eq!(parker.give(), Nudge::Nothing);
        patience.look(&parker, None);
        assert_eq!(passed(&parker.luck), 0, "not in vain");
        assert!(parker.sleep(None), "the token is there");
    }

    #[test]
    fn a_look_ends_with_nothing_and_another_may_look() {
        let (patience, parkers) = (Patience::default(), [Parker::new(), Parker::new()]);
        for parker in &parkers {
            patience.look(parker, None);
            assert_eq!(passed(&parker.luck), 1, "in vain");
        }
    }

    #[test]
    fn one_looks_at_a_time() {
        let (patience, parker) = (Patience(AtomicBool::new(true)), Parker::new());
        patience.look(&parker, None);
        assert_eq!(passed(&parker.luck), 0, "it has not looked");
    }

    #[test]
    fn nobody_looks_beyond_a_deadline() {
        let (patience, parker) = (Patience::default(), Parker::new());
        let an_age = Duration::from_secs(3600);
        patience.look_for(an_age, &parker, Some(now() + Duration::from_millis(1)));
        assert_eq!(passed(&parker.luck), 1, "in vain");
    }
}
