//! Models of how spares come and go beside the idle protocol.

use super::{Limits, Spares};
use crate::idle::{GotUp, Idle};
use goro_reactor::{Nudge, Parker};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use loom::thread;

const NOBODY: u32 = u32::MAX;

/// A worker (0) and a spare (1), with the place 0.
struct Yard {
    spares: Spares,
    idle: Idle,
    parkers: [Parker; 2],
    injected: AtomicUsize,
    ran: AtomicUsize,
}

impl Yard {
    fn new() -> Arc<Self> {
        let spares = Spares::new(1);
        spares.open(Limits { stalls: 1, blocks: 1 });
        assert_eq!(spares.stalled(1, true, 1), Ok(Some(0)));
        let count = || AtomicUsize::new(0);
        let parkers = [Parker::new(), Parker::new()];
        Arc::new(Self { spares, idle: Idle::new(), parkers, injected: count(), ran: count() })
    }

    fn unpark(&self, member: Option<u32>) {
        if let Some(member) = member {
            let parker = &self.parkers[member as usize];
            if parker.give() == Nudge::Thread {
                parker.wake_thread();
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.injected.load(Ordering::Relaxed) == 0
    }

    fn take(&self) -> bool {
        let one_less = |tasks: usize| tasks.checked_sub(1);
        self.injected.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_less).is_ok()
    }

    /// A spare's end, with `standing` in its ring.
    fn hand_over(&self, standing: usize, searching: bool) {
        self.injected.fetch_add(standing, Ordering::Release);
        if searching {
            self.unpark(self.idle.found(NOBODY, || !self.is_empty()));
        }
        self.unpark(self.idle.announce(NOBODY));
        self.spares.left(0);
    }

    /// The worker's life, until `tasks` have run.
    fn work(&self, tasks: usize) {
        self.parkers[0].adopt();
        let mut searching = false;
        while self.ran.load(Ordering::Relaxed) < tasks {
            if self.take() {
                if searching {
                    searching = false;
                    self.unpark(self.idle.found(NOBODY, || !self.is_empty()));
                }
                self.ran.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            searching = match self.idle.settle(0, searching, || !self.is_empty()) {
                None => {
                    self.parkers[0].sleep(None);
                    let woken = self.idle.get_up(0) == GotUp::Woken;
                    if woken {
                        self.parkers[0].take();
                    }
                    woken
                }
                Some(up) => {
                    if up == GotUp::Woken {
                        self.parkers[0].take();
                    }
                    up != GotUp::ByItself
                }
            };
        }
    }
}

/// What stands in its ring is run by the worker, whatever that is about to do.
#[test]
fn a_spare_hands_over_as_the_worker_lies_down() {
    loom::model(|| {
        let yard = Yard::new();
        let worker = {
            let yard = Arc::clone(&yard);
            thread::spawn(move || yard.work(1))
        };
        yard.hand_over(1, false);
        worker.join().unwrap();
        assert_eq!(yard.spares.count().present, 0);
    });
}

/// A spare that somebody has just woken, and that finds that it is to leave, owes the push that saw it
/// searching another sleeper.
#[test]
fn a_spare_that_was_woken_for_a_push_hands_that_on() {
    loom::model(|| {
        let yard = Yard::new();
        // The spare is on its way for something when it finds that it was asked to leave.
        yard.idle.begin_search();
        let worker = {
            let yard = Arc::clone(&yard);
            thread::spawn(move || yard.work(1))
        };
        let pusher = {
            let yard = Arc::clone(&yard);
            thread::spawn(move || {
                yard.injected.fetch_add(1, Ordering::Release);
                yard.unpark(yard.idle.announce(NOBODY));
            })
        };
        yard.hand_over(0, true);
        pusher.join().unwrap();
        worker.join().unwrap();
    });
}

/// Asked to leave as it goes to sleep: it finds out.
#[test]
fn a_spare_is_asked_to_leave_as_it_lies_down() {
    loom::model(|| {
        let yard = Yard::new();
        assert_eq!(yard.spares.stalled(0, false, 1), Ok(None), "the stall is over");
        let spare = {
            let yard = Arc::clone(&yard);
            thread::spawn(move || {
                yard.parkers[1].adopt();
                while !yard.spares.is_asked(0) {
                    if yard.idle.settle(1, false, || false).is_none() {
                        yard.parkers[1].sleep(None);
                        assert_eq!(yard.idle.get_up(1), GotUp::ByItself);
                    }
                }
                yard.hand_over(0, false);
            })
        };
        for place in yard.spares.retire(0, |_| true) {
            yard.unpark(Some(1 + place));
        }
        spare.join().unwrap();
        assert!(yard.idle.is_blank());
        assert_eq!(yard.spares.cover(), None, "nobody is entitled");
        assert_eq!(yard.spares.stalled(1, true, 1), Ok(Some(0)), "the place is vacant");
    });
}

/// Whoever blocks has a spare that was not asked to leave, be it the one that was there or another.
#[test]
fn a_block_is_declared_as_the_spare_is_asked_to_leave() {
    loom::model(|| {
        let spares = Arc::new(Spares::new(2));
        spares.open(Limits { stalls: 1, blocks: 1 });
        assert_eq!(spares.stalled(1, true, 1), Ok(Some(0)));
        assert_eq!(spares.stalled(0, false, 1), Ok(None));
        let monitor = {
            let spares = Arc::clone(&spares);
            thread::spawn(move || spares.retire(0, |_| true).len())
        };
        spares.declare().unwrap();
        let started = spares.cover();
        let asked = monitor.join().unwrap();
        assert_eq!(asked, usize::from(started.is_some()), "one goes, another comes");
        assert_eq!(spares.count().present, 1);
    });
}

/// Two blocks and a refused thread: the count comes out even, and no place is given twice.
#[test]
fn two_blocks_begin_and_one_thread_is_refused() {
    loom::model(|| {
        let spares = Arc::new(Spares::new(2));
        spares.open(Limits { stalls: 0, blocks: 2 });
        let other = {
            let spares = Arc::clone(&spares);
            thread::spawn(move || {
                spares.declare().unwrap();
                let place = spares.cover();
                if let Some(place) = place {
                    spares.refused(place);
                }
                spares.release();
            })
        };
        spares.declare().unwrap();
        let mine = spares.cover();
        other.join().unwrap();
        let still = spares.cover();
        assert!(mine.is_some() != still.is_some(), "one of the two looks finds it missing");
        assert_eq!(spares.count().present, 1);
    });
}
