//! The injector: pushes, batches, and the length that a worker reads before it sleeps.

use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, Ordering, fence_seqcst};
use loom::thread;

use super::{Item, assert_shared_out, drain, explore, item, open, push};
use crate::{Injector, LocalQueue};

/// Pushes one by one and in a batch, while a worker takes batches.
#[test]
fn pushes_meet_batches() {
    explore(|| {
        let shared = Arc::new(Injector::<Item>::new());
        let pusher = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.push(item(0));
                shared.push_batch((1..3).map(item));
            })
        };
        let queue = LocalQueue::new();
        let claim = queue.claim().unwrap();
        let mut own = Vec::new();
        for _ in 0..2 {
            own.extend(shared.pop_batch(&claim, 8).map(open));
            own.extend(drain(&claim));
        }
        pusher.join().unwrap();
        own.extend(core::iter::from_fn(|| shared.pop()).map(open));
        assert_shared_out(0..3, &[&own]);
        assert_eq!(shared.len(), 0);
    });
}

/// A batch goes into a ring that is being robbed: what the injector published, the thief sees.
#[test]
fn a_batch_goes_on_to_a_thief() {
    explore(|| {
        let shared = Arc::new(Injector::<Item>::new());
        let queue = Arc::new(LocalQueue::new());
        let pusher = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.push_batch((0..3).map(item)))
        };
        let thief = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || super::steal_once(&queue))
        };
        let claim = queue.claim().unwrap();
        let first = shared.pop_batch(&claim, 8).map(open);
        pusher.join().unwrap();
        let stolen = thief.join().unwrap();
        let mut own: Vec<_> = first.into_iter().collect();
        own.extend(drain(&claim));
        own.extend(core::iter::from_fn(|| shared.pop()).map(open));
        assert_shared_out(0..3, &[&own, &stolen]);
    });
}

/// Two workers pop what one pushed; nobody gets what the other has.
#[test]
fn two_workers_take_turns() {
    explore(|| {
        let shared = Arc::new(Injector::<Item>::new());
        shared.push_batch((0..3).map(item));
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let queue = LocalQueue::new();
                let claim = queue.claim().unwrap();
                let mut got: Vec<_> = shared.pop_batch(&claim, 2).map(open).into_iter().collect();
                got.extend(drain(&claim));
                got
            })
        };
        let mut own: Vec<_> = shared.pop().map(open).into_iter().collect();
        let got = other.join().unwrap();
        own.extend(core::iter::from_fn(|| shared.pop()).map(open));
        assert_shared_out(0..3, &[&own, &got]);
    });
}

/// The length that stays behind is the right one, whoever came last.
#[test]
fn a_length_is_written_in_the_order_of_the_pushes_and_pops() {
    explore(|| {
        let shared = Arc::new(Injector::<Item>::new());
        shared.push(item(0));
        let pusher = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.push(item(1)))
        };
        let popper = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.pop().map(open))
        };
        shared.push(item(2));
        pusher.join().unwrap();
        assert_eq!(popper.join().unwrap(), Some(0));
        assert_eq!(shared.len(), 2);
        assert_eq!(core::iter::from_fn(|| shared.pop()).map(open).count(), 2);
    });
}

/// Pitfall 45: of a push and a worker about to sleep, with a fence on either side, one sees the
/// other.
#[test]
fn a_length_read_after_a_fence_is_not_missed() {
    explore(|| {
        let shared = Arc::new(Injector::<Item>::new());
        let asleep = Arc::new(AtomicBool::new(false));
        let pusher = {
            let (shared, asleep) = (Arc::clone(&shared), Arc::clone(&asleep));
            thread::spawn(move || {
                shared.push(item(0));
                fence_seqcst();
                asleep.load(Ordering::Relaxed)
            })
        };
        asleep.store(true, Ordering::Relaxed);
        fence_seqcst();
        let saw_it = !shared.is_empty();
        let was_seen = pusher.join().unwrap();
        assert!(saw_it || was_seen);
        assert_eq!(shared.pop().map(open), Some(0));
    });
}

/// What overflows on one worker is run by another.
#[test]
fn an_overflow_reaches_another_worker() {
    explore(|| {
        let shared = Arc::new(Injector::<Item>::new());
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.pop().map(open))
        };
        let queue = LocalQueue::new();
        let claim = queue.claim().unwrap();
        for id in 0..4 {
            push(&claim, id);
        }
        let Err(full) = claim.push(item(4)) else { panic!("it is full") };
        shared.push_overflow(claim.overflow(full));
        let got: Vec<_> = other.join().unwrap().into_iter().collect();
        let kept = drain(&claim);
        let rest: Vec<_> = core::iter::from_fn(|| shared.pop()).map(open).collect();
        assert_eq!(kept, [0, 1]);
        assert_shared_out(0..5, &[&kept, &got, &rest]);
    });
}
