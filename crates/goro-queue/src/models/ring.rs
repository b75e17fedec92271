//! One owner and its thieves.

use goro_shim::Arc;
use loom::thread;

use super::{Item, assert_shared_out, drain, explore, item, open, push, steal_once};
use crate::{CAPACITY, HALF, LocalQueue};

fn queue() -> Arc<LocalQueue<Item>> {
    Arc::new(LocalQueue::new())
}

/// Pitfall 44: both want the last item; the owner goes on afterwards.
#[test]
fn pop_and_steal_meet_on_the_last_item() {
    explore(|| {
        let queue = queue();
        let claim = queue.claim().unwrap();
        push(&claim, 0);
        let thief = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || steal_once(&queue))
        };
        let mut own: Vec<_> = claim.pop().map(open).into_iter().collect();
        push(&claim, 1);
        own.extend(claim.pop().map(open));
        let stolen = thief.join().unwrap();
        own.extend(drain(&claim));
        assert_shared_out(0..2, &[&own, &stolen]);
        assert_eq!(queue.len(), 0);
        // Whatever came of it, the ring is as good as before.
        for id in 2..2 + CAPACITY {
            push(&claim, id);
        }
        assert_eq!(steal_once(&queue), [2, 3]);
        assert_eq!(drain(&claim), [4, 5]);
    });
}

/// Pitfall 44: a batch is stolen while the owner pops.
#[test]
fn pops_and_a_steal_share_a_full_ring() {
    explore(|| {
        let queue = queue();
        let claim = queue.claim().unwrap();
        for id in 0..CAPACITY {
            push(&claim, id);
        }
        let thief = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || steal_once(&queue))
        };
        let own = drain(&claim);
        let stolen = thief.join().unwrap();
        assert_shared_out(0..CAPACITY, &[&own, &stolen]);
    });
}

/// Pitfall 44: the owner reuses slots, past the end of the positions, while a thief copies.
#[test]
fn pushes_reuse_slots_while_a_thief_copies() {
    explore(|| {
        let queue = queue();
        let claim = queue.claim().unwrap();
        for id in 0..CAPACITY {
            push(&claim, id);
        }
        let thief = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || steal_once(&queue))
        };
        let mut own = Vec::new();
        let mut next = CAPACITY;
        for _ in 0..3 {
            own.extend(claim.pop().map(open));
            if claim.push(item(next)).is_ok() {
                next += 1;
            }
        }
        let stolen = thief.join().unwrap();
        own.extend(drain(&claim));
        assert_shared_out(0..next, &[&own, &stolen]);
    });
}

/// Pitfalls 44, 52: the owner makes room while a thief takes half.
#[test]
fn an_overflow_meets_a_thief() {
    explore(|| {
        let queue = queue();
        let claim = queue.claim().unwrap();
        for id in 0..CAPACITY {
            push(&claim, id);
        }
        let thief = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || steal_once(&queue))
        };
        let mut moved: Vec<_> = Vec::new();
        for id in CAPACITY..CAPACITY + 2 {
            if let Err(full) = claim.push(item(id)) {
                moved.extend(claim.overflow(full).into_iter().map(open));
            }
        }
        let own = drain(&claim);
        let stolen = thief.join().unwrap();
        assert_shared_out(0..CAPACITY + 2, &[&own, &stolen, &moved]);
        assert!(moved.iter().all(|&id| id >= HALF), "of the older half: {moved:?}");
    });
}

#[test]
fn two_thieves_and_the_owner() {
    explore(|| {
        let queue = queue();
        let claim = queue.claim().unwrap();
        for id in 0..3 {
            push(&claim, id);
        }
        let thieves = [(); 2].map(|()| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || steal_once(&queue))
        });
        let mut own: Vec<_> = claim.pop().map(open).into_iter().collect();
        let [one, two] = thieves.map(|thief| thief.join().unwrap());
        own.extend(drain(&claim));
        assert_shared_out(0..3, &[&own, &one, &two]);
    });
}

/// One thief after the other while the owner fills what both have left.
#[test]
fn two_thieves_and_reused_slots() {
    explore(|| {
        let queue = queue();
        let claim = queue.claim().unwrap();
        for id in 0..CAPACITY {
            push(&claim, id);
        }
        let thieves = [(); 2].map(|()| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let own = LocalQueue::new();
                let claim = own.claim().unwrap();
                let mut got: Vec<_> = queue.steal_half(&claim).map(open).into_iter().collect();
                got.extend(drain(&claim));
                got
            })
        });
        let mut next = CAPACITY;
        for _ in 0..2 {
            if claim.push(item(next)).is_ok() {
                next += 1;
            }
        }
        let [one, two] = thieves.map(|thief| thief.join().unwrap());
        let own = drain(&claim);
        assert_shared_out(0..next, &[&own, &one, &two]);
    });
}

/// What a thief stole is stolen from it: published by one thread, moved by a second, opened by a
/// third.
#[test]
fn a_thief_is_robbed() {
    explore(|| {
        let [first, second] = [queue(), queue()];
        let claim = first.claim().unwrap();
        for id in 0..CAPACITY {
            push(&claim, id);
        }
        let middle = {
            let [first, second] = [Arc::clone(&first), Arc::clone(&second)];
            thread::spawn(move || {
                let claim = second.claim().unwrap();
                let mut got: Vec<_> = first.steal_half(&claim).map(open).into_iter().collect();
                got.extend(claim.pop().map(open));
                got
            })
        };
        let last = {
            let second = Arc::clone(&second);
            thread::spawn(move || steal_once(&second))
        };
        let own: Vec<_> = claim.pop().map(open).into_iter().collect();
        let [got, robbed] = [middle, last].map(|thread| thread.join().unwrap());
        let rest = drain(&claim);
        assert_shared_out(0..CAPACITY, &[&own, &got, &robbed, &rest]);
    });
}

/// A glance at the length is never more than the ring holds.
#[test]
fn lengths_seen_from_outside_are_possible_ones() {
    explore(|| {
        let queue = queue();
        let claim = queue.claim().unwrap();
        push(&claim, 0);
        let other = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                assert!(queue.len() <= 2);
                steal_once(&queue)
            })
        };
        push(&claim, 1);
        let own = drain(&claim);
        assert_eq!(claim.queue().len(), 0);
        let stolen = other.join().unwrap();
        assert_shared_out(0..2, &[&own, &stolen]);
    });
}
