//! The registry against completion, parking and each other.

use goro_context::Cause;
use loom::thread;

use super::*;

fn parked(
    home: &'static Hand,
) -> (JoinHandle<Counted>, Waker, Arc<[atomic::AtomicBool; 2]>, global::Arc<AtomicUsize>) {
    let future = Flags::new();
    let (flags, drops, mailbox) =
        (future.flags.clone(), future.drops.clone(), future.mailbox.clone());
    let (task, handle) = spawn(home, future);
    assert_eq!(home.run(task), None);
    let waker = mailbox.lock().take().unwrap();
    (handle, waker, flags, drops)
}

/// A dump reads headers while tasks end: none is read after its end.
#[test]
fn a_dump_as_the_task_ends_reads_no_freed_header() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        for flag in flags.iter() {
            flag.store(true, atomic::Ordering::Relaxed);
        }
        drop(handle);
        waker.wake();
        let dumper = thread::spawn(move || {
            let mut seen = 0;
            home.registry.for_each(|view| {
                assert_ne!(view.activity, crate::Activity::Stuck);
                seen += 1;
            });
            seen
        });
        home.drain();
        assert!(dumper.join().unwrap() <= 1);
        assert!(home.registry.is_empty());
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// As above, and the handle, which is there to the end, frees the memory as soon as it may.
#[test]
fn a_dump_as_the_last_handle_goes_reads_no_freed_header() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        for flag in flags.iter() {
            flag.store(true, atomic::Ordering::Relaxed);
        }
        waker.wake();
        let worker = thread::spawn(move || home.drain());
        let dumper = thread::spawn(move || {
            let mut seen = 0;
            home.registry.for_each(|view| {
                assert_ne!(view.activity, crate::Activity::Stuck);
                seen += 1;
            });
            seen
        });
        drop(handle);
        assert_eq!(worker.join().unwrap(), Some(Ending::Done));
        assert!(dumper.join().unwrap() <= 1);
        assert!(home.registry.is_empty());
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// Shutdown aborts what is listed while a task ends: what it finds it may hold on to.
#[test]
fn an_abort_of_all_that_is_listed_as_the_task_ends() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        for flag in flags.iter() {
            flag.store(true, atomic::Ordering::Relaxed);
        }
        drop(handle);
        let other = thread::spawn(move || {
            let aborted = home.registry.abort_some(8, &Cause::Shutdown);
            assert!(aborted.is_last);
            for task in aborted.runnables {
                assert_eq!(task.cancel(Cause::Shutdown), Ending::Cancelled);
            }
        });
        waker.wake();
        home.drain();
        other.join().unwrap();
        home.drain();
        assert!(home.registry.is_empty());
        let drops = drops.load(Ordering::Relaxed);
        assert!(drops == DONE || drops == CANCELLED, "{drops}");
    });
}

/// A task that first parks while shutdown closes the registry and aborts what is listed is reached
/// by one of the two.
#[test]
fn a_task_that_first_parks_as_the_registry_closes_is_cancelled() {
    loom::model(|| {
        let home = Hand::leak();
        let future = Flags::new();
        let drops = future.drops.clone();
        let (task, handle) = spawn(home, future);
        let worker = thread::spawn(move || {
            home.run(task);
        });
        home.registry.close(Cause::Shutdown);
        let aborted = home.registry.abort_some(8, &Cause::Shutdown);
        drop(aborted);
        worker.join().unwrap();
        home.drain();
        assert!(home.registry.is_empty());
        assert!(handle.is_finished());
        drop(handle);
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
    });
}
