//! Tasks that stay on their thread: polled and dropped there, whoever wakes or aborts them.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{AbortHandle, Cause, JoinHandle, yield_now};
use goro_runtime::time::{Duration, sleep, timeout};
use goro_runtime::{
    BuildError, Builder, LocalRuntime, Runtime, block_on, spawn, spawn_blocking, spawn_local,
    try_block_on, try_spawn_local,
};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;

#[path = "support/places.rs"]
mod places;
use places::{Places, noted};

const LONG: Duration = Duration::from_secs(20);

fn local() -> LocalRuntime {
    LocalRuntime::new().unwrap()
}

fn pool(workers: usize) -> Runtime {
    Builder::new().workers(workers).build().unwrap()
}

fn cause<T>(handle: JoinHandle<T>) -> Option<Cause> {
    block_on(handle).err().and_then(|error| error.cause().cloned())
}

#[test]
fn what_cannot_be_sent_runs_beside_timers_and_jobs() {
    let runtime = local();
    let sum = Rc::new(Cell::new(0));
    let total = runtime.block_on(async {
        let tasks: Vec<_> = (1..=100_u64)
            .map(|n| {
                let sum = sum.clone();
                spawn_local(async move {
                    sleep(Duration::from_micros(n % 7 * 100)).await;
                    sum.set(sum.get() + n);
                    Rc::new(n)
                })
            })
            .collect();
        let sent = spawn(async { spawn_blocking(|| 3).await.unwrap() });
        let mut total = 0;
        for task in tasks {
            total += *task.await.unwrap();
        }
        assert!(timeout(Duration::from_millis(1), pending::<()>()).await.is_err());
        total + sent.await.unwrap()
    });
    assert_eq!((total, sum.get()), (5_053, 5_050));
    let metrics = runtime.metrics();
    assert_eq!((metrics.workers.len(), metrics.tasks_live, metrics.tasks_spawned), (1, 0, 101));
}

#[test]
fn it_is_one_thread() {
    let here = thread::current().id();
    let runtime = local();
    let on = runtime.block_on(async {
        let on: Vec<_> = (0..20)
            .map(|n| {
                let on = async move {
                    yield_now().await;
                    thread::current().id()
                };
                if n % 2 == 0 { spawn(on) } else { spawn_local(on) }
            })
            .collect();
        let mut threads = Vec::new();
        for task in on {
            threads.push(task.await.unwrap());
        }
        threads
    });
    assert!(on.iter().all(|&thread| thread == here));
}

/// Pitfall 21: aborted from another thread, it is dropped on its own.
#[test]
fn an_abort_from_elsewhere_drops_the_future_here() {
    let here = thread::current().id();
    let runtime = local();
    let places = Places::default();
    let task = runtime.spawn_local(noted(&places));
    // Parked by then.
    runtime.block_on(yield_now());
    let abort = task.abort_handle();
    thread::spawn(move || abort.abort_with(Cause::new("from afar"))).join().unwrap();
    assert!(!task.is_finished(), "its thread is not inside block_on");
    places.are(&[]);
    let error = runtime.block_on(task).unwrap_err();
    assert_eq!(error.cause(), Some(&Cause::new("from afar")));
    places.are(&[here]);
}

/// Pitfall 56: whoever ran them is gone, and the queue strands what stands in it.
#[test]
fn dropped_while_it_waits_for_others_the_runtime_drops_them_here() {
    let here = thread::current().id();
    let runtime = local();
    let places = Places::default();
    let parked: Vec<_> = (0..50).map(|_| runtime.spawn_local(noted(&places))).collect();
    runtime.block_on(yield_now());
    let unborn: Vec<_> = (0..50).map(|_| runtime.spawn_local(noted(&places))).collect();
    let sent = runtime.handle().spawn(pending::<()>());
    let handle = runtime.handle().clone();
    drop(runtime);
    places.are(&[here; 100]);
    for task in parked.into_iter().chain(unborn) {
        assert_eq!(cause(task), Some(Cause::Shutdown));
    }
    assert_eq!(cause(sent), Some(Cause::Shutdown));
    assert!(handle.is_shutting_down());
    assert_eq!(handle.metrics().tasks_live, 0);
    assert_eq!(cause(handle.spawn(async {})), Some(Cause::Shutdown));
}

