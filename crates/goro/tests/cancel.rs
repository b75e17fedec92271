//! Cancellation on real threads.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro::CancellationToken;
use goro::cancel::Cause;
use goro::runtime::Runtime;
use goro::time::now;
use std::time::Duration;

/// A runtime that stops wakes its timers before their time.
#[test]
fn a_deadline_outlives_the_runtime_that_kept_it() {
    let runtime = Runtime::new().unwrap();
    let start = now();
    let token = runtime
        .block_on(async { CancellationToken::new().with_timeout(Duration::from_millis(300)) });
    drop(runtime);
    let stopped = now() - start;
    assert!(!token.is_cancelled() || stopped >= Duration::from_millis(300));
    assert_eq!(token.blocking_cancelled(), Cause::Deadline);
    assert!(now() - start >= Duration::from_millis(300));
}

#[test]
fn tasks_on_all_workers_learn_of_it() {
    let runtime = Runtime::new().unwrap();
    let root = CancellationToken::new();
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let token = root.child_token();
            runtime.spawn(async move { token.cancelled().await })
        })
        .collect();
    root.cancel_with("the end");
    runtime.block_on(async {
        for task in tasks {
            assert_eq!(task.await.unwrap(), Cause::new("the end"));
        }
    });
}
