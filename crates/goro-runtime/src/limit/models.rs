//! Models of the limit on tasks: never too many, and no place refused that is free.

use super::Limit;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicU32, Ordering};
use loom::thread;

struct House {
    limit: Limit,
    inside: AtomicU32,
}

fn house(most: usize) -> Arc<House> {
    let house = House { limit: Limit::new(), inside: AtomicU32::new(0) };
    house.limit.set(Some(most));
    Arc::new(house)
}

#[test]
fn never_more_than_the_limit_are_inside() {
    loom::model(|| {
        let house = house(1);
        let visitors: Vec<_> = (0..2)
            .map(|_| {
                let house = house.clone();
                thread::spawn(move || {
                    if house.limit.admits() {
                        assert_eq!(house.inside.fetch_add(1, Ordering::Relaxed), 0);
                        house.inside.fetch_sub(1, Ordering::Relaxed);
                        house.limit.leave();
                    }
                })
            })
            .collect();
        for visitor in visitors {
            visitor.join().unwrap();
        }
        assert!(house.limit.admits(), "everybody has left");
    });
}

/// One is refused while another takes the last place but one: that is no reason to refuse it.
#[test]
fn of_as_many_as_there_are_places_nobody_is_refused() {
    loom::model(|| {
        let house = house(2);
        let visitors: Vec<_> = (0..2)
            .map(|_| {
                let house = house.clone();
                thread::spawn(move || house.limit.admits())
            })
            .collect();
        let admitted =
            visitors.into_iter().filter_map(|v| v.join().ok()).filter(|&yes| yes).count();
        assert_eq!(admitted, 2);
        assert!(!house.limit.admits());
    });
}

/// Who gets the place of one that has left sees what that one did.
#[test]
fn a_place_is_handed_on_with_what_was_done_in_it() {
    loom::model(|| {
        let house = house(1);
        assert!(house.limit.admits());
        let before = house.clone();
        let leaver = thread::spawn(move || {
            before.inside.store(7, Ordering::Relaxed);
            before.limit.leave();
        });
        if house.limit.admits() {
            assert_eq!(house.inside.load(Ordering::Relaxed), 7);
        }
        leaver.join().unwrap();
    });
}
