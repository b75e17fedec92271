//! Models of the idle protocol: every interleaving, up to the bound on preemptions.
//!
//! A queue is an atomic flag (the injector has models of its own), a worker is a thread that takes
//! from it, lies down and sleeps on a real [`Parker`]. A lost wake-up is a worker that sleeps for
//! ever: loom reports the deadlock.

use super::{GotUp, Idle};
use goro_reactor::{Nudge, Parker};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use loom::thread;

const NOBODY: u32 = u32::MAX;

struct Yard {
    idle: Idle,
    parkers: Vec<Parker>,
    /// How many tasks stand in the injector.
    injected: AtomicUsize,
    /// How many are left to be run.
    left: AtomicUsize,
}

impl Yard {
    fn new(workers: usize, tasks: usize) -> Arc<Self> {
        Arc::new(Self {
            idle: Idle::new(),
            parkers: (0..workers).map(|_| Parker::new()).collect(),
            injected: AtomicUsize::new(0),
            left: AtomicUsize::new(tasks),
        })
    }

    fn unpark(&self, worker: Option<u32>) {
        if let Some(worker) = worker {
            let parker = &self.parkers[worker as usize];
            if parker.give() == Nudge::Thread {
                parker.wake_thread();
            }
        }
    }

    fn push(&self) {
        self.injected.fetch_add(1, Ordering::Release);
        self.unpark(self.idle.announce(NOBODY));
    }

    fn take(&self) -> bool {
        self.injected
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |tasks| tasks.checked_sub(1))
            .is_ok()
    }

    fn is_empty(&self) -> bool {
        self.injected.load(Ordering::Relaxed) == 0
    }

    /// Sleeps on until woken; says whether the waking counts as searching.
    fn sleep(&self, me: u32) -> bool {
        let parker = &self.parkers[me as usize];
        parker.sleep(None);
        let woken = self.idle.get_up(me) == GotUp::Woken;
        if woken {
            parker.take();
        }
        woken
    }

    /// A worker's life: until no task is left, takes one, or searches and lies down. It may begin
    /// asleep, and it is stuck in the poll of its last task if it is to run `most` only.
    fn work(&self, me: u32, asleep: bool, mut most: usize) {
        let parker = &self.parkers[me as usize];
        parker.adopt();
        let mut searching = asleep && self.sleep(me);
        while self.left.load(Ordering::Relaxed) > 0 {
            if self.take() {
                if searching {
                    searching = false;
                    self.unpark(self.idle.found(NOBODY, || !self.is_empty()));
                }
                if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    // The last task: everybody may go home.
                    for worker in self.idle.pick_all() {
                        self.unpark(Some(worker));
                    }
                    return;
                }
                most -= 1;
                if most == 0 {
                    return;
                }
                continue;
            }
            if !searching && self.idle.searching() == 0 {
                self.idle.begin_search();
                searching = true;
            }
            let over = || self.left.load(Ordering::Relaxed) == 0;
            searching = match self.idle.settle(me, searching, || !self.is_empty() || over()) {
                None => self.sleep(me),
                Some(GotUp::ByItself) => false,
                Some(GotUp::Searching) => true,
                Some(GotUp::Woken) => {
                    parker.take();
                    true
                }
            };
        }
    }
}

fn model(workers: usize, asleep: bool, pushers: usize, each: usize) {
    stuck_model(workers, asleep, pushers, each, usize::MAX);
}

fn stuck_model(workers: usize, asleep: bool, pushers: usize, each: usize, most: usize) {
    loom::model(move || {
        let yard = Yard::new(workers, pushers * each);
        for me in 0..if asleep { workers as u32 } else { 0 } {
            assert_eq!(yard.idle.settle(me, false, || false), None);
        }
        let mut threads: Vec<_> = (0..workers as u32)
            .map(|me| {
                let yard = Arc::clone(&yard);
                thread::spawn(move || yard.work(me, asleep, most))
            })
            .collect();
        for _ in 1..pushers {
            let yard = Arc::clone(&yard);
            threads.push(thread::spawn(move || (0..each).for_each(|_| yard.push())));
        }
        (0..each).for_each(|_| yard.push());
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(yard.left.load(Ordering::Relaxed), 0);
        assert_eq!(yard.idle.sleeping(), 0);
    });
}

/// Pitfalls 45 and 57: the last searcher parks as work arrives.
#[test]
fn a_push_from_outside_meets_a_worker_lying_down() {
    model(1, false, 1, 1);
}

#[test]
fn two_pushes_meet_a_worker_lying_down() {
    model(1, false, 1, 2);
}

#[test]
fn two_pushers_meet_a_worker_lying_down() {
    model(1, false, 2, 1);
}

/// A push that sees a searcher wakes nobody; the last searcher out does.
#[test]
fn two_workers_share_what_one_pusher_brings() {
    model(2, true, 1, 2);
}

/// As above, and neither comes back from the first task it runs: the searcher that leaves to run one
/// must see to the other.
#[test]
fn the_last_searcher_out_wakes_the_next() {
    stuck_model(2, true, 1, 2, 1);
}

/// A push that sees a searcher wakes nobody; the searcher lies down, finds both tasks at its last
/// look, and gets stuck with one of them. Another worker sleeps, and is the one to run the other.
#[test]
fn a_searcher_that_lies_down_sees_to_what_it_finds() {
    loom::model(|| {
        let yard = Yard::new(2, 2);
        assert_eq!(yard.idle.settle(0, false, || false), None);
        let worker = {
            let yard = Arc::clone(&yard);
            thread::spawn(move || yard.work(1, false, 1))
        };
        yard.push();
        yard.push();
        worker.join().unwrap();
        assert_eq!(yard.idle.get_up(0), GotUp::Woken, "a task stands beside a sleeper");
    });
}