/// Wakes from other threads, while it sleeps in the reactor and while it runs, are all seen.
#[test]
fn wakes_from_elsewhere_reach_it() {
    let runtime = local();
    for round in 0..500 {
        let (sender, wakers) = mpsc::channel::<Waker>();
        let woken = Arc::new(AtomicUsize::new(0));
        let flag = woken.clone();
        let waker = thread::spawn(move || {
            let waker = wakers.recv().unwrap();
            for _ in 0..round % 50 * 20 {
                std::hint::spin_loop();
            }
            flag.store(1, Ordering::SeqCst);
            waker.wake();
        });
        let task = runtime.spawn_local(poll_fn(move |cx| {
            let _ = sender.send(cx.waker().clone());
            if woken.load(Ordering::SeqCst) == 1 { Poll::Ready(round) } else { Poll::Pending }
        }));
        let answer = runtime.block_on(async { timeout(LONG, task).await });
        assert_eq!(answer.expect("a wake was lost").unwrap(), round);
        waker.join().unwrap();
    }
}

#[test]
fn other_threads_spawn_through_its_handle() {
    let runtime = local();
    let handle = runtime.handle().clone();
    let here = thread::current().id();
    let spawner = thread::spawn(move || {
        let tasks: Vec<_> =
            (0..100).map(|_| handle.spawn(async { thread::current().id() })).collect();
        tasks.into_iter().map(|task| block_on(task).unwrap()).collect::<Vec<_>>()
    });
    let (done, finished) = mpsc::channel();
    let watcher = thread::spawn(move || {
        let on = spawner.join().unwrap();
        done.send(on).unwrap();
    });
    let on = runtime.block_on(async move {
        loop {
            sleep(Duration::from_micros(100)).await;
            if let Ok(on) = finished.try_recv() {
                return on;
            }
        }
    });
    watcher.join().unwrap();
    assert!(on.len() == 100 && on.iter().all(|&thread| thread == here));
}

#[test]
fn a_future_that_yields_lets_tasks_run_and_they_it() {
    let runtime = local();
    let rounds = Rc::new(Cell::new(0));
    let counted = rounds.clone();
    let task = runtime.spawn_local(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });
    runtime.block_on(async {
        for _ in 0..1_000 {
            yield_now().await;
        }
    });
    assert!(rounds.get() >= 900, "{}", rounds.get());
    task.abort();
    assert!(runtime.block_on(task).is_err());
}

/// Local tasks and others are taken in turn, so neither starves.
#[test]
fn local_tasks_and_others_take_turns() {
    let runtime = local();
    let (own, sent) = (Rc::new(Cell::new(0_u32)), Arc::new(AtomicUsize::new(0)));
    let (counted, also) = (own.clone(), sent.clone());
    drop(runtime.spawn_local(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    }));
    drop(runtime.handle().spawn(async move {
        loop {
            also.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    }));
    runtime.block_on(async {
        for _ in 0..2_000 {
            yield_now().await;
        }
    });
    let (own, sent) = (own.get() as usize, sent.load(Ordering::Relaxed));
    assert!(own > 500 && sent > 500, "{own} local, {sent} others");
    // Every 61st step is not a local task's.
    assert!(own.abs_diff(sent) <= 2_000 / 61 + 4, "{own} local, {sent} others");
}

/// Inside a task, `block_on` of any kind lets the runtime's other tasks run.
#[test]
fn a_block_inside_a_task_runs_the_other_tasks() {
    let runtime = local();
    let handle = runtime.handle().clone();
    let answers = runtime.block_on(async move {
        let nested = spawn_local(async move {
            let free = block_on(spawn_local(async {
                sleep(Duration::from_millis(1)).await;
                1
            }));
            let tried = try_block_on(spawn(async { 2 })).unwrap();
            let through = handle.block_on(async { spawn_local(async { 3 }).await });
            [free.unwrap(), tried.unwrap(), through.unwrap()]
        });
        nested.await.unwrap()
    });
    assert_eq!(answers, [1, 2, 3]);
}

#[test]
fn a_task_that_blocks_on_its_own_end_is_told() {
    let runtime = local();
    let slot: Rc<RefCell<Option<JoinHandle<bool>>>> = Rc::default();
    let own = slot.clone();
    let task = runtime.spawn_local(async move {
        yield_now().await;
        let itself = own.borrow_mut().take().expect("put there before the first poll");
        try_block_on(itself).is_err()
    });
    let abort: AbortHandle = task.abort_handle();
    *slot.borrow_mut() = Some(task);
    runtime.block_on(async {
        while !abort.is_finished() {
            yield_now().await;
        }
    });
    assert!(slot.borrow().is_none());
}

