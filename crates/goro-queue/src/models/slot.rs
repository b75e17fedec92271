//! The next slot: its owner and its thieves.

use goro_shim::Arc;
use loom::thread;

use super::{Item, assert_shared_out, explore, item, open};
use crate::LocalQueue;

fn rob(queue: &Arc<LocalQueue<Item>>) -> thread::JoinHandle<Vec<usize>> {
    let queue = Arc::clone(queue);
    thread::spawn(move || queue.steal_next().map(open).into_iter().collect())
}

/// Pitfall 50: put, take, put again, while somebody steals.
#[test]
fn the_owner_takes_while_a_thief_steals() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<Item>::new());
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
    explore(|| {
        let queue = Arc::new(LocalQueue::<Item>::new());
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
    explore(|| {
        let queue = Arc::new(LocalQueue::<Item>::new());
        let claim = queue.claim().unwrap();
        let thieves = [rob(&queue), rob(&queue)];
        assert!(claim.put_next(item(0)).is_none());
        let mut own: Vec<_> = claim.put_next(item(1)).map(open).into_iter().collect();
        own.extend(claim.take_next().map(open));
        let [one, two] = thieves.map(|thief| thief.join().unwrap());
        assert_shared_out(0..2, &[&own, &one, &two]);
    });
}
