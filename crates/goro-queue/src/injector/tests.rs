//! The injector on one thread: order, batches of any size, and memory that goes back.

use proptest::prelude::*;

use super::*;
use crate::LocalQueue;

impl<T> Injector<T> {
    /// Segments, places in the list of segments, and whether a spare is kept; checks invariant 2.
    fn footprint(&self) -> (usize, usize, bool) {
        let list = self.list.lock();
        let full = list.pieces.len().saturating_sub(1);
        assert!(list.pieces.iter().take(full).all(|piece| !piece.is_empty()));
        assert_eq!(list.pieces.iter().map(VecDeque::len).sum::<usize>(), list.len);
        assert_eq!(list.len, self.len());
        (list.pieces.len(), list.pieces.capacity(), list.spare.is_some())
    }
}

#[test]
fn nothing_is_allocated_before_the_first_push() {
    let shared = Injector::<u32>::new();
    assert_eq!(shared.footprint(), (0, 0, false));
    assert_eq!(shared.pop(), None);
    assert_eq!(shared.footprint(), (0, 0, false));
}

#[test]
fn memory_of_a_burst_goes_back() {
    let shared = Injector::new();
    for n in 0..100_000 {
        shared.push(n);
    }
    assert_eq!(shared.footprint().0, 100_000_usize.div_ceil(SEGMENT));
    for n in 0..100_000 {
        assert_eq!(shared.pop(), Some(n));
    }
    let (pieces, places, _) = shared.footprint();
    assert_eq!(pieces, 1);
    assert!(places <= SMALL_LIST, "{places} places for one segment");
}

#[test]
fn steady_traffic_uses_two_segments_again_and_again() {
    let shared = Injector::new();
    for n in 0..100 {
        shared.push(n);
    }
    for n in 100..10_000 {
        shared.push(n);
        assert_eq!(shared.pop(), Some(n - 100));
        let (pieces, places, _) = shared.footprint();
        assert!(pieces <= 2 && places <= SMALL_LIST);
    }
}

#[test]
fn small_batches_share_segments() {
    for size in [1_usize, 2, 5, 64, 65, 100, 128, 129, 200] {
        for honest in [true, false] {
            let shared = Injector::new();
            for n in 0..100 {
                let items = n * size..(n + 1) * size;
                if honest {
                    shared.push_batch(items);
                } else {
                    // An iterator that does not say how much it has.
                    shared.push_batch(items.filter(|_| true));
                }
            }
            let (pieces, ..) = shared.footprint();
            // Segments are half full at worst, apart from a small one at the beginning of a batch
            // of unknown size.
            let halves = 2 * (100 * size).div_ceil(SEGMENT);
            let most = if honest { halves } else { halves + 100 };
            assert!(pieces <= most, "{pieces} segments for 100 batches of {size}");
            assert!((0..100 * size).all(|n| shared.pop() == Some(n)));
        }
    }
}

#[test]
fn a_batch_of_none_is_no_batch() {
    let shared = Injector::<u32>::new();
    shared.push_batch([]);
    assert!(shared.is_empty());
    assert_eq!(shared.footprint().0, 0);
    shared.push_batch([1]);
    shared.push_batch([]);
    assert_eq!((shared.pop(), shared.pop()), (Some(1), None));
}

#[test]
fn a_worker_may_ask_for_none() {
    let shared = Injector::new();
    shared.push(Box::new(1));
    let queue = LocalQueue::new();
    let claim = queue.claim().unwrap();
    assert_eq!(shared.pop_batch(&claim, 0), None);
    assert_eq!(shared.pop_batch(&claim, 1), Some(Box::new(1)));
    assert_eq!(shared.pop_batch(&claim, 1), None);
    assert!(queue.is_empty());
}

/// Pitfall 15: items of no size, and such as must not be zero.
#[test]
fn items_of_any_shape_pass() {
    let shared = Injector::new();
    shared.push_batch((0..1000).map(|_| ()));
    shared.push(());
    assert_eq!(core::iter::from_fn(|| shared.pop()).count(), 1001);

    #[derive(Debug, PartialEq)]
    #[repr(align(128))]
    struct Aligned<'a>(&'a u8);
    let shared = Injector::new();
    shared.push_batch((0..300).map(|_| Aligned(&7)));
    while let Some(item) = shared.pop() {
        assert_eq!(item, Aligned(&7));
        assert_eq!(core::ptr::from_ref(&item).addr() % 128, 0);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push,
    Batch(usize, bool),
    Pop(usize),
    PopNewest(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Push),
        2 => (0..400_usize, any::<bool>()).prop_map(|(count, honest)| Step::Batch(count, honest)),
        2 => (1..600_usize).prop_map(Step::Pop),
        1 => (1..300_usize).prop_map(Step::PopNewest),
    ]
}

proptest! {
    #[test]
    fn an_injector_is_a_list(steps in prop::collection::vec(step(), 0..80)) {
        let shared = Injector::new();
        let mut model = VecDeque::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Push => {
                    shared.push(next);
                    model.push_back(next);
                    next += 1;
                }
                Step::Batch(count, honest) => {
                    let items = next..next + count;
                    next += count;
                    model.extend(items.clone());
                    if honest {
                        shared.push_batch(items);
                    } else {
                        // An iterator that does not say how much it has.
                        shared.push_batch(items.filter(|_| true));
                    }
                }
                Step::Pop(count) => {
                    for _ in 0..count {
                        prop_assert_eq!(shared.pop(), model.pop_front());
                    }
                }
                Step::PopNewest(count) => {
                    for _ in 0..count {
                        prop_assert_eq!(shared.pop_newest(), model.pop_back());
                    }
                }
            }
            let (pieces, ..) = shared.footprint();
            prop_assert!(model.is_empty() || pieces > 0);
        }
        let rest: VecDeque<_> = core::iter::from_fn(|| shared.pop()).collect();
        prop_assert_eq!(rest, model);
    }
}
