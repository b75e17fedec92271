//! Panics, in each place where user code runs.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

#[path = "support/foreign.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod foreign;

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::task::{Poll, Waker};

use foreign::{Act, Bell};
use goro_context::Cause;
use goro_context::inherit::Head;
use goro_shim::global::Arc;
use goro_task::{Ending, JoinError, JoinHandle, Meta, Ran};
use home::Line;
use parts::{Gate, PanicsOnDrop, alive, panic_quietly, poll_once};

fn text_of(error: JoinError) -> &'static str {
    *error.into_panic().downcast::<&'static str>().unwrap()
}

#[test]
fn in_a_poll() {
    let home = Line::leak();
    let token = Arc::new(());
    let kept = token.clone();
    let (task, handle) = goro_task::spawn(
        async move {
            let _kept = kept;
            panic_quietly("in a poll")
        },
        home,
        Meta::OTHER,
    );
    assert!(matches!(task.run(home), Ran::Finished(Ending::Panicked)));
    assert_eq!(alive(&token), 0);
    let error: JoinError = home.block_on::<JoinHandle<()>>(handle).unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled() && error.cause().is_none());
    assert_eq!(text_of(error), "in a poll");
}

#[test]
fn the_error_says_which_task_and_what_it_said() {
    let home = Line::leak();
    let handle = home.spawn(async { resume_unwind(Box::new(String::from("shared text"))) });
    let id = handle.id();
    let error: JoinError = home.block_on::<JoinHandle<()>>(handle).unwrap_err();
    assert_eq!(error.to_string(), format!("task {id} (other) panicked: shared text"));
    assert_eq!((error.id(), error.kind()), (id, goro_context::Kind::OTHER));
    let handle = home.spawn(async { resume_unwind(Box::new(7_u8)) });
    let id = handle.id();
    let error: JoinError = home.block_on::<JoinHandle<()>>(handle).unwrap_err();
    assert_eq!(error.to_string(), format!("task {id} (other) panicked"));
    assert!(format!("{error:?}").contains("Panicked(None)"));
    assert_eq!(*error.into_panic().downcast::<u8>().unwrap(), 7);
    let handle = home.spawn(pending::<()>());
    handle.abort_with("no longer wanted".into());
    let id = handle.id();
    let error = home.block_on(handle).unwrap_err();
    assert_eq!(error.to_string(), format!("task {id} (other) was cancelled: no longer wanted"));
    let error = error.try_into_panic().unwrap_err();
    let misuse = catch_unwind(AssertUnwindSafe(|| error.into_panic())).unwrap_err();
    assert!(misuse.downcast_ref::<String>().unwrap().contains("no panic payload"));
}

/// A value whose future could not be dropped: the panic counts, the value is dropped.
#[test]
fn in_the_futures_destructor_after_the_value() {
    let home = Line::leak();
    let token = Arc::new(());
    let kept = token.clone();
    let bad = PanicsOnDrop("in the destructor");
    let handle = home.spawn(poll_fn(move |_| {
        let _captured = &bad;
        Poll::Ready(kept.clone())
    }));
    assert_eq!(text_of(home.block_on(handle).unwrap_err()), "in the destructor");
    assert_eq!(alive(&token), 0);
}

#[test]
fn in_the_futures_destructor_after_an_abort() {
    let home = Line::leak();
    let bad = PanicsOnDrop("in the destructor");
    let (task, handle) = goro_task::spawn(
        async move {
            let _bad = bad;
            pending::<()>().await;
        },
        home,
        Meta::OTHER,
    );
    handle.abort();
    assert!(matches!(task.run(home), Ran::Finished(Ending::Panicked)));
    assert_eq!(text_of(home.block_on(handle).unwrap_err()), "in the destructor");
    let bad = PanicsOnDrop("again");
    let (task, handle) = goro_task::spawn(async move { drop(bad) }, home, Meta::OTHER);
    assert_eq!(task.cancel(Cause::Shutdown), Ending::Panicked);
    assert_eq!(text_of(home.block_on(handle).unwrap_err()), "again");
}

/// Panics in the poll and then in the destructor: the first counts.
#[test]
fn in_the_poll_and_in_the_futures_destructor() {
    let home = Line::leak();
    let bad = PanicsOnDrop("second");
    let handle = home.spawn(poll_fn(move |_| -> Poll<()> {
        let _captured = &bad;
        panic_quietly("first")
    }));
    assert_eq!(text_of(home.block_on(handle).unwrap_err()), "first");
}

