//! Yields and delays at every operation: the same program, more orders of it.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_context::budget;
use goro_runtime::time::Duration;
use goro_runtime::{Builder, block_on, spawn};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// An operation that is ready at once, as a leaf of goro's is.
async fn operation() {
    poll_fn(|cx| budget::poll_spend(cx).map(drop)).await;
}

fn polls_of_ten_operations(builder: Builder) -> u64 {
    let runtime = builder.workers(1).build().unwrap();
    let task = runtime.spawn(async {
        for _ in 0..10 {
            operation().await;
        }
    });
    block_on(task).unwrap();
    runtime.metrics().polls()
}

#[test]
fn each_operation_yields_when_chaos_is_certain() {
    assert_eq!(polls_of_ten_operations(Builder::new()), 1);
    assert_eq!(polls_of_ten_operations(Builder::new().chaos(0.0, Duration::ZERO)), 1);
    let shaken = Builder::new().chaos(1.0, Duration::from_micros(50));
    assert_eq!(polls_of_ten_operations(shaken), 10);
}

/// Without chaos the two never meet on one worker: neither waits for anything.
#[test]
fn an_update_that_is_never_lost_is_lost_under_chaos() {
    let count = |builder: Builder| {
        let runtime = builder.workers(1).build().unwrap();
        let count = Arc::new(AtomicU32::new(0));
        let tasks = runtime.block_on(async {
            let count = count.clone();
            let both = spawn(async move {
                let writers = [(); 2].map(|()| {
                    let count = count.clone();
                    spawn(async move {
                        for _ in 0..100 {
                            let read = count.load(Ordering::Relaxed);
                            operation().await;
                            count.store(read + 1, Ordering::Relaxed);
                            if read % 50 == 0 {
                                goro_runtime::task::yield_now().await;
                            }
                        }
                    })
                });
                for writer in writers {
                    writer.await.unwrap();
                }
            });
            both.await
        });
        tasks.unwrap();
        count.load(Ordering::Relaxed)
    };
    assert_eq!(count(Builder::new()), 200);
    assert!(count(Builder::new().chaos(0.5, Duration::ZERO)) < 200);
}
