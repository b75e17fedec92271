//! Ends that race with spawns and with work that comes to its own end, again and again: nobody is left, and
//! everybody is counted.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/ending.rs"]
mod ending;

use ending::two_workers;
use goro_runtime::task::yield_now;
use goro_runtime::time::Duration;
use goro_runtime::{block_on, spawn};
use std::future::pending;
use std::sync::Arc;

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
