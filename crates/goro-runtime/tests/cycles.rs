//! A thousand runtimes, one after another: the thousandth leaves what the tenth left.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/counting.rs"]
mod counting;

use counting::LIVE;
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, spawn, spawn_blocking, task::yield_now};
use std::sync::atomic::Ordering;

fn count(path: &str) -> usize {
    std::fs::read_dir(path).map_or(0, Iterator::count)
}

/// Live heap bytes, threads, descriptors.
fn held() -> (isize, usize, usize) {
    (LIVE.load(Ordering::Relaxed), count("/proc/self/task"), count("/proc/self/fd"))
}

fn one_life(cycle: usize) {
    // No spares: a machine that holds a worker up would add a shard, which is kept for good.
    let builder = Builder::new().workers(1 + cycle % 2).stall_spares(0);
    let runtime = builder.build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..20)
            .map(|i| {
                spawn(async move {
                    yield_now().await;
                    i
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(spawn_blocking(|| 5).await.unwrap(), 5);
        let nap = spawn(sleep(Duration::from_micros(50)));
        drop(spawn(sleep(Duration::MAX)));
        drop(spawn(std::future::pending::<()>()));
        nap.await.unwrap();
    });
}

/// Pitfalls 33 and the measured rows of build and drop: growth per runtime.
#[test]
fn the_thousandth_runtime_leaves_what_the_tenth_left() {
    for cycle in 0..10 {
        one_life(cycle);
    }
    let tenth = held();
    for cycle in 10..1_000 {
        one_life(cycle);
    }
    assert_eq!(held(), tenth, "(heap bytes, threads, descriptors)");
}