/// Pitfall 28: an output that panics when it is dropped, whoever drops it.
#[test]
fn in_the_outputs_destructor() {
    let home = Line::leak();
    let output = || PanicsOnDrop("output");
    // By the completer, the handle having left.
    drop(home.spawn(async move { output() }));
    assert_eq!(home.drain(), 1);
    // By the handle, unread.
    let handle = home.spawn(async move { output() });
    home.drain();
    drop(handle);
    // By whoever took it: that is the user's own doing.
    let handle = home.spawn(async move { output() });
    let taken = home.block_on(handle).unwrap();
    let theirs = catch_unwind(AssertUnwindSafe(|| drop(taken)));
    assert!(theirs.is_err());
    // With the future's destructor panicking too.
    let bad = PanicsOnDrop("future");
    let handle = home.spawn(poll_fn(move |_| {
        let _captured = &bad;
        Poll::Ready(output())
    }));
    assert_eq!(text_of(home.block_on(handle).unwrap_err()), "future");
}

/// A payload whose destructor panics, with such a payload again, whoever drops it.
#[test]
fn in_the_payloads_destructor() {
    /// Of no size, since the innermost payloads are leaked on purpose.
    struct Nested<const DEPTH: u8>;
    impl<const DEPTH: u8> Drop for Nested<DEPTH> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                return;
            }
            match DEPTH {
                0 => {}
                1 => resume_unwind(Box::new(Nested::<0>)),
                2 => resume_unwind(Box::new(Nested::<1>)),
                _ => resume_unwind(Box::new(Nested::<2>)),
            }
        }
    }
    fn nested<const DEPTH: u8>() {
        let home = Line::leak();
        // By the completer.
        let handle: JoinHandle<()> = home.spawn(async { resume_unwind(Box::new(Nested::<DEPTH>)) });
        drop(handle);
        home.drain();
        // By the handle, unread.
        let handle: JoinHandle<()> = home.spawn(async { resume_unwind(Box::new(Nested::<DEPTH>)) });
        home.drain();
        assert!(handle.is_finished());
        drop(handle);
        // By the task, whose first panic counts.
        let bad = Nested::<DEPTH>;
        let handle = home.spawn(poll_fn(move |_| -> Poll<()> {
            let _captured = &bad;
            panic_quietly("first")
        }));
        assert_eq!(text_of(home.block_on(handle).unwrap_err()), "first");
    }
    nested::<0>();
    nested::<1>();
    nested::<2>();
    nested::<3>();
}

#[test]
fn in_the_destructor_of_what_was_inherited() {
    let home = Line::leak();
    let inherit = Head::EMPTY.push(PanicsOnDrop("inherited")).push(PanicsOnDrop("too"));
    let (task, handle) = goro_task::spawn(async { 5 }, home, Meta { inherit, ..Meta::OTHER });
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    assert_eq!(home.block_on(handle).unwrap(), 5);
}

/// Pitfall 30: the joiner's waker panics; the task that ends has ended all the same.
#[test]
fn in_the_joiners_waker() {
    let home = Line::leak();
    for act in [Act::Wake, Act::Drop] {
        let bell = Bell::panicking_in(act);
        let mut handle = home.spawn(async { 6 });
        // The waker made here is the test's own, and leaked where its drop would panic.
        let waker = std::mem::ManuallyDrop::new(bell.waker());
        assert!(poll_once(&mut handle, &waker).is_pending());
        assert_eq!(home.drain(), 1);
        assert_eq!(bell.rings(), 1);
        assert_eq!(bell.alive(), 1, "only the leaked one is left");
        assert_eq!(home.block_on(handle).unwrap(), 6);
        release(&bell, waker);
    }
}

/// Pitfall 30: the joiner's waker panics as it is replaced, or when the handle goes.
#[test]
fn in_the_drop_of_the_joiners_waker() {
    let home = Line::leak();
    let (bad, good) = (Bell::panicking_in(Act::Drop), Bell::good());
    let waker = std::mem::ManuallyDrop::new(bad.waker());
    let mut handle = home.spawn(async { 6 });
    assert!(poll_once(&mut handle, &waker).is_pending());
    assert!(poll_once(&mut handle, &good.waker()).is_pending());
    assert_eq!((bad.alive(), good.alive()), (1, 1));
    assert!(poll_once(&mut handle, &waker).is_pending());
    assert_eq!((bad.alive(), good.alive()), (2, 0));
    drop(handle);
    assert_eq!((bad.alive(), home.drain()), (1, 1));
    release(&bad, waker);
}