#[test]
fn one_inside_another_and_inside_a_workers_task() {
    let outer = local();
    let both = outer.block_on(async {
        let inner = local();
        let task = inner.spawn_local(async { 4 });
        let first = inner.block_on(task).unwrap();
        drop(inner);
        first + spawn_local(async { 5 }).await.unwrap()
    });
    assert_eq!(both, 9);
    let runtime = pool(1);
    let inside = || {
        let inner = local();
        inner.block_on(async {
            let name = Rc::new(8);
            let own = spawn_local(async move { *name }).await.unwrap();
            sleep(Duration::from_millis(2)).await;
            own
        })
    };
    let task = runtime.spawn(async move {
        let value = inside();
        value + spawn(async { 1 }).await.unwrap()
    });
    assert_eq!(block_on(task).unwrap(), 9);
}

#[test]
fn panics_stay_in_their_handles_and_pass_through_block_on() {
    let runtime = local();
    let task = runtime.spawn_local(async { std::panic::resume_unwind(Box::new(3)) });
    let error: Result<(), _> = runtime.block_on(task);
    assert!(error.unwrap_err().is_panic());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async { std::panic::resume_unwind(Box::new(4)) })
    }));
    assert!(panicked.is_err());
    assert_eq!(runtime.block_on(async { spawn_local(async { 5 }).await.unwrap() }), 5);
}

#[test]
fn where_no_worker_is_the_future_comes_back() {
    let refused = try_spawn_local(async { 1 }).unwrap_err();
    assert!(!refused.is_shutting_down() && !refused.is_limit());
    assert!(refused.to_string().contains("spawn_pinned"), "{refused}");
    assert_eq!(block_on(refused.into_future()), 1);
    let dropped = Rc::new(());
    let held = dropped.clone();
    let handle = spawn_local(async move { drop(held) });
    assert_eq!(Rc::strong_count(&dropped), 1, "dropped at once");
    assert!(cause(handle).unwrap().to_string().contains("LocalRuntime::block_on"));
    let runtime = pool(1);
    let job = runtime.spawn_blocking(|| cause(spawn_local(async {})).is_some());
    assert!(block_on(job).unwrap(), "a pool's thread is no worker");
}

#[test]
fn the_limit_counts_local_tasks() {
    let runtime = Builder::new().max_tasks(2).build_local().unwrap();
    let waiting = [runtime.spawn_local(pending::<()>()), runtime.spawn_local(pending::<()>())];
    assert_eq!(cause(runtime.spawn_local(async {})), Some(Cause::Limit));
    runtime.block_on(async {
        assert!(try_spawn_local(async {}).unwrap_err().is_limit());
        let [first, second] = waiting;
        first.abort();
        assert!(first.await.is_err());
        assert_eq!(spawn_local(async { 6 }).await.unwrap(), 6);
        drop(second);
    });
}

#[test]
fn what_no_runtime_can_be_is_refused() {
    let error = Builder::new().max_tasks(0).build_local().unwrap_err();
    assert!(matches!(error, BuildError::NoTasks));
    let error = Builder::new().workers(2).build_local().unwrap_err();
    assert!(error.to_string().contains("one worker"), "{error}");
    assert!(Builder::new().workers(1).build_local().is_ok());
}

#[test]
fn a_thousand_one_after_another_leave_no_thread() {
    for n in 0..1_000 {
        let runtime = local();
        let task = runtime.spawn_local(async move { n });
        assert_eq!(runtime.block_on(task).unwrap(), n);
    }
}

/// A destructor that blocks as the runtime ends: what it waits for is cancelled meanwhile.
#[test]
fn a_destructor_may_block_on_another_task() {
    struct Waits(Option<JoinHandle<()>>, Rc<Cell<bool>>);
    impl Drop for Waits {
        fn drop(&mut self) {
            let other = self.0.take().expect("dropped once");
            self.1.set(block_on(other).is_err());
        }
    }
    let ended = Rc::new(Cell::new(false));
    let runtime = local();
    let other = runtime.spawn_local(pending::<()>());
    let waits = Waits(Some(other), ended.clone());
    drop(runtime.spawn_local(async move {
        let _waits = waits;
        pending::<()>().await;
    }));
    runtime.block_on(yield_now());
    drop(runtime);
    assert!(ended.get());
}
