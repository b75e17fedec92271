//! A task's beginning: where it may be spawned from and what becomes of it.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::{Builder, Runtime, spawn, try_spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_task_spawned_inside_returns_its_output() {
    let runtime = Runtime::new().unwrap();
    assert_eq!(runtime.block_on(async { spawn(async { 7 }).await.unwrap() }), 7);
}

#[test]
fn a_million_tasks_each_run_once() {
    let runtime = Builder::new().workers(2).build().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let total = 1_000_000;
    runtime.block_on({
        let count = count.clone();
        async move {
            spawn(async move {
                let mut handles = Vec::new();
                for _ in 0..total {
                    let count = count.clone();
                    handles.push(spawn(async move {
                        count.fetch_add(1, Ordering::Relaxed);
                    }));
                }
                for handle in handles {
                    handle.await.unwrap();
                }
            })
            .await
            .unwrap();
        }
    });
    assert_eq!(count.load(Ordering::Relaxed), total);
    assert_eq!(runtime.metrics().tasks_live, 0);
}

#[test]
fn a_task_spawned_from_a_foreign_thread_runs() {
    let runtime = Builder::new().workers(2).build().unwrap();
    let handle = runtime.handle().clone();
    let foreign = std::thread::spawn(move || {
        let tasks: Vec<_> = (0..1000).map(|i| handle.spawn(async move { i })).collect();
        tasks.into_iter().map(|task| handle.block_on(task).unwrap()).sum::<u64>()
    });
    assert_eq!(foreign.join().unwrap(), 499_500);
}

#[test]
fn without_a_runtime_try_spawn_gives_the_future_back() {
    let refused = try_spawn(async { 3 }).unwrap_err();
    assert!(!refused.is_shutting_down());
    assert_eq!(goro_runtime::block_on(refused.into_future()), 3);
}

#[test]
#[should_panic(expected = "Handle::enter")]
fn without_a_runtime_spawn_panics_and_names_the_fixes() {
    drop(spawn(async {}));
}