/// Pitfall 30: the clone of the joiner's waker panics: that is its caller's panic, and the wait
/// that was registered before goes on.
#[test]
fn in_the_clone_of_the_joiners_waker() {
    let home = Line::leak();
    let (bad, good) = (Bell::panicking_in(Act::Clone), Bell::good());
    let mut handle = home.spawn(async { 6 });
    assert!(poll_once(&mut handle, &good.waker()).is_pending());
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut handle, &bad.waker())));
    assert!(polled.is_err());
    assert_eq!((bad.alive(), good.alive()), (0, 1));
    home.drain();
    assert_eq!(good.rings(), 1);
    assert_eq!(home.block_on(handle).unwrap(), 6);
}

/// Gives up a waker whose drop panics.
fn release(bell: &Arc<Bell>, waker: std::mem::ManuallyDrop<Waker>) {
    let waker = std::mem::ManuallyDrop::into_inner(waker);
    let _ = catch_unwind(AssertUnwindSafe(|| drop(waker)));
    assert_eq!(bell.alive(), 0);
}

/// Pitfall 34: one of a thousand tasks panics in its destructor; the others are dropped as well.
#[test]
fn one_destructor_that_panics_spares_the_others() {
    let home = Line::leak();
    let token = Arc::new(());
    let handles: Vec<_> = (0..1000)
        .map(|n| {
            let kept = token.clone();
            let bad = (n % 10 == 3).then(|| PanicsOnDrop("every tenth"));
            home.spawn(async move {
                let _kept = (kept, bad);
                pending::<()>().await;
            })
        })
        .collect();
    home.drain();
    for handle in &handles {
        handle.abort();
    }
    home.drain();
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
    let panicked = handles.into_iter().map(|h| home.block_on(h).unwrap_err());
    assert_eq!(panicked.filter(JoinError::is_panic).count(), 100);
}

/// Pitfall 37: at shutdown every task panics in its destructor, while the thread that drops them is
/// unwinding from a panic of its own.
#[test]
fn every_destructor_panics_while_the_thread_unwinds() {
    struct PanicsAnyway {
        _token: Arc<()>,
    }
    impl Drop for PanicsAnyway {
        fn drop(&mut self) {
            resume_unwind(Box::new("anyway"));
        }
    }
    let home = Line::leak();
    let token = Arc::new(());
    let handles: Vec<_> = (0..100)
        .map(|_| {
            let bad = PanicsAnyway { _token: token.clone() };
            home.spawn(async move {
                let _bad = &bad;
                pending::<()>().await;
            })
        })
        .collect();
    home.drain();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _aborted = home.registry_of().abort_some(usize::MAX, &Cause::Shutdown);
        panic_quietly("the thread's own");
    }));
    assert_eq!(*unwound.unwrap_err().downcast::<&'static str>().unwrap(), "the thread's own");
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
    for handle in handles {
        assert_eq!(text_of(home.block_on(handle).unwrap_err()), "anyway");
    }
}

/// Pitfall 38: ten thousand panics leave whoever runs the tasks unharmed.
#[test]
fn ten_thousand_panics() {
    let home = Line::leak();
    for n in 0..10_000 {
        let handle: JoinHandle<()> = home.spawn(async move { resume_unwind(Box::new(n)) });
        let error = home.block_on(handle).unwrap_err();
        assert_eq!(*error.into_panic().downcast::<i32>().unwrap(), n);
    }
}

/// A task that panicked is not polled again, whoever still wakes it.
#[test]
fn a_task_that_panicked_is_over() {
    let home = Line::leak();
    let gate = Gate::default();
    let waits = gate.clone();
    let handle: JoinHandle<()> = home.spawn(async move {
        waits.await;
        panic_quietly("once")
    });
    home.drain();
    let waker = gate.waker().unwrap();
    let kept = waker.clone();
    gate.open();
    waker.wake();
    home.drain();
    kept.wake();
    assert_eq!(home.drain(), 0);
    assert!(home.block_on(handle).unwrap_err().is_panic());
}

/// With the panic hook, as users write it.
#[test]
fn a_panic_with_any_payload_is_given_back() {
    let home = Line::leak();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let handle: JoinHandle<()> = home.spawn(async { panic_any(vec![1, 2]) });
    let error = home.block_on(handle).unwrap_err();
    std::panic::set_hook(before);
    assert_eq!(*error.into_panic().downcast::<Vec<i32>>().unwrap(), [1, 2]);
}
