//! Who may do what with a queue, one thread at a time.
#![cfg(not(loom))]

use goro_queue::{CAPACITY, Claim, Injector, LocalQueue, Overflow, Refused};
use goro_shim::{Arc, thread};

fn elsewhere<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    thread::start("elsewhere".into(), None, body).unwrap().join().unwrap()
}

#[test]
fn one_claim_at_a_time_and_on_its_own_thread() {
    let queue = Arc::new(LocalQueue::<Box<u32>>::new());
    let claim = queue.claim().unwrap();
    assert!(queue.is_owned_here());
    assert!(queue.claim().is_none(), "not even this thread claims it twice");
    let other = Arc::clone(&queue);
    elsewhere(move || {
        assert!(!other.is_owned_here());
        assert!(other.claim().is_none());
    });
    drop(claim);
    assert!(!queue.is_owned_here());
    assert!(queue.claim().is_some());
}

#[test]
fn what_one_owner_leaves_the_next_one_finds() {
    let queue = Arc::new(LocalQueue::new());
    let claim = queue.claim().unwrap();
    for n in 0..10 {
        claim.push(Box::new(n)).unwrap();
    }
    claim.put_next(Box::new(99));
    drop(claim);
    let other = Arc::clone(&queue);
    elsewhere(move || {
        let claim = other.claim().unwrap();
        assert_eq!(claim.take_next(), Some(Box::new(99)));
        for n in 0..10 {
            assert_eq!(claim.pop(), Some(Box::new(n)));
        }
        assert_eq!(claim.pop(), None);
    });
    assert!(queue.claim().is_some());
}

#[test]
fn pushes_through_the_queue_need_the_claim_of_this_thread() {
    let queue = Arc::new(LocalQueue::new());
    assert!(matches!(queue.push_here(Box::new(1)), Err(Refused::NotOwner(item)) if *item == 1));
    assert_eq!(queue.put_next_here(Box::new(2)), Err(Box::new(2)));
    assert_eq!(queue.overflow_here(Box::new(3)).unwrap_err(), Box::new(3));
    let claim = queue.claim().unwrap();
    let other = Arc::clone(&queue);
    elsewhere(move || {
        assert!(matches!(other.push_here(Box::new(1)), Err(Refused::NotOwner(_))));
        assert!(other.put_next_here(Box::new(2)).is_err());
        assert!(other.overflow_here(Box::new(3)).is_err());
    });
    queue.push_here(Box::new(4)).unwrap();
    assert_eq!(queue.put_next_here(Box::new(5)), Ok(None));
    assert_eq!(queue.put_next_here(Box::new(6)), Ok(Some(Box::new(5))));
    assert!(queue.overflow_here(Box::new(7)).unwrap().is_empty(), "there is room");
    assert_eq!(claim.pop(), Some(Box::new(4)));
    assert_eq!(claim.pop(), Some(Box::new(7)));
    assert_eq!(claim.take_next(), Some(Box::new(6)));
}

#[test]
fn a_leaked_claim_keeps_the_queue_for_good() {
    let queue = Arc::new(LocalQueue::<Box<u32>>::new());
    let other = Arc::clone(&queue);
    elsewhere(move || {
        let claim = other.claim().unwrap();
        let _ = core::mem::ManuallyDrop::new(claim);
    });
    assert!(queue.claim().is_none());
    assert!(queue.push_here(Box::new(1)).is_err());
}

/// Pitfall 55: two owners on one thread, each with its own queue.
#[test]
fn one_thread_may_own_several_queues() {
    let (one, two) = (LocalQueue::new(), LocalQueue::new());
    let (first, second) = (one.claim().unwrap(), two.claim().unwrap());
    for n in 0..5 {
        first.push(Box::new(n)).unwrap();
    }
    assert_eq!(one.steal_half(&first), None, "nobody steals from itself");
    assert_eq!(one.steal_half(&second), Some(Box::new(0)));
    assert_eq!((one.len(), two.len()), (2, 2));
    drop(first);
    assert!(two.is_owned_here());
    assert_eq!(second.pop(), Some(Box::new(1)));
    assert_eq!(second.queue().len(), 1);
}

