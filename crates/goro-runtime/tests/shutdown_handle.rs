//! An orderly end: its phases, who may still begin something, who is asked, and whose end it may be.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/ending.rs"]
mod ending;

use ending::{OnDrop, PATIENCE, park, two_workers};
use goro_runtime::task::{Cause, Policy, TaskGroup, yield_now};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{
    DrainPolicy, LocalRuntime, Phase, ShutdownHandle, block_on, spawn, spawn_blocking, spawn_local,
    spawn_many, task, try_spawn, try_spawn_blocking,
};
use goro_sync::{cancel, channel};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn an_end_goes_through_its_phases_and_nobody_is_left() {
    let (runtime, shutdown) = two_workers();
    assert_eq!(shutdown.phase(), Phase::Running);
    assert!(shutdown.report().is_none());
    let guard = shutdown.guard().unwrap();
    assert!(shutdown.initiate("first"));
    assert!(!shutdown.initiate("second"));
    assert_eq!(shutdown.phase(), Phase::Draining);
    assert_eq!(block_on(shutdown.draining()), Cause::new("first"));
    assert!(runtime.handle().is_shutting_down());
    drop(guard);
    let report = runtime.block_on(shutdown.wait());
    assert_eq!(shutdown.phase(), Phase::Stopped);
    assert_eq!(block_on(shutdown.terminating()), Cause::new("first"));
    assert_eq!(report.reason, Cause::new("first"));
    assert!(report.is_clean(), "{report}");
    assert_eq!(shutdown.guard().unwrap_err(), Cause::Shutdown);
    let late = runtime.handle().spawn(async {});
    assert_eq!(block_on(late).unwrap_err().cause(), Some(&Cause::Shutdown));
}

#[test]
fn while_it_drains_only_guarded_work_may_spawn() {
    let (runtime, shutdown) = two_workers();
    let guard = shutdown.guard().unwrap();
    shutdown.initiate("enough");
    runtime.block_on(async {
        assert_eq!(spawn(async {}).await.unwrap_err().cause(), Some(&Cause::Draining));
        let refused = try_spawn(async { 7 }).unwrap_err();
        assert!(refused.is_shutting_down());
        assert!(refused.to_string().contains("Guard::spawn"), "{refused}");
        assert_eq!(refused.into_future().await, 7);
        let named = task::Builder::new().name("named");
        assert!(named.try_spawn(async {}).is_err());
        assert!(named.spawn(async {}).await.is_err());
        assert!(spawn_many((0..2).map(|_| async {})).into_iter().all(|task| task.is_finished()));
        assert!(spawn_blocking(|| ()).await.is_err());
        assert!(try_spawn_blocking(|| ()).unwrap_err().is_shutting_down());
        let pinned = runtime.handle().spawn_pinned(0, || async {});
        assert_eq!(pinned.await.unwrap_err().cause(), Some(&Cause::Draining));

        // Through the guard, and from there on down.
        let tree = guard.spawn(async {
            assert!(spawn_local(async {}).await.is_ok());
            assert!(spawn_blocking(|| ()).await.is_ok());
            let many = spawn_many((0..10).map(|i| async move { i }));
            assert_eq!(many.len(), 10);
            let child = try_spawn(async { spawn(async { 3 }).await.unwrap() }).unwrap();
            child.await.unwrap()
        });
        assert_eq!(tree.await.unwrap(), 3);
        let scoped = shutdown.guard().unwrap().scope(async { spawn(async { 4 }).await });
        assert_eq!(scoped.await.unwrap(), 4);
        assert!(spawn(async {}).await.is_err(), "outside of the scope again");
    });
    drop(guard);
    let report = runtime.block_on(shutdown.wait());
    assert_eq!(report.aborted + report.abandoned, 0, "{report}");
    // The tree, a local one, a job, ten, a child and its child, the scoped one.
    assert_eq!(report.drained, 16, "{report}");
    assert_eq!(report.refused, 10, "{report}");
}

/// A task inside the tree of a guard that has been dropped long ago holds the drain up until it ends.
#[test]
fn a_drain_waits_for_the_whole_tree_of_guarded_work() {
    let (runtime, shutdown) = two_workers();
    let (go, gone) = channel::bounded::<()>(1);
    let ended = Arc::new(AtomicBool::new(false));
    let flag = ended.clone();
    let guard = shutdown.guard().unwrap();
    let root = guard.spawn(async move {
        drop(spawn(async move {
            let _ = gone.recv().await;
            flag.store(true, Ordering::Relaxed);
        }));
    });
    drop(guard);
    runtime.block_on(root).unwrap();
    shutdown.initiate("enough");
    assert_eq!(shutdown.phase(), Phase::Draining);
    go.try_send(()).unwrap();
    let report = runtime.block_on(shutdown.wait());
    assert!(ended.load(Ordering::Relaxed));
    assert_eq!((report.drained, report.aborted), (1, 0), "{report}");
}

/// The grace ends by itself, too.
#[test]
fn who_does_not_listen_is_dropped_when_the_grace_is_over() {
    let (runtime, shutdown) = two_workers();
    shutdown.set_grace(Duration::from_millis(20));
    let deaf = runtime.spawn(pending::<()>());
    park(&runtime, 1);
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert_eq!((report.drained, report.aborted), (0, 1), "{report}");
    assert!(!report.timed_out && !report.forced);
    assert_eq!(report.exit_code(), 0);
    assert_eq!(block_on(deaf).unwrap_err().cause(), Some(&Cause::Shutdown));
}

