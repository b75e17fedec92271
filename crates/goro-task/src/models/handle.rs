//! The join handle against completion.

use loom::thread;

use super::*;

/// A task that ends at its first poll.
fn ending(home: &'static Hand) -> (Runnable<Hand>, JoinHandle<Counted>, global::Arc<AtomicUsize>) {
    let future = Flags::new();
    for flag in future.flags.iter() {
        flag.store(true, atomic::Ordering::Relaxed);
    }
    let drops = future.drops.clone();
    let (task, handle) = spawn(home, future);
    (task, handle, drops)
}

/// A joiner that waits while the task ends is woken, or finds the outcome.
#[test]
fn a_joiner_that_registers_as_the_task_ends_is_woken_or_served() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, mut handle, drops) = ending(home);
        let worker = thread::spawn(move || home.run(task));
        let bell = global::Arc::new(Bell::default());
        let first = poll_once(&mut handle, &Waker::from(bell.clone()));
        assert_eq!(worker.join().unwrap(), Some(Ending::Done));
        let outcome = match first {
            Poll::Ready(outcome) => {
                assert_eq!(bell.rings(), 0);
                outcome
            }
            Poll::Pending => {
                assert_eq!(bell.rings(), 1);
                match poll_once(&mut handle, Waker::noop()) {
                    Poll::Ready(outcome) => outcome,
                    Poll::Pending => panic!("woken for nothing"),
                }
            }
        };
        assert!(outcome.is_ok());
        drop((outcome, handle));
        assert_eq!(global::Arc::strong_count(&bell), 1);
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// A joiner that comes with another waker while the task ends: the last waker it registered rings,
/// and none is kept (pitfall 32).
#[test]
fn a_joiner_that_changes_its_waker_as_the_task_ends_is_woken_or_served() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, mut handle, drops) = ending(home);
        let bells = [global::Arc::new(Bell::default()), global::Arc::new(Bell::default())];
        assert!(poll_once(&mut handle, &Waker::from(bells[0].clone())).is_pending());
        let worker = thread::spawn(move || home.run(task));
        let second = poll_once(&mut handle, &Waker::from(bells[1].clone()));
        assert_eq!(worker.join().unwrap(), Some(Ending::Done));
        if second.is_pending() {
            assert_eq!(bells[1].rings(), 1);
            assert!(poll_once(&mut handle, Waker::noop()).is_ready());
        }
        drop((second, handle));
        assert!(bells.iter().all(|bell| global::Arc::strong_count(bell) == 1));
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// The joiner is a task itself, whose waker needs no box.
#[test]
fn a_task_that_joins_another_is_queued_when_that_ends() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, handle, drops) = ending(home);
        let (joiner, mut joined) = spawn(home, async move { handle.await.is_ok() });
        let worker = thread::spawn(move || home.run(task));
        let early = home.run(joiner);
        assert_eq!(worker.join().unwrap(), Some(Ending::Done));
        assert!(early.or_else(|| home.drain()) == Some(Ending::Done));
        assert!(matches!(poll_once(&mut joined, Waker::noop()), Poll::Ready(Ok(true))));
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// Pitfalls 28, 41: a handle dropped as the task ends; the outcome is dropped once, by either.
#[test]
fn a_handle_dropped_as_the_task_ends_leaves_one_owner_of_the_outcome() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, handle, drops) = ending(home);
        let worker = thread::spawn(move || home.run(task));
        drop(handle);
        assert_eq!(worker.join().unwrap(), Some(Ending::Done));
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// As above, with an abort handle that goes at the same time and may be the last hold.
#[test]
fn a_handle_and_a_reference_dropped_as_the_task_ends_free_once() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, handle, drops) = ending(home);
        let reference = handle.abort_handle();
        let worker = thread::spawn(move || home.run(task));
        let other = thread::spawn(move || drop(reference));
        drop(handle);
        assert_eq!(worker.join().unwrap(), Some(Ending::Done));
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// A handle that had registered and is dropped as the task ends: its waker is dropped once, woken
/// or not.
#[test]
fn a_registered_handle_dropped_as_the_task_ends_leaves_one_owner_of_the_waker() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, mut handle, drops) = ending(home);
        let bell = global::Arc::new(Bell::default());
        assert!(poll_once(&mut handle, &Waker::from(bell.clone())).is_pending());
        let worker = thread::spawn(move || home.run(task));
        drop(handle);
        assert_eq!(worker.join().unwrap(), Some(Ending::Done));
        assert!(bell.rings() <= 1);
        assert_eq!(global::Arc::strong_count(&bell), 1);
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// What the task's future and its destructor wrote is seen by whoever is told that it has ended
/// (pitfall 22).
#[test]
fn who_sees_the_end_sees_what_came_before() {
    struct Writes(Arc<atomic::AtomicBool>);
    impl Drop for Writes {
        fn drop(&mut self) {
            self.0.store(true, atomic::Ordering::Relaxed);
        }
    }
    loom::model(|| {
        let home = Hand::leak();
        let flag = Arc::new(atomic::AtomicBool::new(false));
        let writes = Writes(flag.clone());
        let (task, handle) = spawn(home, async move { drop(writes) });
        let worker = thread::spawn(move || home.run(task));
        if handle.is_finished() {
            assert!(flag.load(atomic::Ordering::Relaxed));
        }
        worker.join().unwrap();
    });
}
