//! What is said of an end: who has ended how, who was slow, who is left behind.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/ending.rs"]
mod ending;

use ending::{OnDrop, PATIENCE, park, two_workers};
use goro_runtime::task::Cause;
use goro_runtime::time::Duration;
use goro_runtime::{Builder, DrainPolicy, Held, block_on, task};
use goro_sync::{cancel, channel};
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

#[test]
fn the_report_counts_who_has_ended_how() {
    let (runtime, shutdown) = two_workers();
    let (_tx, rx) = channel::bounded::<u8>(1);
    let mut asked = Vec::new();
    // Ends by itself when it is asked to.
    for _ in 0..10 {
        let rx = rx.clone();
        asked.push(runtime.spawn(async move { assert!(rx.recv().await.is_err()) }));
    }
    for _ in 0..3 {
        asked.push(runtime.spawn(async {
            cancel::cancelled().await;
            std::panic::resume_unwind(Box::new("asked"));
        }));
    }
    // Does not.
    for _ in 0..5 {
        drop(runtime.spawn(pending::<()>()));
    }
    let before = runtime.spawn(async {});
    runtime.block_on(before).unwrap();
    park(&runtime, 18);
    shutdown.initiate("enough");
    let panicked = asked.into_iter().map(block_on).filter(Result::is_err).count();
    assert_eq!(panicked, 3);
    shutdown.force("too slow");
    let report = runtime.block_on(shutdown.wait());
    assert_eq!((report.drained, report.aborted, report.abandoned), (13, 5, 0), "{report}");
    assert!(!report.timed_out && report.forced && report.held.is_empty());
    // The last one may have been seen as it was dropped, which is in a poll.
    assert!(matches!(report.slowest.unwrap().what, Held::Task | Held::Poll));
}

#[test]
fn when_time_is_up_the_report_names_who_was_out() {
    let (runtime, shutdown) = two_workers();
    shutdown.set_policy(DrainPolicy::fixed(Duration::from_millis(20)));
    shutdown.set_grace(Duration::from_millis(10));
    let main = shutdown.guard().unwrap();
    let line = line!() - 1;
    let named = main.spawn_named("never done", {
        let shutdown = shutdown.clone();
        async move {
            let _guard = shutdown.guard().unwrap();
            pending::<()>().await;
        }
    });
    park(&runtime, 1);
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert!(report.timed_out && !report.is_clean());
    assert_eq!(report.exit_code(), 1);
    // Two of the test's own guard, one taken by the task.
    assert_eq!(report.held.len(), 3, "{report}");
    assert!(report.held.iter().all(|held| held.what == Held::Guard));
    assert_eq!((report.held[0].site.line(), report.held[0].task), (line, None));
    let taken = report.held.iter().find(|held| held.task == Some(named.id())).unwrap();
    assert_eq!(taken.name, "never done");
    assert_eq!((report.drained, report.aborted), (0, 1), "{report}");
    drop(main);
}

#[test]
fn the_slowest_guard_is_named() {
    let (runtime, shutdown) = two_workers();
    let quick = shutdown.guard().unwrap();
    let slow = shutdown.guard().unwrap();
    let line = line!() - 1;
    shutdown.initiate("enough");
    drop(quick);
    drop(slow);
    let report = runtime.block_on(shutdown.wait());
    let slowest = report.slowest.unwrap();
    assert_eq!((slowest.what, slowest.site.line()), (Held::Guard, line));
}

#[test]
fn a_forced_end_waits_for_nobody() {
    let (runtime, shutdown) = two_workers();
    shutdown.set_grace(PATIENCE);
    let guard = shutdown.guard().unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let dropped = dropped.clone();
        let guard = OnDrop(move || _ = dropped.fetch_add(1, Ordering::Relaxed));
        drop(runtime.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        }));
    }
    park(&runtime, 100);
    shutdown.initiate("first");
    shutdown.force("second");
    let report = runtime.block_on(shutdown.wait());
    assert!(report.forced && !report.timed_out);
    assert_eq!((report.aborted, report.reason), (100, Cause::new("first")));
    assert_eq!(dropped.load(Ordering::Relaxed), 100);
    drop(guard);
}

