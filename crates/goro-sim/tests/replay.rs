//! The same seed, the same run.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_context::random;
use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, sleep, timeout};
use goro_runtime::{spawn, spawn_blocking};
use goro_sim::{Schedule, Sim, explore};
use std::collections::BTreeSet;

/// Tasks that yield, sleep, spawn, join, give up waiting, take long, and have jobs run.
async fn busy_program() -> u64 {
    let tasks: Vec<_> = (0..12_u64)
        .map(|n| {
            spawn(async move {
                for step in 0..n % 5 {
                    yield_now().await;
                    sleep(Duration::from_micros(n * 7 + step)).await;
                }
                goro_sim::busy(Duration::from_micros(n * 30));
                let child = spawn(async move {
                    yield_now().await;
                    n
                });
                let job = spawn_blocking(move || n);
                let _late =
                    timeout(Duration::from_micros(n), sleep(Duration::from_micros(5))).await;
                child.await.unwrap() + job.await.unwrap()
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    sum
}

fn log(sim: Sim) -> String {
    let (sum, log) = sim.trace(busy_program());
    assert_eq!(sum.unwrap(), 132);
    log.to_string()
}

/// Pitfall 134: a stopped clock whose order is chance.
#[test]
fn a_hundred_runs_of_a_seed_are_the_same_byte_for_byte() {
    for seed in [0, 1, 2, u64::MAX] {
        let first = log(Sim::new(seed));
        assert!(first.lines().count() > 100, "{first}");
        for run in 1..100 {
            assert_eq!(first, log(Sim::new(seed)), "seed {seed}, run {run}");
        }
    }
}

/// Also in a process that has done other things, and on a thread of its own.
#[test]
fn what_ran_before_is_nothing_to_a_run() {
    let first = log(Sim::new(5));
    for seed in 100..120 {
        log(Sim::new(seed));
    }
    goro_runtime::Runtime::new().unwrap().block_on(async { spawn(yield_now()).await.unwrap() });
    assert_eq!(first, log(Sim::new(5)));
    assert_eq!(first, std::thread::spawn(|| log(Sim::new(5))).join().unwrap());
}

/// A run inside a run is part of what the outer seed says, and of nothing else.
#[test]
fn what_is_drawn_after_a_run_inside_a_run_is_the_same_again() {
    let draws = || {
        let drawn = Sim::new(3).run(async {
            let before = random::next();
            log(Sim::new(1));
            yield_now().await;
            (before, random::next())
        });
        drawn.unwrap()
    };
    let first = draws();
    assert!((0..10).all(|_| draws() == first), "it is not the same again");
    assert_ne!(first.0, first.1);
}

#[test]
fn other_seeds_and_schedules_are_other_runs() {
    let logs: BTreeSet<String> = (0..50).map(|seed| log(Sim::new(seed))).collect();
    assert_eq!(logs.len(), 50);
    let by = |schedule| log(Sim::new(1).workers(3).schedule(schedule));
    assert_ne!(by(Schedule::Random), by(Schedule::Pct { depth: 2 }));
}

#[test]
fn a_log_tells_who_did_what_when() {
    let text = log(Sim::new(3).workers(2));
    for part in ["worker 0 runs task #1 ", "tests/replay.rs:", "main is polled", "sleeps", "rises"]
    {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
}

/// The variables are read when the test runs, so this one runs in a process of its own.
#[test]
fn the_failing_seed_is_printed_and_runs_alone() {
    let child = |seed: Option<&str>| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_failing_seed_is_printed_and_runs_alone", "--nocapture"]);
        command.env("GORO_TEST_CHILD", "1").env_remove("GORO_SEED").env_remove("GORO_SEEDS");
        if let Some(seed) = seed {
            command.env("GORO_SEED", seed);
        }
        let ended = command.output().unwrap();
        (ended.status.success(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    if std::env::var_os("GORO_TEST_CHILD").is_some() {
        explore(100, |sim| {
            eprintln!("runs {}", sim.seed());
            assert_ne!(sim.seed(), 17, "planted");
        });
        return;
    }
    let (passed, told) = child(None);
    assert!(!passed && told.contains("GORO_SEED=17"), "{told}");
    assert!(told.contains("runs 16") && !told.contains("runs 18"), "{told}");
    let (passed, told) = child(Some("17"));
    assert!(!passed && told.contains("runs 17") && !told.contains("runs 16"), "{told}");
    let (passed, told) = child(Some("18"));
    assert!(passed && told.matches("runs").count() == 1, "{told}");
    let (passed, told) = child(Some("many"));
    assert!(!passed && told.contains("is not a number"), "{told}");
}