#[test]
fn a_full_ring_refuses_then_gives_up_its_newer_half() {
    let queue = LocalQueue::new();
    let claim = queue.claim().unwrap();
    for n in 0..CAPACITY {
        claim.push(Box::new(n)).unwrap();
    }
    assert!(matches!(queue.push_here(Box::new(7)), Err(Refused::Full(_))));
    let item = claim.push(Box::new(CAPACITY)).unwrap_err();
    let overflow = claim.overflow(item);
    assert_eq!(overflow.len(), CAPACITY / 2 + 1);
    let moved: Vec<_> = overflow.into_iter().map(|item| *item).collect();
    assert_eq!(moved, (CAPACITY / 2..=CAPACITY).collect::<Vec<_>>());
    assert_eq!(queue.len(), CAPACITY / 2);
}

/// Pitfalls 48 and 50: what is in the slot of an owner that does nothing can be taken.
#[test]
fn the_next_slot_can_be_taken_from_another_thread() {
    let queue = Arc::new(LocalQueue::new());
    let claim = queue.claim().unwrap();
    assert_eq!(claim.put_next(Box::new(1)), None);
    assert!(queue.has_next());
    let other = Arc::clone(&queue);
    assert_eq!(elsewhere(move || other.steal_next()), Some(Box::new(1)));
    assert!(!queue.has_next());
    assert_eq!(queue.steal_next(), None);
    assert_eq!(claim.take_next(), None);
    // And again: no thief has left anything behind.
    assert_eq!(claim.put_next(Box::new(2)), None);
    assert_eq!(queue.steal_next(), Some(Box::new(2)));
}

/// Pitfall 17: what prints in any state.
#[test]
fn everything_prints_empty_full_owned_and_left() {
    let queue = LocalQueue::new();
    let shared = Injector::new();
    assert_eq!(format!("{shared:?}"), "Injector { len: 0, .. }");
    assert_eq!(format!("{queue:?}"), "LocalQueue { len: 0, has_next: false, owned: false, .. }");
    let claim = queue.claim().unwrap();
    claim.push(Box::new(1)).unwrap();
    claim.put_next(Box::new(1));
    shared.push(Box::new(2));
    assert_eq!(
        format!("{claim:?}"),
        "Claim(LocalQueue { len: 1, has_next: true, owned: true, .. })"
    );
    assert_eq!(format!("{shared:?}"), "Injector { len: 1, .. }");
    assert_eq!(format!("{:?}", claim.overflow(Box::new(3))), "Overflow { len: 0, .. }");
    assert_eq!(
        format!("{:?} {:?}", Refused::Full(1), Refused::NotOwner(1)),
        "Full(..) NotOwner(..)"
    );
    assert_eq!(Refused::Full(1).to_string(), "the ring is full");
    assert_eq!(Refused::NotOwner(1).to_string(), "this thread does not own the queue");
    assert_eq!(Refused::Full(1).into_inner() + Refused::NotOwner(2).into_inner(), 3);
}

/// Pitfalls 2, 6: what may cross threads, and only with items that may.
#[test]
fn queues_cross_threads_when_their_items_do() {
    fn shared<T: Send + Sync>() {}
    shared::<LocalQueue<Box<core::cell::Cell<u32>>>>();
    shared::<Injector<core::cell::Cell<u32>>>();

    // Ambiguous, hence an error, if the type is `Send` or `Sync`.
    trait NotSend<A> {
        fn check() {}
    }
    impl<T: ?Sized> NotSend<()> for T {}
    impl<T: ?Sized + Send> NotSend<u8> for T {}
    trait NotSync<A> {
        fn check() {}
    }
    impl<T: ?Sized> NotSync<()> for T {}
    impl<T: ?Sized + Sync> NotSync<u8> for T {}
    <Claim<'static, Box<u32>> as NotSend<_>>::check();
    <Claim<'static, Box<u32>> as NotSync<_>>::check();
    <Injector<std::rc::Rc<u32>> as NotSend<_>>::check();
    <Injector<std::rc::Rc<u32>> as NotSync<_>>::check();
    <Overflow<std::rc::Rc<u32>> as NotSend<_>>::check();
}