/// A poll that does not end, and a blocking job: named, and not waited for by the exit.
#[test]
fn who_cannot_be_ended_is_named_and_does_not_hold_the_exit() {
    let (runtime, shutdown) = two_workers();
    shutdown.set_grace(Duration::ZERO);
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let (began, begun) = mpsc::channel();
    let stuck = task::Builder::new();
    let inside = runtime.enter();
    let poll = stuck.name("stuck poll").spawn({
        let (released, began) = (released.clone(), began.clone());
        async move {
            began.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        }
    });
    let job = stuck.name("stuck job").spawn_blocking(move || {
        began.send(()).unwrap();
        let _ = released.lock().unwrap().recv();
    });
    begun.recv().unwrap();
    begun.recv().unwrap();
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert_eq!((report.abandoned, report.drained, report.aborted), (2, 0, 0), "{report}");
    let mut left: Vec<_> = report.left.iter().map(|left| (left.what, left.name)).collect();
    left.sort_by_key(|(_, name)| *name);
    assert_eq!(left, [(Held::Job, "stuck job"), (Held::Poll, "stuck poll")]);
    assert_eq!(report.left.iter().filter(|left| left.task == Some(poll.id())).count(), 1);
    drop(inside);
    drop(runtime); // It comes back while both go on.
    drop(release);
    assert!(block_on(job).is_ok());
    assert!(block_on(poll).is_ok());
}

/// Pitfall 73's kin: a job that no thread has begun is cancelled, says so, and is counted.
#[test]
fn jobs_that_have_not_begun_are_aborted() {
    let runtime = Builder::new().workers(1).blocking_threads(1).build().unwrap();
    let shutdown = runtime.handle().shutdown();
    let (began, begun) = mpsc::channel();
    let running = runtime.spawn_blocking(move || {
        began.send(()).unwrap();
        while !goro_runtime::blocking::is_cancelled() {
            std::thread::yield_now();
        }
    });
    begun.recv().unwrap();
    let waiting: Vec<_> = (0..3).map(|_| runtime.spawn_blocking(|| ())).collect();
    shutdown.force("enough");
    let report = runtime.block_on(shutdown.wait());
    let ends: Vec<_> = waiting.into_iter().map(block_on).collect();
    assert_eq!(report.aborted, ends.iter().filter(|end| end.is_err()).count() as u64, "{report}");
    // It has stopped in time, or was left behind; either is said.
    assert_eq!(report.drained + report.aborted + report.abandoned, 4, "{report}");
    assert!(block_on(running).is_ok());
}

#[test]
fn a_runtime_that_is_dropped_has_a_report_too() {
    let (runtime, shutdown) = two_workers();
    for _ in 0..10 {
        drop(runtime.spawn(pending::<()>()));
    }
    park(&runtime, 10);
    let guard = shutdown.guard().unwrap();
    drop(runtime);
    let report = block_on(shutdown.wait());
    assert!(report.forced);
    assert_eq!((report.aborted, report.abandoned, report.held.len()), (10, 0, 1), "{report}");
    assert_eq!(report.reason, Cause::Shutdown);
    drop(guard);
    // And so has one whose handle is asked for when all is over, or just as it ends.
    for spins in 0..200 {
        let runtime = Builder::new().workers(1).build().unwrap();
        let handle = runtime.handle().clone();
        let asks = std::thread::spawn(move || block_on(handle.shutdown().wait()).abandoned);
        (0..spins * 50).for_each(|_| std::hint::spin_loop());
        drop(runtime);
        assert_eq!(asks.join().unwrap(), 0);
    }
}
