//! The list against a plain vector of (key, value).

use super::*;

/// What is done to the list.
#[derive(Clone, Debug)]
pub(super) enum Step {
    PushBack,
    PushFront,
    Pop,
    /// Of a key given out earlier, gone or not.
    Remove(u8),
    Change(u8),
    Drain,
}

impl<T> WaitList<T> {
    /// Invariants 1 and 2.
    pub(super) fn check(&self) {
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

/// Does `steps`, and judges each.
pub(super) fn check_steps(steps: Vec<Step>) {
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
                let key = given[usize::from(which) % given.len()];
                let at = model.iter().position(|&(other, _)| other == key);
                assert_eq!(list.remove(key), at.map(|at| model.remove(at).1));
            }
            Step::Change(which) => {
                let key = given[usize::from(which) % given.len()];
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

/// A run as `bytes` have it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    check_steps(crate::fuzzing::steps(&mut arbitrary::Unstructured::new(bytes), |from| {
        Ok(match from.int_in_range(0..=16)? {
            0..6 => Step::PushBack,
            6..8 => Step::PushFront,
            8..11 => Step::Pop,
            11..15 => Step::Remove(from.arbitrary()?),
            15 => Step::Change(from.arbitrary()?),
            _ => Step::Drain,
        })
    }));
}
