//! Queues dropped with items in them: each item once, whatever their destructors do.
#![cfg(not(loom))]

use std::panic::{AssertUnwindSafe, catch_unwind};

use goro_queue::{CAPACITY, Injector, LocalQueue};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};

struct Counted {
    dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "a destructor that panics");
    }
}

fn counted(dropped: &Arc<AtomicUsize>) -> Box<Counted> {
    Box::new(Counted { dropped: Arc::clone(dropped), panics: false })
}

/// Pitfall 16: each item once, by whoever has it.
#[test]
fn a_dropped_queue_drops_ring_and_slot() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let queue = LocalQueue::new();
    let claim = queue.claim().unwrap();
    for _ in 0..CAPACITY {
        claim.push(counted(&dropped)).map_err(|_| "full").unwrap();
    }
    claim.put_next(counted(&dropped));
    drop(claim);
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(queue);
    assert_eq!(dropped.load(Ordering::Relaxed), CAPACITY + 1);
}

#[test]
fn a_destructor_that_panics_does_not_keep_the_others_from_being_dropped() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let queue = LocalQueue::new();
    let claim = queue.claim().unwrap();
    for n in 0..20 {
        let item = Counted { dropped: Arc::clone(&dropped), panics: n == 7 };
        claim.push(Box::new(item)).map_err(|_| "full").unwrap();
    }
    drop(claim);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(queue))).is_err());
    assert_eq!(dropped.load(Ordering::Relaxed), 20);
}

/// Pitfall 35: an iterator that is not walked to its end.
#[test]
fn an_overflow_that_nobody_wants_drops_its_items() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let queue = LocalQueue::new();
    let claim = queue.claim().unwrap();
    for _ in 0..CAPACITY {
        claim.push(counted(&dropped)).map_err(|_| "full").unwrap();
    }
    drop(claim.overflow(counted(&dropped)));
    assert_eq!(dropped.load(Ordering::Relaxed), CAPACITY / 2 + 1);
    assert_eq!(queue.len(), CAPACITY / 2);
}

/// Pitfall 39: an iterator of the caller's that panics half way pushes nothing and breaks nothing.
#[test]
fn a_batch_whose_iterator_panics_is_not_pushed() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let shared = Injector::new();
    shared.push(counted(&dropped));
    for last in [0, 1, 127, 128, 300] {
        dropped.store(0, Ordering::Relaxed);
        let batch = (0..).map(|n| {
            assert!(n < last, "item {last} panics");
            counted(&dropped)
        });
        assert!(catch_unwind(AssertUnwindSafe(|| shared.push_batch(batch))).is_err());
        assert_eq!(dropped.load(Ordering::Relaxed), last);
        assert_eq!(shared.len(), 1);
    }
    shared.push(counted(&dropped));
    assert!(shared.pop().is_some() && shared.pop().is_some() && shared.pop().is_none());
}

#[test]
fn a_dropped_injector_drops_its_items() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let shared = Injector::new();
    shared.push_batch((0..1000).map(|_| counted(&dropped)));
    shared.pop();
    drop(shared);
    assert_eq!(dropped.load(Ordering::Relaxed), 1000);
}
