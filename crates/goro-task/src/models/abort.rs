//! Aborts against polls, wakes and completion.

use goro_context::Cause;
use loom::thread;

use super::*;

struct Parts {
    handle: JoinHandle<Counted>,
    waker: Waker,
    flags: Arc<[atomic::AtomicBool; 2]>,
    drops: global::Arc<AtomicUsize>,
}

fn parked(home: &'static Hand) -> Parts {
    let future = Flags::new();
    let (flags, drops, mailbox) =
        (future.flags.clone(), future.drops.clone(), future.mailbox.clone());
    let (task, handle) = spawn(home, future);
    assert_eq!(home.run(task), None);
    let waker = mailbox.lock().take().unwrap();
    Parts { handle, waker, flags, drops }
}

fn outcome(mut handle: JoinHandle<Counted>) -> Result<Counted, JoinError> {
    match poll_once(&mut handle, Waker::noop()) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("neither done nor cancelled"),
    }
}

/// Pitfalls 24, 41: a task aborted while it is polled and ends: done or cancelled, its future
/// dropped once.
#[test]
fn an_abort_during_the_last_poll_leaves_a_task_done_or_cancelled() {
    loom::model(|| {
        let home = Hand::leak();
        let Parts { handle, waker, flags, drops } = parked(home);
        for flag in flags.iter() {
            flag.store(true, atomic::Ordering::Relaxed);
        }
        waker.wake();
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort_with(Cause::new("in words")));
        home.drain();
        other.join().unwrap();
        home.drain();
        match outcome(handle) {
            Ok(value) => drop(value),
            Err(error) => {
                assert_eq!(error.cause(), Some(&Cause::new("in words")));
                assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
                return;
            }
        }
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// An abort while the task is polled and parks is not lost: the future is dropped at the next poll.
#[test]
fn an_abort_during_a_poll_that_parks_cancels() {
    loom::model(|| {
        let home = Hand::leak();
        let Parts { handle, waker, drops, .. } = parked(home);
        waker.wake();
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort());
        home.drain();
        other.join().unwrap();
        home.drain();
        assert_eq!(outcome(handle).err().and_then(|e| e.cause().cloned()), Some(Cause::Aborted));
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
        assert!(home.registry.is_empty());
    });
}

/// An abort that comes as the task first parks finds the home that is being written down.
#[test]
fn an_abort_as_the_task_first_parks_finds_its_home() {
    loom::model(|| {
        let (spawned_at, parks_at) = (Hand::leak(), Hand::leak());
        let future = Flags::new();
        let drops = future.drops.clone();
        let (task, handle) = spawn(spawned_at, future);
        let worker = thread::spawn(move || parks_at.run(task));
        handle.abort();
        parks_at.drain();
        worker.join().unwrap();
        parks_at.drain();
        assert!(spawned_at.take().is_none() && parks_at.registry.is_empty());
        assert!(outcome(handle).is_err());
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
    });
}

/// What was written before an abort is seen by the destructor that it leads to, also when the task
/// is being polled or woken at that time.
#[test]
fn the_destructor_sees_what_was_written_before_the_abort() {
    struct Expects(Flags);
    impl Future for Expects {
        type Output = Counted;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Counted> {
            Pin::new(&mut self.0).poll(cx)
        }
    }
    impl Drop for Expects {
        fn drop(&mut self) {
            assert!(self.0.flags[0].load(atomic::Ordering::Relaxed));
        }
    }
    loom::model(|| {
        let home = Hand::leak();
        let future = Flags::new();
        let (flags, mailbox) = (future.flags.clone(), future.mailbox.clone());
        let (task, mut handle) = spawn(home, Expects(future));
        assert_eq!(home.run(task), None);
        mailbox.lock().take().unwrap().wake();
        let abort = handle.abort_handle();
        let other = thread::spawn(move || {
            flags[0].store(true, atomic::Ordering::Relaxed);
            abort.abort();
        });
        home.drain();
        other.join().unwrap();
        home.drain();
        let Poll::Ready(Err(error)) = poll_once(&mut handle, Waker::noop()) else {
            panic!("it was aborted");
        };
        assert!(error.is_cancelled(), "{error}");
    });
}

/// Pitfall 24: an abort and a wake of a parked task at the same time queue it once.
#[test]
fn an_abort_and_a_wake_queue_the_task_once() {
    loom::model(|| {
        let home = Hand::leak();
        let Parts { handle, waker, drops, .. } = parked(home);
        let other = thread::spawn(move || waker.wake());
        handle.abort();
        other.join().unwrap();
        // `take` asserts that there is one.
        home.drain();
        assert!(outcome(handle).is_err());
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
    });
}

/// Two aborts in words at the same time: one of their causes counts, and neither is left behind.
#[test]
fn of_two_aborts_one_counts() {
    loom::model(|| {
        let home = Hand::leak();
        let Parts { handle, waker, drops, .. } = parked(home);
        drop(waker);
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort_with(Cause::new("one")));
        handle.abort_with(Cause::new("two"));
        other.join().unwrap();
        home.drain();
        let cause = outcome(handle).err().and_then(|error| error.cause().cloned());
        assert!(cause == Some(Cause::new("one")) || cause == Some(Cause::new("two")), "{cause:?}");
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
    });
}

/// The runnable is dropped by a home that refuses it, while the task is aborted and its handle goes.
#[test]
fn an_abort_dispatched_to_a_home_that_drops_races_with_the_handle() {
    loom::model(|| {
        let home = Hand::leak_refusing();
        let Parts { handle, waker, drops, .. } = parked(home);
        drop(waker);
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort());
        drop(handle);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
    });
}
