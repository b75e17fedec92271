//! `#[goro::test(sim)]` and `goro::sim` through the door.
#![cfg(all(feature = "macros", feature = "sim"))]
#![allow(clippy::disallowed_types, reason = "a test uses the crate as a program does")]

use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Its children are told how many seeds there are; this file's own variables are left alone.
fn in_a_child(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let ended = std::process::Command::new(std::env::current_exe().expect("this test has a file"))
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env_remove("GORO_SEED")
        .env_remove("GORO_SEEDS")
        .env("GORO_TEST_CHILD", "1")
        .envs(variables.iter().copied())
        .output()
        .expect("a child can be started");
    (ended.status.success(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

fn is_child() -> bool {
    std::env::var_os("GORO_TEST_CHILD").is_some()
}

#[goro::test(sim, seeds = 1000)]
async fn an_hour_is_slept_under_each_of_a_thousand_seeds() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let before = goro::time::now();
    let task = goro::spawn(goro::time::sleep(Duration::from_secs(3_600)));
    assert!(task.await.is_ok());
    assert!(goro::time::now() - before >= Duration::from_secs(3_600));
    assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 1_000);
}

#[goro::test(sim, seeds = 20, workers = 3)]
async fn a_simulated_test_may_hold_what_cannot_be_sent() -> Result<(), goro::task::JoinError> {
    let here = Rc::new(1);
    goro::task::yield_now().await;
    assert_eq!(goro::spawn(async { 2 }).await? + *here, 3);
    assert_eq!(goro::runtime::Handle::current().metrics().workers.len(), 3);
    Ok(())
}

#[goro::test(sim)]
#[should_panic(expected = "stalled")]
async fn a_test_that_waits_for_ever_fails_at_once() {
    std::future::pending::<()>().await;
}

/// The planted bug of the documentation: two who read, wait, and write.
#[goro::test(sim, seeds = 1000)]
async fn planted_lost_update() {
    if !is_child() {
        return;
    }
    let count = std::sync::Arc::new(Mutex::new(0));
    let tasks = [0, 40].map(|late| {
        let count = count.clone();
        goro::spawn(async move {
            for _ in 0..late {
                goro::task::yield_now().await;
            }
            let read = *count.lock().unwrap();
            goro::task::yield_now().await;
            *count.lock().unwrap() = read + 1;
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*count.lock().unwrap(), 2, "an update was lost");
}

#[test]
fn a_failing_seed_is_printed_and_fails_again_alone() {
    let (passed, told) = in_a_child("planted_lost_update", &[]);
    assert!(!passed && told.contains("an update was lost"), "{told}");
    let (_, seed) = told.split_once("GORO_SEED=").expect("the seed is printed");
    let seed = seed.split_whitespace().next().unwrap_or_default();
    for _ in 0..3 {
        let (passed, again) = in_a_child("planted_lost_update", &[("GORO_SEED", seed)]);
        assert!(!passed && again.contains("an update was lost"), "{again}");
    }
    let (passed, told) = in_a_child("planted_lost_update", &[("GORO_SEEDS", "1")]);
    assert_eq!(passed, seed != "0", "{told}");
}

#[goro::test(sim, seeds = 30)]
async fn planted_error() -> Result<(), String> {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    match RUNS.fetch_add(1, Ordering::Relaxed) {
        7 if is_child() => Err("the eighth".to_owned()),
        run => {
            assert!(run < 30);
            Ok(())
        }
    }
}

#[test]
fn an_error_ends_the_search_and_names_its_seed() {
    let (passed, told) = in_a_child("planted_error", &[]);
    assert!(!passed && told.contains("the eighth") && told.contains("GORO_SEED=7"), "{told}");
}
