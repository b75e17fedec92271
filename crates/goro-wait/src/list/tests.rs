//! The list against a plain vector of (key, value).

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    PushBack,
    PushFront,
    Pop,
    /// Of a key given out earlier, gone or not.
    Remove(prop::sample::Index),
    Change(prop::sample::Index),
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::PushBack),
        2 => Just(Step::PushFront),
        3 => Just(Step::Pop),
        4 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => any::<prop::sample::Index>().prop_map(Step::Change),
        1 => Just(Step::Drain),
    ]
}

impl<T> WaitList<T> {
    /// Invariants 1 and 2.
    fn check(&self) {
        let mut vacant = 0;
        let (mut prev, mut index) = (NONE, self.free);
        while index != NONE {
            let place = &self.places[index as usize];
            assert_eq!((place.generation, place.prev), (0, prev));
            assert!(place.value.is_none());
            (prev, index) = (index, place.next);
            vacant += 1;
        }
        assert_eq!(vacant + self.len(), self.places.len());
        let (mut prev, mut index) = (NONE, self.waiters.head);
        for _ in 0..self.len() {
            let place = &self.places[index as usize];
            assert!(place.generation != 0 && place.value.is_some());
            assert_eq!(place.prev, prev);
            (prev, index) = (index, place.next);
        }
        assert_eq!((index, self.waiters.tail), (NONE, prev));
        assert!(self.places.last().is_none_or(|place| place.generation != 0));
        assert!(self.capacity() <= SMALL.max(4 * self.places.len()));
    }
}

fn run(steps: Vec<Step>) {
    let mut list = WaitList::new();
    let mut model: Vec<(Key, u32)> = Vec::new();
    let mut given: Vec<Key> = Vec::new();
    for (value, step) in (0_u32..).zip(steps) {
        match step {
            Step::PushBack => {
                let key = list.push_back(value);
                assert!(!given.contains(&key), "a key given out twice");
                model.push((key, value));
                given.push(key);
            }
            Step::PushFront => {
                let key = list.push_front(value);
                assert!(!given.contains(&key), "a key given out twice");
                model.insert(0, (key, value));
                given.push(key);
            }
            Step::Pop => {
                let expected = if model.is_empty() { None } else { Some(model.remove(0).1) };
                assert_eq!(list.pop_front(), expected);
            }
            Step::Remove(_) | Step::Change(_) if given.is_empty() => {}
            Step::Remove(which) => {
                let key = *which.get(&given);
                let at = model.iter().position(|&(other, _)| other == key);
                assert_eq!(list.remove(key), at.map(|at| model.remove(at).1));
            }
            Step::Change(which) => {
                let key = *which.get(&given);
                let there = model.iter_mut().find(|(other, _)| *other == key);
                assert_eq!(list.get(key).copied(), there.as_ref().map(|(_, value)| *value));
                assert_eq!(list.get_mut(key).copied(), there.as_ref().map(|(_, value)| *value));
                if let Some((_, old)) = there {
                    *old = value;
                    *list.get_mut(key).unwrap() = value;
                }
            }
            Step::Drain => {
                let drained = list.drain();
                assert!(list.is_empty() && list.pop_front().is_none());
                assert_eq!(drained.len(), model.len());
                assert!(drained.eq(model.drain(..).map(|(_, value)| value)));
            }
        }
        list.check();
        assert_eq!(list.len(), model.len());
        assert_eq!(list.is_empty(), model.is_empty());
        assert_eq!(list.front_mut().map(|(key, value)| (key, *value)), model.first().copied());
        assert!(list.iter().map(|(key, &value)| (key, value)).eq(model.iter().copied()));
        assert_eq!(list.iter().len(), model.len());
        let mut seen = Vec::new();
        list.for_each_mut(|value| seen.push(*value));
        assert!(seen.iter().eq(model.iter().map(|(_, value)| value)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Pitfall 12: keys are checked against what is there, vacant and given-back places included.
    /// Pitfall 113: a waiter that leaves from anywhere takes nobody else with it.
    #[test]
    fn behaves_like_a_vector(steps in prop::collection::vec(step(), 0..200)) {
        run(steps);
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
