//! Models of the end: a task that arrives during a shutdown ends once, and is waited for.

use super::Gate;
use crate::counters::{Counter, Counters, live};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use loom::thread;

struct House {
    gate: Gate,
    spawned: Counter,
    finished: Counter,
    /// Tasks in the injector.
    injected: AtomicUsize,
}

impl House {
    fn open() -> Arc<Self> {
        let gate = Gate::new();
        gate.open();
        Arc::new(Self {
            gate,
            spawned: Counter::default(),
            finished: Counter::default(),
            injected: AtomicUsize::new(0),
        })
    }

    fn spawn(&self) {
        if self.gate.admit(&self.spawned) {
            self.inject();
        } else {
            self.finished.add_shared(1);
        }
    }

    fn inject(&self) {
        self.injected.fetch_add(1, Ordering::Release);
    }

    fn live(&self) -> u64 {
        let finished = self.finished.get();
        self.spawned.get().wrapping_sub(finished)
    }

    /// What the last worker does: cancels what arrives until nothing is live.
    fn close_down(&self) {
        while self.live() > 0 {
            let taken = self.injected.swap(0, Ordering::Acquire);
            if taken > 0 {
                self.finished.add_shared(taken as u64);
            } else {
                thread::yield_now();
            }
        }
    }
}

/// Pitfalls 27 and 69: a spawn that races the shutdown hangs, or is forgotten.
#[test]
fn a_spawn_from_outside_meets_a_shutdown() {
    loom::model(|| {
        let house = House::open();
        let spawner = {
            let house = Arc::clone(&house);
            thread::spawn(move || house.spawn())
        };
        assert!(house.gate.close());
        house.close_down();
        // Whoever spawns after this is refused; whoever was let in has been waited for.
        assert_eq!(house.injected.load(Ordering::Relaxed), 0);
        spawner.join().unwrap();
        assert_eq!(house.injected.load(Ordering::Relaxed), 0, "nothing arrives behind the end");
        assert_eq!(house.live(), 0);
    });
}

/// A runnable in a foreign thread's hand, between its wake and its push, is waited for.
#[test]
fn a_wake_in_a_foreign_hand_meets_a_shutdown() {
    loom::model(|| {
        let house = House::open();
        // A task that has parked: spawned, not finished, in no queue.
        house.spawned.add_shared(1);
        let waker = {
            let house = Arc::clone(&house);
            // The wake is done; the push is still to come.
            thread::spawn(move || house.inject())
        };
        assert!(house.gate.close());
        house.close_down();
        waker.join().unwrap();
        assert_eq!(house.injected.load(Ordering::Relaxed), 0);
    });
}

/// Two workers: a task of the first makes one, which the second takes; that one makes another, which
/// stays. Whatever the sums are read meanwhile, they never say that nothing is live.
fn ends_elsewhere(count: fn(&Counter, u64)) {
    loom::model(move || {
        let both = Arc::new([Counters::default(), Counters::default()]);
        let handed_over = Arc::new(AtomicUsize::new(0));
        count(&both[0].spawned, 1);
        let first = {
            let (both, handed_over) = (Arc::clone(&both), Arc::clone(&handed_over));
            thread::spawn(move || {
                count(&both[0].spawned, 1);
                handed_over.store(1, Ordering::Release);
                count(&both[0].finished, 1);
            })
        };
        let second = {
            let (both, handed_over) = (Arc::clone(&both), Arc::clone(&handed_over));
            thread::spawn(move || {
                if handed_over.load(Ordering::Acquire) == 1 {
                    count(&both[1].spawned, 1);
                    count(&both[1].finished, 1);
                }
            })
        };
        assert!(live(|| both.iter()) > 0, "one is live all the time");
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(live(|| both.iter()), 1);
    });
}

/// Pitfall 18: sums over all shards, read while these change.
#[test]
fn a_task_that_ends_elsewhere_does_not_hide_the_one_it_made() {
    ends_elsewhere(Counter::add);
}

/// As above, with tasks that threads make and end which are no workers.
#[test]
fn a_task_that_outsiders_end_does_not_hide_the_one_it_made() {
    ends_elsewhere(Counter::add_shared);
}

/// Two that shut down: one of them closes the gate.
#[test]
fn two_shutdowns_close_once() {
    loom::model(|| {
        let house = House::open();
        let other = {
            let house = Arc::clone(&house);
            thread::spawn(move || house.gate.close())
        };
        let here = house.gate.close();
        assert!(here != other.join().unwrap());
    });
}
