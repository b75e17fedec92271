//! Models of the end: a task that arrives during a shutdown ends once, and is waited for.

use super::Gate;
use crate::counters::Counter;
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
