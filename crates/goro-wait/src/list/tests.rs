//! Random steps of the list against its model, and what it keeps.

use proptest::prelude::*;

use super::model::{Step, check_steps};
use super::*;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::PushBack),
        2 => Just(Step::PushFront),
        3 => Just(Step::Pop),
        4 => any::<u8>().prop_map(Step::Remove),
        1 => any::<u8>().prop_map(Step::Change),
        1 => Just(Step::Drain),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Pitfall 12: keys are checked against what is there, vacant and given-back places included.
    /// Pitfall 113: a waiter that leaves from anywhere takes nobody else with it.
    #[test]
    fn behaves_like_a_vector(steps in prop::collection::vec(step(), 0..200)) {
        check_steps(steps);
    }
}

/// Pitfalls 32 and 94: what waits is owned by the list alone, and goes when it is taken out.
#[test]
fn nothing_is_kept_of_what_was_taken_out() {
    let value = goro_shim::global::Arc::new(());
    let mut list = WaitList::new();
    let keys: Vec<_> =
        (0..10).map(|_| list.push_back(goro_shim::global::Arc::clone(&value))).collect();
    for key in &keys[2..5] {
        drop(list.remove(*key));
    }
    drop(list.pop_front());
    assert_eq!(goro_shim::global::Arc::strong_count(&value), 7);
    let mut all = list.iter();
    assert_eq!((all.len(), all.next().is_some(), all.len()), (6, true, 5));
    let mut drained = list.drain();
    assert_eq!((drained.len(), drained.next().is_some(), drained.len()), (6, true, 5));
    assert_eq!(goro_shim::global::Arc::strong_count(&value), 6);
    drop(drained);
    assert_eq!(goro_shim::global::Arc::strong_count(&value), 1);
    assert!(keys.iter().all(|&key| list.get(key).is_none()));
}

#[test]
fn memory_follows_a_burst_down() {
    let mut list = WaitList::new();
    let keys: Vec<_> = (0..100_000).map(|value| list.push_back(value)).collect();
    assert!(list.capacity() >= 100_000);
    // From both ends and the middle, so that the free list is anything but in order.
    for step in [7, 3, 1] {
        for key in keys.iter().step_by(step) {
            list.remove(*key);
        }
        list.check();
    }
    assert!(list.is_empty());
    assert!(list.capacity() <= SMALL, "{} places held for nobody", list.capacity());
    // First in first out, the survivor is the last place: memory goes only with it.
    let keys: Vec<_> = (0..1_000).map(|value| list.push_back(value)).collect();
    for value in 0..999 {
        assert_eq!(list.pop_front(), Some(value));
    }
    assert_eq!(list.remove(keys[999]), Some(999));
    assert!(list.capacity() <= SMALL);
}

#[test]
fn an_entry_with_a_waker_takes_32_bytes() {
    assert_eq!(size_of::<Place<core::task::Waker>>(), 32);
    assert_eq!(size_of::<WaitList<core::task::Waker>>(), 48);
}
