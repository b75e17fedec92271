//! The next slot: its owner and its thieves.
//!
//! loom has no fence that costs one side nothing: the pair is two full ones here, which is what the pair is specified to
//! be (`goro_shim::atomic::fence_light`). That the kernel keeps to it is tested there.

use goro_shim::Arc;
use loom::thread;

use super::{Item, assert_shared_out, explore, item, open};
use crate::LocalQueue;

/// With a slot whose thieves announce themselves, and with an open one.
fn explore_both(model: fn(LocalQueue<Item>)) {
    explore(move || model(LocalQueue::new()));
    explore(move || model(LocalQueue::with_open_slot()));
}

fn rob(queue: &Arc<LocalQueue<Item>>) -> thread::JoinHandle<Vec<usize>> {
    let queue = Arc::clone(queue);
    thread::spawn(move || queue.steal_next().map(open).into_iter().collect())
}

/// Pitfall 50: put, take, put again, while somebody steals.
#[test]
fn the_owner_takes_while_a_thief_steals() {
    explore_both(|queue| {
        let queue = Arc::new(queue);
        let claim = queue.claim().unwrap();
        assert!(claim.put_next(item(0)).is_none());
        let thief = rob(&queue);
        let mut own: Vec<_> = claim.take_next().map(open).into_iter().collect();
        assert!(claim.put_next(item(1)).is_none(), "it was empty");
        own.extend(claim.take_next().map(open));
        let stolen = thief.join().unwrap();
        assert_shared_out(0..2, &[&own, &stolen]);
    });
}

/// A thief meets an owner that replaces: it gets the old item, the one that came, or none.
#[test]
fn the_owner_replaces_while_a_thief_steals() {
    explore_both(|queue| {
        let queue = Arc::new(queue);
        let claim = queue.claim().unwrap();
        assert!(claim.put_next(item(0)).is_none());
        let thief = rob(&queue);
        let mut own: Vec<_> = claim.put_next(item(1)).map(open).into_iter().collect();
        own.extend(claim.put_next(item(2)).map(open));
        own.extend(claim.take_next().map(open));
        let stolen = thief.join().unwrap();
        assert_shared_out(0..3, &[&own, &stolen]);
    });
}

#[test]
fn two_thieves_and_the_owner() {
    explore_both(|queue| {
        let queue = Arc::new(queue);
        let claim = queue.claim().unwrap();
        let thieves = [rob(&queue), rob(&queue)];
        assert!(claim.put_next(item(0)).is_none());
        let mut own: Vec<_> = claim.put_next(item(1)).map(open).into_iter().collect();
        own.extend(claim.take_next().map(open));
        let [one, two] = thieves.map(|thief| thief.join().unwrap());
        assert_shared_out(0..2, &[&own, &one, &two]);
    });
}

/// The second thief comes when the first has left, with the owner taking and putting all the while: what the first
/// one took is gone for an owner that has only met the second.
#[test]
fn one_thief_after_the_other() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<Item>::new());
        let claim = queue.claim().unwrap();
        assert!(claim.put_next(item(0)).is_none());
        let thief = {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let first: Vec<_> = queue.steal_next().map(open).into_iter().collect();
                let second = {
                    let queue = Arc::clone(&queue);
                    thread::spawn(move || queue.steal_next().map(open))
                };
                [first, second.join().unwrap().into_iter().collect()].concat()
            })
        };
        let mut own: Vec<_> = claim.take_next().map(open).into_iter().collect();
        assert!(claim.put_next(item(1)).is_none());
        own.extend(claim.take_next().map(open));
        let stolen = thief.join().unwrap();
        assert_shared_out(0..2, &[&own, &stolen]);
    });
}

/// Nobody disturbs the thief: it does get the item.
#[test]
fn a_thief_alone_gets_it() {
    explore_both(|queue| {
        let queue = Arc::new(queue);
        let claim = queue.claim().unwrap();
        assert!(claim.put_next(item(0)).is_none());
        assert_eq!(rob(&queue).join().unwrap(), [0]);
        assert!(claim.take_next().is_none());
    });
}
