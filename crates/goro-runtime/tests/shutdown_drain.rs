//! What a drain waits for besides guards: hooks, by priority, and queues.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/ending.rs"]
mod ending;

use ending::two_workers;
use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{DrainPolicy, block_on, spawn};
use goro_sync::channel;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

#[test]
fn hooks_run_by_priority_and_a_panic_holds_nobody_up() {
    let (runtime, shutdown) = two_workers();
    let order = Arc::new(Mutex::new(Vec::new()));
    for (priority, name) in [(0, "c"), (10, "a"), (-5, "d"), (5, "b")] {
        let order = order.clone();
        assert!(shutdown.on_drain(priority, move || async move {
            yield_now().await;
            // Hooks are guarded work.
            spawn(async move { order.lock().unwrap().push(name) }).await.unwrap();
            std::panic::resume_unwind(Box::new("a hook"));
        }));
    }
    let late = (shutdown.clone(), order.clone());
    shutdown.on_drain(20, move || async move {
        let (shutdown, order) = late;
        shutdown.on_drain(7, move || async move { order.lock().unwrap().push("late") });
    });
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert_eq!(*order.lock().unwrap(), ["a", "late", "b", "c", "d"]);
    assert_eq!((report.drained, report.aborted), (10, 0), "{report}");
    assert!(!shutdown.on_drain(1, || async { unreachable!("it is over") }));
}

/// They may hold the handle, and so each other.
#[test]
fn hooks_that_had_no_turn_are_dropped() {
    let (runtime, shutdown) = two_workers();
    let held = Arc::new(());
    shutdown.on_drain(1, pending);
    let kept = (shutdown.clone(), held.clone());
    shutdown.on_drain(0, move || async move { drop(kept) });
    shutdown.force("at once");
    let report = runtime.block_on(shutdown.wait());
    assert_eq!(report.aborted, 1, "the first: {report}");
    assert_eq!(Arc::strong_count(&held), 1, "{report:?}");
}

/// Pitfall 76: the teardown sends into a bounded channel that nobody reads. It is cut short like any other work.
#[test]
fn a_hook_that_waits_for_ever_is_cut_short() {
    let (runtime, shutdown) = two_workers();
    shutdown.set_policy(DrainPolicy::fixed(Duration::from_millis(20)));
    let (tx, rx) = channel::bounded(1);
    shutdown.on_drain(0, move || async move {
        for line in 0..3 {
            if tx.send(line).await.is_err() {
                return;
            }
        }
    });
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert!(report.timed_out && report.held.len() == 1, "{report}");
    assert_eq!((report.drained, report.aborted), (1, 0), "its send gave up: {report}");
    drop(rx);
}

#[test]
fn a_drain_waits_until_tracked_queues_are_empty() {
    let (runtime, shutdown) = two_workers();
    let (tx, rx) = channel::Builder::new().name("jobs").bounded(100);
    shutdown.track_queue(&tx);
    let gauge = Arc::new(AtomicUsize::new(1));
    let depth = gauge.clone();
    shutdown.track_depth("by hand", move || depth.load(Ordering::Relaxed));
    for value in 0..50 {
        tx.try_send(value).unwrap();
    }
    let done = Arc::new(AtomicUsize::new(0));
    // Not guarded itself: between two values only those that stand there hold the drain up.
    let consumer = runtime.spawn({
        let (shutdown, done) = (shutdown.clone(), done.clone());
        async move {
            shutdown.draining().await;
            while let Ok(_value) = rx.try_recv() {
                let _guard = shutdown.guard().unwrap();
                sleep(Duration::from_micros(100)).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
            gauge.store(0, Ordering::Relaxed);
        }
    });
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert!(block_on(consumer).is_ok());
    assert_eq!(done.load(Ordering::Relaxed), 50);
    let queues: Vec<_> =
        report.queues.iter().map(|queue| (&*queue.name, queue.before, queue.after)).collect();
    assert_eq!(queues, [("jobs", 50, 0), ("by hand", 1, 0)]);
    assert!(!report.timed_out);
    // A queue that is tracked is not kept: nobody reads any more.
    assert!(tx.is_closed());
}
