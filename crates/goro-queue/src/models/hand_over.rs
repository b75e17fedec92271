//! Ownership goes from thread to thread, with all that stands in the queue.

use goro_shim::Arc;
use loom::thread;

use super::{Item, assert_shared_out, drain, explore, item, open, push, steal_once};
use crate::LocalQueue;

/// Takes over if nobody has the queue just now: pushes one, pops one.
fn take_over(queue: &LocalQueue<Item>, id: usize) -> (bool, Vec<usize>) {
    let Some(claim) = queue.claim() else { return (false, Vec::new()) };
    push(&claim, id);
    let got = claim.pop().map(open).into_iter().collect();
    (true, got)
}

#[test]
fn the_next_owner_goes_on_where_the_last_one_stopped() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<Item>::new());
        let claim = queue.claim().unwrap();
        push(&claim, 0);
        assert!(claim.put_next(item(9)).is_none());
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || take_over(&queue, 2))
        };
        push(&claim, 1);
        drop(claim);
        let (took_over, got) = other.join().unwrap();
        let claim = queue.claim().expect("everybody has given it back");
        assert_eq!(claim.take_next().map(open), Some(9));
        let own = drain(&claim);
        assert_shared_out(0..if took_over { 3 } else { 2 }, &[&got, &own]);
    });
}

#[test]
fn a_thief_is_at_work_during_the_hand_over() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<Item>::new());
        let claim = queue.claim().unwrap();
        for id in 0..3 {
            push(&claim, id);
        }
        let thief = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || steal_once(&queue))
        };
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || take_over(&queue, 3))
        };
        drop(claim);
        let stolen = thief.join().unwrap();
        let (took_over, got) = other.join().unwrap();
        let claim = queue.claim().expect("everybody has given it back");
        let own = drain(&claim);
        assert_shared_out(0..if took_over { 4 } else { 3 }, &[&stolen, &got, &own]);
    });
}

/// Of two that want the queue at once, one at a time gets it.
#[test]
fn two_claims_at_once() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<Item>::new());
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || take_over(&queue, 0).1)
        };
        let (_, own) = take_over(&queue, 1);
        let got = other.join().unwrap();
        let claim = queue.claim().expect("everybody has given it back");
        let rest = drain(&claim);
        assert!(rest.is_empty(), "each popped what it had pushed");
        assert!(!own.is_empty() || !got.is_empty());
        assert!(!own.contains(&0) && !got.contains(&1));
    });
}
