//! An orderly end: who may still begin something, who is waited for, and that the report says what happened.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, Policy, TaskGroup, yield_now};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{
    Builder, DrainPolicy, Held, LocalRuntime, Phase, Runtime, ShutdownHandle, block_on, spawn,
    spawn_blocking, spawn_local, spawn_many, task, try_spawn, try_spawn_blocking,
};
use goro_sync::{cancel, channel};
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

struct OnDrop<F: FnMut()>(F);
impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Longer than any machine stands still.
const PATIENCE: Duration = Duration::from_secs(3600);

fn two_workers() -> (Runtime, ShutdownHandle) {
    let runtime = Builder::new().workers(2).build().unwrap();
    let shutdown = runtime.handle().shutdown();
    shutdown.set_policy(DrainPolicy::fixed(PATIENCE));
    shutdown.set_grace(PATIENCE);
    (runtime, shutdown)
}

fn park(runtime: &Runtime, tasks: usize) {
    while runtime.metrics().tasks_parked < tasks {
        std::thread::yield_now();
    }
}

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

/// Spawns from everywhere race the beginning of the end: each is run, aborted or refused, and counted so.
#[test]
fn spawns_that_race_the_end_are_all_accounted_for() {
    for round in 0..50 {
        let (runtime, shutdown) = two_workers();
        shutdown.set_grace(Duration::from_millis(1));
        let handle = runtime.handle().clone();
        let spawner = std::thread::spawn(move || {
            let tasks: Vec<_> = (0..300)
                .map(|i| match i % 3 {
                    0 => handle.spawn(async {}),
                    1 => handle.spawn(pending::<()>()),
                    _ => handle.spawn(async { drop(spawn(yield_now())) }),
                })
                .collect();
            tasks.into_iter().map(block_on).filter(Result::is_err).count() as u64
        });
        for _ in 0..round * 20 {
            std::hint::spin_loop();
        }
        shutdown.initiate("enough");
        let report = runtime.block_on(shutdown.wait());
        assert_eq!(report.abandoned, 0, "{report}");
        assert!(report.aborted <= 300 && report.refused <= 400, "{report}");
        drop(runtime);
        assert!(spawner.join().unwrap() >= 100, "the third that waits for ever");
    }
}

/// Pitfall 92: over many rounds no wake-up of the end is lost. `GORO_SHUTDOWN_ROUNDS` says how many.
#[test]
fn rounds_of_start_load_and_end_leave_nothing() {
    let rounds = std::env::var("GORO_SHUTDOWN_ROUNDS").ok().and_then(|n| n.parse().ok());
    for round in 0..rounds.unwrap_or(200_u32) {
        let (runtime, shutdown) = two_workers();
        shutdown.set_grace(Duration::ZERO);
        let alive = Arc::new(());
        for i in 0..16 {
            let (held, guard) = (alive.clone(), shutdown.guard().unwrap());
            let task = async move {
                let _held = held;
                for _ in 0..i % 4 {
                    yield_now().await;
                }
                if i % 5 == 0 {
                    pending::<()>().await;
                }
            };
            if i % 5 == 0 { drop(runtime.spawn(task)) } else { drop(guard.spawn(task)) }
        }
        for _ in 0..round % 100 * 10 {
            std::hint::spin_loop();
        }
        shutdown.initiate("enough");
        let report = runtime.block_on(shutdown.wait());
        assert_eq!(report.abandoned, 0, "{report}");
        assert!(!report.timed_out, "{report}");
        assert_eq!(Arc::strong_count(&alive), 1, "round {round}: {report}");
    }
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
