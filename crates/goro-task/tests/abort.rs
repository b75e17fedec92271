//! Aborting a task, in each of its states.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

use std::future::pending;
use std::task::Waker;

use goro_context::Cause;
use goro_shim::global::{Arc, Lock};
use goro_shim::thread;
use goro_task::{AbortHandle, Ending, JoinHandle, Meta, Ran};
use home::Line;
use parts::{Gate, Yield, alive, poll_once};

fn cause_of<T>(home: &'static Line, handle: JoinHandle<T>) -> Option<Cause> {
    home.block_on(handle).err().and_then(|error| error.cause().cloned())
}

#[test]
fn a_queued_task_is_dropped_unpolled() {
    let home = Line::leak();
    let token = Arc::new(());
    let gate = Gate::default();
    let (kept, polled) = (token.clone(), gate.clone());
    let handle = home.spawn(async move {
        polled.await;
        kept
    });
    handle.abort();
    assert_eq!(alive(&token), 1, "an abort drops nothing itself");
    assert_eq!(home.drain(), 1);
    assert_eq!((alive(&token), gate.polls()), (0, 0));
    assert_eq!(cause_of(home, handle), Some(Cause::Aborted));
}

#[test]
fn a_parked_task_is_scheduled_to_be_dropped() {
    let home = Line::leak();
    let token = Arc::new(());
    let gate = Gate::default();
    let (kept, polled) = (token.clone(), gate.clone());
    let handle = home.spawn(async move {
        polled.await;
        kept
    });
    home.drain();
    handle.abort();
    // Pitfall 24: further aborts and wakes do not queue it again.
    handle.abort();
    gate.waker().unwrap().wake();
    assert_eq!(alive(&token), 1);
    assert_eq!(home.drain(), 1);
    assert_eq!((alive(&token), gate.polls()), (0, 1));
    assert_eq!(cause_of(home, handle), Some(Cause::Aborted));
}

#[test]
fn a_task_that_aborts_itself_is_dropped_instead_of_polled_again() {
    let home = Line::leak();
    let own: Arc<Lock<Option<AbortHandle>>> = Arc::default();
    let inside = own.clone();
    let handle = home.spawn(async move {
        inside.lock().as_ref().unwrap().abort_with(Cause::new("enough"));
        pending::<()>().await;
    });
    *own.lock() = Some(handle.abort_handle());
    let Ran::Again(task) = home.next().unwrap().run(home) else { panic!("the abort woke it") };
    assert!(matches!(task.run(home), Ran::Finished(Ending::Cancelled)));
    assert_eq!(cause_of(home, handle), Some(Cause::new("enough")));
}

/// A task aborted in its last poll has ended with its value.
#[test]
fn an_abort_during_the_last_poll_comes_too_late() {
    let home = Line::leak();
    let own: Arc<Lock<Option<AbortHandle>>> = Arc::default();
    let inside = own.clone();
    let handle = home.spawn(async move {
        inside.lock().as_ref().unwrap().abort_with(Cause::new("too late"));
        "done"
    });
    *own.lock() = Some(handle.abort_handle());
    assert_eq!(home.block_on(handle).unwrap(), "done");
}

#[test]
fn an_ended_task_keeps_its_output() {
    let home = Line::leak();
    let handle = home.spawn(async { "kept" });
    home.drain();
    handle.abort();
    assert_eq!(home.drain(), 0);
    assert_eq!(home.block_on(handle).unwrap(), "kept");
}

#[test]
fn the_first_cause_counts() {
    let home = Line::leak();
    let all = [
        Cause::Aborted,
        Cause::Cancelled,
        Cause::Deadline,
        Cause::Shutdown,
        Cause::Refused,
        Cause::Limit,
        Cause::new("in words"),
        Cause::Panicked("elsewhere".into()),
    ];
    for cause in all {
        let handle = home.spawn(pending::<()>());
        let other = handle.abort_handle();
        handle.abort_with(cause.clone());
        other.abort_with(Cause::new("second"));
        handle.abort();
        assert_eq!(cause_of(home, handle), Some(cause));
    }
}

