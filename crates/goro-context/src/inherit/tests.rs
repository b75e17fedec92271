use super::*;
use goro_shim::global::{AtomicUsize, Ordering};
use goro_shim::thread;

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[test]
fn children_keep_what_they_were_given() {
    let mut parent = Head::EMPTY.push(1_u8);
    let child = with(&mut parent, head);
    let parent = parent.push(2_u8);
    assert_eq!((child.find::<u8>(), parent.find::<u8>()), (Some(1), Some(2)));
    drop(parent);
    assert_eq!(child.get::<u8>(), Some(&1));
}

#[test]
fn nested_lists_come_back_also_after_a_panic() {
    let (mut outer, mut inner) = (Head::EMPTY.push(1_u8), Head::EMPTY.push(2_u8));
    with(&mut outer, || {
        let unwound = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            with(&mut inner, || {
                assert_eq!(find::<u8>(), Some(2));
                std::panic::resume_unwind(Box::new(()));
            });
        }));
        assert!(unwound.is_err());
        assert_eq!(find::<u8>(), Some(1));
    });
    assert_eq!((find::<u8>(), inner.find::<u8>(), outer.find::<u8>()), (None, Some(2), Some(1)));
    assert!(head().is_empty());
}

/// Pitfall 42, for lists: their length is the program's choice, the stack is not.
#[test]
fn a_list_of_a_million_entries_drops_on_a_small_stack() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    let small = thread::start("small stack".into(), Some(512 * 1024), move || {
        let push = |head: Head, _| head.push(Counted(Arc::clone(&count)));
        drop((0..1_000_000).fold(Head::EMPTY, push));
    });
    small.unwrap().join().unwrap();
    assert_eq!(dropped.load(Ordering::Acquire), 1_000_000);
}

#[test]
fn an_entry_that_panics_when_dropped_takes_nobody_with_it() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new(()));
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = || Counted(Arc::clone(&dropped));
    let head = Head::EMPTY.push(counted()).push(counted()).push(Bomb).push(counted());
    let unwound = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| drop(head)));
    assert!(unwound.is_err());
    assert_eq!(dropped.load(Ordering::Acquire), 3);
}

#[test]
fn debug_counts_the_entries() {
    assert_eq!(format!("{:?}", Head::EMPTY.push(1).push(2)), "Head(2 entries)");
}