#[test]
fn a_task_is_told_why_it_is_to_end() {
    let (runtime, shutdown) = two_workers();
    let told = runtime.spawn(async { cancel::cancelled().await });
    let guarded = shutdown.guard().unwrap().spawn(async {
        // Asked all the same: a guard is no shield.
        cancel::cancelled().await
    });
    park(&runtime, 2);
    shutdown.set_policy(DrainPolicy::none());
    shutdown.initiate("the reason");
    let report = runtime.block_on(shutdown.wait());
    assert_eq!(block_on(told).unwrap(), Cause::new("the reason"));
    assert_eq!(block_on(guarded).unwrap(), Cause::new("the reason"));
    assert_eq!((report.drained, report.aborted), (2, 0), "{report}");
    assert!(report.timed_out, "the guard was out");
}

#[test]
fn an_end_may_begin_in_a_task_and_in_a_destructor() {
    for in_destructor in [false, true] {
        let (runtime, shutdown) = two_workers();
        shutdown.set_grace(Duration::from_millis(10));
        let begins = shutdown.clone();
        drop(runtime.spawn(async move {
            let begins = OnDrop(move || _ = begins.initiate("from inside"));
            if !in_destructor {
                drop(begins);
                pending::<()>().await;
            } else {
                yield_now().await;
            }
        }));
        let report = runtime.block_on(shutdown.wait());
        assert_eq!(report.reason, Cause::new("from inside"));
        assert_eq!(report.abandoned, 0);
    }
}

#[test]
fn who_waits_inside_a_task_is_ended_by_what_it_waits_for() {
    let (runtime, shutdown) = two_workers();
    shutdown.set_grace(Duration::from_millis(10));
    let inside = runtime.spawn({
        let shutdown = shutdown.clone();
        async move { shutdown.wait().await.drained }
    });
    shutdown.initiate("enough");
    let report = runtime.block_on(shutdown.wait());
    assert_eq!(report.aborted, 1, "{report}");
    assert!(block_on(inside).unwrap_err().is_cancelled());
}

#[test]
fn readiness_is_for_others_to_watch() {
    let (runtime, shutdown) = two_workers();
    let mut ready = shutdown.readiness();
    assert!(shutdown.is_ready() && *ready.borrow());
    shutdown.set_ready(false);
    assert!(!shutdown.is_ready());
    shutdown.set_ready(true);
    assert!(*ready.borrow_and_update());
    let guard = shutdown.guard().unwrap();
    shutdown.initiate("enough");
    assert!(ready.has_changed().unwrap() && !*ready.borrow_and_update());
    shutdown.set_ready(true);
    assert!(!shutdown.is_ready(), "there is no way back");
    drop(guard);
    runtime.block_on(shutdown.wait());
}

#[test]
fn a_local_runtime_ends_in_the_same_way() {
    let runtime = LocalRuntime::new().unwrap();
    let shutdown = runtime.handle().shutdown();
    shutdown.set_grace(PATIENCE);
    let report = runtime.block_on(async {
        let asked = spawn_local(async { cancel::cancelled().await });
        drop(spawn_local(pending::<()>()));
        let guard = shutdown.guard().unwrap();
        drop(guard.spawn(sleep(Duration::from_millis(2))));
        drop(guard);
        yield_now().await;
        shutdown.initiate("enough");
        assert!(spawn_local(async {}).await.is_err());
        assert!(asked.await.is_ok());
        shutdown.force("too slow");
        shutdown.wait().await
    });
    assert_eq!((report.drained, report.aborted, report.abandoned), (2, 1, 0), "{report}");
}

/// A part of a program ends in the same way, and the rest goes on.
#[test]
fn a_group_is_ended_by_itself() {
    let (runtime, of_runtime) = two_workers();
    let _inside = runtime.enter();
    let mut report = None;
    runtime.block_on(async {
        let (tx, rx) = channel::unbounded::<u8>();
        let result = TaskGroup::<(), Cause>::new()
            .policy(Policy::Supervise)
            .grace(PATIENCE)
            .run(async |group| {
                let shutdown = ShutdownHandle::of_group(&group);
                assert_eq!(ShutdownHandle::of_group(&group).phase(), Phase::Running);
                let before = group.spawn(async { Ok(()) });
                before.await.unwrap();
                while group.running() > 0 {
                    yield_now().await;
                }
                for _ in 0..3 {
                    let rx = rx.clone();
                    let asked =
                        async move { rx.recv().await.map(drop).map_err(|_| Cause::Cancelled) };
                    group.spawn(asked).await.unwrap();
                }
                group.spawn(pending()).await.unwrap();
                let guard = shutdown.guard().unwrap();
                shutdown.initiate("only this part");
                assert_eq!(group.spawn(async { Ok(()) }).await, Err(Cause::Draining));
                assert_eq!(group.try_spawn(async { Ok(()) }).unwrap_err().0, Cause::Draining);
                let more = guard.clone();
                more.scope(async { group.spawn(async { Ok(()) }).await.unwrap() }).await;
                drop(guard);
                cancel::shield(async {
                    while group.running() > 1 {
                        yield_now().await;
                    }
                    shutdown.force("too slow");
                    report = Some(shutdown.wait().await);
                })
                .await;
                tx.try_send(7).unwrap();
                Ok(())
            })
            .await;
        assert_eq!(result.unwrap_err().dropped, 1, "the one that did not listen");
    });
    let report = report.unwrap();
    assert_eq!((report.drained, report.aborted, report.refused), (4, 1, 2), "{report}");
    assert_eq!(report.reason, Cause::new("only this part"));
    assert_eq!(of_runtime.phase(), Phase::Running);
    assert!(runtime.block_on(runtime.spawn(async { 5 })).is_ok());
}
