//! An orderly end among what it does not own: gauges that panic or say anything, hooks that come at the last
//! moment, a group that has gone.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, TaskGroup, yield_now};
use goro_runtime::time::Duration;
use goro_runtime::{Builder, DrainPolicy, Guard, Runtime, ShutdownHandle};
use goro_sync::{CancellationToken, Event, cancel};
use std::cell::Cell;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Longer than any machine stands still.
const PATIENCE: Duration = Duration::from_secs(3600);

fn runtime() -> (Runtime, ShutdownHandle) {
    let runtime = Builder::new().workers(1).build().unwrap();
    let shutdown = runtime.handle().shutdown();
    shutdown.set_policy(DrainPolicy::fixed(PATIENCE));
    shutdown.set_grace(PATIENCE);
    (runtime, shutdown)
}

/// Whenever it begins to: as the drain begins, or later.
#[test]
fn a_gauge_that_panics_holds_nobody_up() {
    for after in 0..4 {
        let (runtime, shutdown) = runtime();
        let looks = AtomicUsize::new(0);
        shutdown.track_depth("broken", move || {
            let look = looks.fetch_add(1, Ordering::Relaxed);
            if look >= after { resume_unwind(Box::new("a gauge")) } else { 1 }
        });
        assert!(shutdown.initiate("enough"));
        let report = runtime.block_on(shutdown.wait());
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.queues[0].before, report.queues[0].after), (after.min(1), 0));
    }
}

#[test]
fn gauges_may_say_anything() {
    let (runtime, shutdown) = runtime();
    let most = Duration::from_millis(20);
    shutdown.set_policy(DrainPolicy::adaptive(most, most, Duration::ZERO));
    let looks = AtomicUsize::new(0);
    let wild = move || [usize::MAX, 0][looks.fetch_add(1, Ordering::Relaxed) % 2];
    shutdown.track_depth("wild", wild);
    shutdown.track_depth("full", || usize::MAX);
    shutdown.track_depth("fuller", || usize::MAX);
    let guard = shutdown.guard().unwrap();
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert!(report.timed_out, "{report}");
    assert_eq!((report.held.len(), report.queues[2].after), (1, usize::MAX));
    drop(guard);
}

/// Also when the drain is just over: between any two of its looks, and within the last one.
#[test]
fn a_hook_that_was_taken_has_its_turn() {
    for at in 0..6 {
        let (runtime, shutdown) = runtime();
        let (taken, ran) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (looks, adds) = (AtomicUsize::new(0), shutdown.clone());
        let (counted, runs) = (taken.clone(), ran.clone());
        shutdown.track_depth("adds one", move || {
            if looks.fetch_add(1, Ordering::Relaxed) == at {
                let runs = runs.clone();
                let hook = || async move { _ = runs.fetch_add(1, Ordering::Relaxed) };
                counted.fetch_add(usize::from(adds.on_drain(0, hook)), Ordering::Relaxed);
            }
            0
        });
        shutdown.initiate("enough");
        let report = runtime.block_on(shutdown.wait());
        assert!(report.is_clean(), "{report}");
        assert_eq!(ran.load(Ordering::Relaxed), taken.load(Ordering::Relaxed), "look {at}");
        assert!(at > 2 || taken.load(Ordering::Relaxed) == 1, "while it drains");
    }
}

/// The last guard of a group leaves when there is no group any more.
#[test]
fn a_group_that_has_gone_has_a_report() {
    let (runtime, _) = runtime();
    let report = runtime.block_on(async {
        let mut kept = None;
        let result = TaskGroup::<(), Cause>::new()
            .run(async |group| {
                let shutdown = ShutdownHandle::of_group(&group);
                shutdown.set_policy(DrainPolicy::fixed(PATIENCE));
                group.spawn(async { Ok(()) }).await.unwrap();
                while group.running() > 0 {
                    yield_now().await;
                }
                let guard = shutdown.guard().unwrap();
                shutdown.initiate("only this part");
                let another = guard.clone();
                another.scope(async { group.spawn(async { Ok(()) }).await.unwrap() }).await;
                kept = Some((shutdown, guard));
                Ok(())
            })
            .await;
        assert!(result.is_ok());
        let (shutdown, guard) = kept.unwrap();
        drop(guard);
        shutdown.wait().await
    });
    assert_eq!((report.drained, report.aborted, report.abandoned), (1, 0, 0), "{report}");
    assert!(report.is_clean());
}

/// A hook is work of its own: what happens to whoever begins the end, or is the last to leave, is not its concern.
#[test]
fn a_hook_inherits_nothing_from_whoever_starts_it() {
    let (runtime, shutdown) = runtime();
    let (token, cancelled) = (CancellationToken::new(), Arc::new(Event::new()));
    let (seen, waits) = (Arc::new(AtomicUsize::new(0)), cancelled.clone());
    let sees = seen.clone();
    shutdown.on_drain(0, move || async move {
        waits.wait().await;
        sees.store(1 + usize::from(cancel::current().is_cancelled()), Ordering::Relaxed);
    });
    runtime.block_on(token.scope(async { shutdown.initiate("enough") }));
    token.cancel();
    cancelled.set();
    let report = runtime.block_on(shutdown.wait());
    assert!(report.is_clean(), "{report}");
    assert_eq!(seen.load(Ordering::Relaxed), 1, "it ran, and nobody has cancelled it");
}

/// When nothing of a thread is there any more but what it leaves behind.
#[test]
fn a_guard_may_leave_as_its_thread_ends() {
    thread_local! {
        static LEFT: Cell<Option<Guard>> = const { Cell::new(None) };
    }
    let (runtime, shutdown) = runtime();
    let guard = shutdown.guard().unwrap();
    shutdown.initiate("enough");
    std::thread::spawn(move || LEFT.set(Some(guard))).join().unwrap();
    let report = runtime.block_on(shutdown.wait());
    assert!(report.is_clean(), "{report}");
}