/// One sleeper at most is on its way: two pushes wake one, which counts as searching.
#[test]
fn of_two_sleepers_one_is_picked_at_a_time() {
    loom::model(|| {
        let idle = Arc::new(Idle::new());
        assert_eq!(idle.settle(0, false, || false), None);
        assert_eq!(idle.settle(1, false, || false), None);
        let other = {
            let idle = Arc::clone(&idle);
            thread::spawn(move || idle.announce(NOBODY))
        };
        let here = idle.announce(NOBODY);
        let there = other.join().unwrap();
        assert!(here.is_some() != there.is_some(), "{here:?} {there:?}");
        assert_eq!((idle.sleeping(), idle.searching()), (1, 1));
    });
}

/// A token is never lost, and what was written before it is seen after it.
#[test]
fn a_token_meets_a_thread_going_to_sleep() {
    loom::model(|| {
        let parker = Arc::new(Parker::new());
        let data = Arc::new(AtomicUsize::new(0));
        parker.adopt();
        let giver = {
            let (parker, data) = (Arc::clone(&parker), Arc::clone(&data));
            thread::spawn(move || {
                data.store(1, Ordering::Relaxed);
                if parker.give() == Nudge::Thread {
                    parker.wake_thread();
                }
            })
        };
        assert!(parker.sleep(None));
        assert_eq!(data.load(Ordering::Relaxed), 1);
        giver.join().unwrap();
    });
}

/// Two tokens given at the same time are taken once or twice, but not lost.
#[test]
fn two_tokens_meet_a_thread_going_to_sleep() {
    loom::model(|| {
        let parker = Arc::new(Parker::new());
        let given = Arc::new(AtomicUsize::new(0));
        let give = |parker: &Parker, given: &AtomicUsize| {
            given.fetch_add(1, Ordering::Relaxed);
            if parker.give() == Nudge::Thread {
                parker.wake_thread();
            }
        };
        let sleeper = {
            let (parker, given) = (Arc::clone(&parker), Arc::clone(&given));
            thread::spawn(move || {
                parker.adopt();
                while given.load(Ordering::Relaxed) < 2 {
                    assert!(parker.sleep(None));
                }
            })
        };
        let other = {
            let (parker, given) = (Arc::clone(&parker), Arc::clone(&given));
            thread::spawn(move || give(&parker, &given))
        };
        give(&parker, &given);
        other.join().unwrap();
        sleeper.join().unwrap();
    });
}

/// As on a thread, for a worker that sleeps in the reactor: who gives the token interrupts the reactor
/// if the worker may be in it, and a token that came too early keeps the worker out.
#[test]
fn a_token_meets_a_thread_going_to_poll() {
    loom::model(|| {
        let parker = Arc::new(Parker::new());
        let data = Arc::new(AtomicUsize::new(0));
        // The reactor: a poll that ends when it is interrupted, also if that came before.
        let reactor = thread::current();
        let giver = {
            let (parker, data) = (Arc::clone(&parker), Arc::clone(&data));
            thread::spawn(move || {
                data.store(1, Ordering::Relaxed);
                let nudge = parker.give();
                if nudge == Nudge::Reactor {
                    reactor.unpark();
                }
                nudge
            })
        };
        if parker.begin_polling() {
            thread::park();
            assert!(parker.take(), "interrupted for nothing");
        }
        assert_eq!(data.load(Ordering::Relaxed), 1);
        assert_ne!(giver.join().unwrap(), Nudge::Thread, "nobody sleeps there");
        assert!(!parker.take(), "a token is taken once");
    });
}

/// Pitfalls 46 and 47: a worker pushes to its own ring, tells nobody, and then blocks in its poll
/// until the pushed task has run. The monitor sees what stands there and wakes the sleeper.
#[test]
fn work_behind_a_long_poll_is_run_by_a_sleeper() {
    loom::model(|| {
        let yard = Yard::new(2, 1);
        let standing = Arc::new(AtomicUsize::new(0));
        let sleeper = {
            let (yard, standing) = (Arc::clone(&yard), Arc::clone(&standing));
            thread::spawn(move || {
                yard.parkers[1].adopt();
                while yard.left.load(Ordering::Relaxed) > 0 {
                    // A ring is no reason to stay up: its owner shares it, or the monitor does.
                    if yard.idle.settle(1, false, || false).is_none() && yard.sleep(1) {
                        assert_eq!(yard.idle.found(NOBODY, || false), None);
                    }
                    if standing.swap(0, Ordering::Acquire) > 0 {
                        yard.left.fetch_sub(1, Ordering::Release);
                        // What the owner's poll waits for.
                        yard.unpark(Some(0));
                    }
                }
            })
        };
        let owner = {
            let (yard, standing) = (Arc::clone(&yard), Arc::clone(&standing));
            thread::spawn(move || {
                yard.parkers[0].adopt();
                standing.store(1, Ordering::Release);
                while yard.left.load(Ordering::Acquire) > 0 {
                    yard.parkers[0].sleep(None);
                }
            })
        };
        // The monitor, for as long as the owner is inside its poll.
        while yard.left.load(Ordering::Relaxed) > 0 {
            if standing.load(Ordering::Relaxed) > 0 && yard.idle.wanted() {
                yard.unpark(yard.idle.pick(NOBODY));
            }
            thread::yield_now();
        }
        owner.join().unwrap();
        sleeper.join().unwrap();
    });
}
