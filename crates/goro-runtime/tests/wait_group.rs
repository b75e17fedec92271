//! Groups of tasks that are waited for.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{WaitGroup, yield_now};
use goro_runtime::{Builder, block_on, spawn};
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn runtime() -> goro_runtime::Runtime {
    Builder::new().workers(2).build().unwrap()
}

#[test]
fn all_have_ended_however_they_did() {
    runtime().block_on(async {
        let (group, done) = (WaitGroup::new(), Arc::new(AtomicUsize::new(0)));
        group.wait().await;
        for number in 0..100 {
            let done = done.clone();
            let task = group.go(async move {
                yield_now().await;
                match number % 3 {
                    0 => panic!("one of the group's"),
                    1 => pending().await,
                    _ => done.fetch_add(1, Ordering::Relaxed),
                }
            });
            if number % 3 == 1 {
                task.abort();
            }
        }
        group.wait().await;
        assert_eq!((done.load(Ordering::Relaxed), group.members()), (33, 0));
    });
}

#[test]
fn a_guard_is_a_member_and_a_task_may_bring_others() {
    runtime().block_on(async {
        let group = WaitGroup::new();
        let (member, more) = (group.add(), group.clone());
        let waits = spawn({
            let group = group.clone();
            async move { group.wait().await }
        });
        assert_eq!(group.go(async move { more.go(async { 7 }).await }).await.unwrap().unwrap(), 7);
        yield_now().await;
        assert!(!waits.is_finished());
        drop(member);
        waits.await.unwrap();
        assert_eq!(format!("{group:?}"), "WaitGroup { members: 0 }");
    });
}

#[test]
fn without_a_runtime_it_finds_the_default_one() {
    let group = WaitGroup::new();
    let task = group.go(async { 5 });
    block_on(group.wait());
    assert_eq!(block_on(task).unwrap(), 5);
}

/// Spawning panics beside a simulation.
#[test]
fn a_group_that_failed_to_start_a_task_has_no_member_of_it() {
    let script = goro_runtime::Builder::new().workers(1).build_scripted(Some(1)).unwrap();
    let group = WaitGroup::new();
    let started = std::panic::catch_unwind(AssertUnwindSafe(|| drop(group.go(async {}))));
    assert!(started.is_err());
    drop(script);
    block_on(group.wait());
    assert_eq!(group.members(), 0);
}