#[test]
fn an_abort_handle_outlives_the_task_and_every_other_handle() {
    let home = Line::leak();
    let handle = home.spawn(pending::<()>());
    let (first, second) = (handle.abort_handle(), handle.abort_handle().clone());
    let id = handle.id();
    home.drain();
    drop(handle);
    assert!(!first.is_finished());
    first.abort();
    home.drain();
    assert!(first.is_finished() && second.is_finished());
    drop(first);
    second.abort();
    assert_eq!(second.id(), id);
}

/// Pitfall 29: on a plain thread, where no runtime is entered.
#[test]
fn an_abort_from_anywhere() {
    let home = Line::leak();
    let handle = home.spawn(pending::<()>());
    home.drain();
    let abort = handle.abort_handle();
    thread::start("plain".into(), None, move || abort.abort()).unwrap().join().unwrap();
    assert_eq!(cause_of(home, handle), Some(Cause::Aborted));
}

#[test]
fn a_handle_that_aborts_on_drop() {
    let home = Line::leak();
    let token = Arc::new(());
    let kept = token.clone();
    let handle = home.spawn(async move {
        pending::<()>().await;
        drop(kept);
    });
    let handle = handle.abort_on_drop();
    home.drain();
    assert!(!handle.handle().is_finished());
    drop(handle);
    assert_eq!(home.drain(), 1);
    assert_eq!(alive(&token), 0);
}

#[test]
fn a_handle_that_aborts_on_drop_joins_as_well() {
    let home = Line::leak();
    let handle = home.spawn(async { 4 }).abort_on_drop();
    assert_eq!(home.block_on(handle).unwrap(), 4);
}

#[test]
fn a_handle_that_no_longer_aborts_on_drop() {
    let home = Line::leak();
    let gate = Gate::default();
    let mut handle = home.spawn(gate.clone()).abort_on_drop().detach();
    assert!(poll_once(&mut handle, Waker::noop()).is_pending());
    let abort = handle.abort_handle();
    drop(handle);
    home.drain();
    gate.open();
    home.drain();
    assert_eq!((gate.polls(), abort.is_finished()), (2, true));
}

#[test]
fn a_runnable_dropped_or_cancelled_cancels() {
    let home = Line::leak();
    let (task, handle) = goro_task::spawn(pending::<()>(), home, Meta::OTHER);
    drop(task);
    assert_eq!(cause_of(home, handle), Some(Cause::Cancelled));
    let (task, handle) = goro_task::spawn(pending::<()>(), home, Meta::OTHER);
    assert_eq!(task.cancel(Cause::Shutdown), Ending::Cancelled);
    assert_eq!(cause_of(home, handle), Some(Cause::Shutdown));
    // Dropped after an abort: the abort's cause counts.
    let (task, handle) = goro_task::spawn(pending::<()>(), home, Meta::OTHER);
    handle.abort_with(Cause::Deadline);
    drop(task);
    assert_eq!(cause_of(home, handle), Some(Cause::Deadline));
}

/// A task cancelled after it had parked leaves its registry.
#[test]
fn a_listed_task_that_is_cancelled_is_unlisted() {
    let home = Line::leak();
    let gate = Gate::default();
    let _handle = home.spawn(gate.clone());
    home.drain();
    assert_eq!(home.registry_of().len(), 1);
    gate.waker().unwrap().wake();
    drop(home.next());
    assert_eq!(home.registry_of().len(), 0);
}

#[test]
fn aborts_and_wakes_from_many_threads_end_each_task_once() {
    let home = Line::leak();
    let token = Arc::new(());
    for _ in 0..300 {
        let kept = token.clone();
        let gate = Gate::default();
        let waits = gate.clone();
        let handle = home.spawn(async move {
            let _kept = kept;
            waits.await;
            Yield::default().await;
        });
        home.drain();
        let waker = gate.waker().unwrap();
        let abort = handle.abort_handle();
        let aborter = thread::start("aborter".into(), None, move || abort.abort()).unwrap();
        let wakes = thread::start("waker".into(), None, move || {
            waker.wake_by_ref();
            home.drain();
            waker.wake();
        })
        .unwrap();
        home.drain();
        aborter.join().unwrap();
        wakes.join().unwrap();
        assert_eq!(cause_of(home, handle), Some(Cause::Aborted));
    }
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
}
