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
fn without_a_runtime_try_spawn_gives_back_and_names_the_fixes() {
    let refused = goro_runtime::try_spawn(async { 3 }).unwrap_err();
    assert!(refused.to_string().contains("Handle::enter"), "{refused}");
    assert_eq!(goro_runtime::block_on(refused.into_future()), 3);
}

/// Pitfall 43: big structures built on the stack.
#[test]
fn a_small_stack_is_enough_for_a_runtime() {
    let small = std::thread::Builder::new().stack_size(128 * 1024);
    let thread = small.spawn(|| {
        let runtime = Builder::new().workers(2).stack_size(128 * 1024).build().unwrap();
        let task = runtime.spawn(async { spawn(async { 5 }).await.unwrap() });
        goro_runtime::block_on(task).unwrap()
    });
    assert_eq!(thread.unwrap().join().unwrap(), 5);
}

/// Pitfall 43: a future of a mebibyte stays where it was put by its spawn.
#[test]
fn a_big_future_needs_no_stack_of_its_workers() {
    let runtime = Builder::new().workers(2).stack_size(256 * 1024).build().unwrap();
    let handle = runtime.handle().clone();
    // Unoptimised, the future is copied a few times on its way into the call.
    let large = std::thread::Builder::new().stack_size(64 << 20);
    let spawner = large.spawn(move || {
        handle.spawn(async {
            let mut bytes = [1_u8; 1 << 20];
            goro_runtime::task::yield_now().await;
            bytes[7] = 2;
            goro_runtime::task::yield_now().await;
            bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>()
        })
    });
    let task = spawner.unwrap().join().unwrap();
    assert_eq!(goro_runtime::block_on(task).unwrap(), (1 << 20) + 1);
}

/// The ring holds 1024 and wraps; whatever the batch, each task runs once.
#[test]
fn batches_around_a_rings_size_all_run() {
    let runtime = Builder::new().workers(2).build().unwrap();
    for batch in [1, 511, 512, 513, 1_023, 1_024, 1_025, 2_047, 2_049, 4_000] {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let spawner = runtime.spawn(async move {
            let tasks: Vec<_> = (0..batch)
                .map(|_| {
                    let count = counted.clone();
                    spawn(async move { count.fetch_add(1, Ordering::Relaxed) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        goro_runtime::block_on(spawner).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), batch);
    }
}
