//! How many seeds there are to a second, printed; and that they are seeds of a program worth it.
//!
//! `cargo test --release -p goro-sim --test speed -- --nocapture` prints the figure.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::spawn;
use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, sleep};
use goro_sim::Sim;
use std::time::Instant;

/// Ten tasks that yield, sleep once, and are joined: about a hundred polls.
async fn program() {
    let tasks: Vec<_> = (0..10_u64)
        .map(|n| {
            spawn(async move {
                for _ in 0..7 {
                    yield_now().await;
                }
                sleep(Duration::from_micros(n * 10)).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn seeds_to_a_second() {
    const SEEDS: u64 = 1_000;
    let began = Instant::now();
    let mut steps = 0;
    for seed in 0..SEEDS {
        let (ended, log) = Sim::new(seed).workers(2).trace(program());
        ended.unwrap();
        steps += log.len() as u64;
    }
    let rate = SEEDS as f64 / began.elapsed().as_secs_f64();
    let each = steps / SEEDS;
    eprintln!("{rate:.0} seeds/s of a program of {each} steps");
    assert!((100..400).contains(&each), "{each} steps are not the program that was meant");
}
