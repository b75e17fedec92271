//! Models of a change of size that meets a worker which is about to go.

use super::Posts;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicU32, Ordering};
use loom::thread;

struct House {
    posts: Posts,
    /// Workers at post 1.
    present: AtomicU32,
}

fn house() -> Arc<House> {
    let house = House { posts: Posts::new(2), present: AtomicU32::new(1) };
    house.posts.open(2);
    Arc::new(house)
}

/// What the worker at post 1 does between two polls; the thread that comes after it does the same.
fn work(house: &House) {
    while house.posts.is_to_go(1) {
        if house.posts.begin_going(1) {
            house.present.fetch_sub(1, Ordering::Relaxed);
            if !house.posts.left(1) {
                return;
            }
            assert_eq!(house.present.fetch_add(1, Ordering::Relaxed), 0, "one at a time");
        }
    }
}

fn resize(house: &House, workers: u32) {
    for post in house.posts.resize(workers).start {
        assert_eq!(post, 1);
        assert_eq!(house.present.fetch_add(1, Ordering::Relaxed), 0, "one at a time");
    }
}

#[test]
fn smaller_and_larger_again_while_the_worker_goes() {
    loom::model(|| {
        let house = house();
        house.posts.resize(1);
        let worker = {
            let house = house.clone();
            thread::spawn(move || work(&house))
        };
        resize(&house, 2);
        worker.join().unwrap();
        // Whoever is there sees what it is to do, once more.
        work(&house);
        assert_eq!(house.present.load(Ordering::Relaxed), 1);
        assert!(house.posts.is_manned(1));
    });
}

#[test]
fn two_changes_that_meet_end_as_one_of_them() {
    loom::model(|| {
        let house = house();
        let other = house.clone();
        let smaller = thread::spawn(move || resize(&other, 1));
        resize(&house, 2);
        smaller.join().unwrap();
        work(&house);
        let expected = house.posts.size() - 1;
        assert_eq!(house.present.load(Ordering::Relaxed), expected);
        assert_eq!(house.posts.is_manned(1), expected == 1);
    });
}
