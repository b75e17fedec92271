//! A fork with a live runtime: the child has none of its threads, and is told so.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]
#![cfg(target_os = "linux")]

use goro_runtime::{Builder, Runtime, block_on};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

fn two_workers() -> Runtime {
    Builder::new().workers(2).build().unwrap()
}

/// What must hold in the child; the number of the first thing that does not.
fn in_child(inherited: Runtime) -> i32 {
    let handle = inherited.handle().clone();
    let told = |error: goro_runtime::task::JoinError| {
        error.cause().is_some_and(|cause| cause.to_string().contains("after the fork"))
    };
    if !block_on(handle.spawn(async { 1 })).is_err_and(told) {
        return 1;
    }
    if !block_on(handle.spawn_blocking(|| 1)).is_err_and(told) {
        return 2;
    }
    drop(inherited);
    let own = two_workers();
    if own.block_on(async { goro_runtime::spawn(async { 40 + 2 }).await.unwrap() }) != 42 {
        return 3;
    }
    drop(own);
    0
}

/// Pitfall 161: a child that uses the inherited runtime hangs.
#[test]
fn a_child_is_told_and_can_have_a_runtime_of_its_own() {
    let runtime = two_workers();
    runtime.block_on(async { goro_runtime::spawn(async {}).await.unwrap() });
    // SAFETY: the child touches no lock that another thread of the parent may have held: goro's
    // are free while its threads sleep, and the C library's allocator is made ready for a fork.
    let child = unsafe { fork() };
    if child == 0 {
        let code = in_child(runtime);
        // SAFETY: ends the child at once, which shares nothing that would have to be flushed.
        unsafe { _exit(code) };
    }
    let mut status = -1;
    // SAFETY: `status` is a valid place for the answer, and `child` is this process's child.
    assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child's exit status (its code in the second byte)");
    assert_eq!(runtime.block_on(async { goro_runtime::spawn(async { 7 }).await.unwrap() }), 7);
}

/// More memory than is kept for tasks of one size: some of it comes from further down, under locks.
async fn many_large_tasks() -> u64 {
    let large = |n: u64| async move {
        let large = std::hint::black_box([n; 230]);
        goro_runtime::task::yield_now().await;
        large[229]
    };
    let tasks: Vec<_> = (0..4000).map(|n| goro_runtime::spawn(large(n))).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    sum
}

const SUM: u64 = 3999 * 2000;

/// The parent's threads allocate and free tasks all the while: whatever they were at, the child can run
/// tasks of its own, and let go of its parent's.
#[test]
fn a_child_of_a_busy_parent_can_run_tasks() {
    let runtime = two_workers();
    let stop = Arc::new(AtomicBool::new(false));
    let busy = {
        let stop = Arc::clone(&stop);
        runtime.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(many_large_tasks().await, SUM);
            }
        })
    };
    for _ in 0..50 {
        let inherited = runtime.spawn(async { [0_u64; 20] });
        // SAFETY: as above; locks that may be held are what this is about.
        let child = unsafe { fork() };
        if child == 0 {
            drop(inherited);
            let own = two_workers();
            let sum =
                own.block_on(async { goro_runtime::spawn(many_large_tasks()).await.unwrap() });
            // SAFETY: as above.
            unsafe { _exit(i32::from(sum != SUM)) };
        }
        let mut status = -1;
        // SAFETY: as above.
        assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        block_on(inherited).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    block_on(busy).unwrap();
}
