//! A thousand tasks block at once: how many threads that takes, and what is left afterwards.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const WORKERS: usize = 2;
const TASKS: usize = 1000;

/// The most spares for blocks and for stalls.
const SPARES: usize = 512 + 64;

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Resident bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find(|line| line.starts_with("Rss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Has so many tasks block until `all` of them, or as many as there may be, do; returns the most threads
/// there were.
fn block_all(runtime: &Runtime, all: usize) -> usize {
    let inside = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let inside = inside.clone();
            runtime.spawn(async move {
                block_on(async {
                    inside.fetch_add(1, Ordering::Relaxed);
                    // Until as many have come as can be at a time.
                    while inside.load(Ordering::Relaxed) < all {
                        sleep(Duration::from_millis(5)).await;
                    }
                    spawn(async {}).await.unwrap();
                });
            })
        })
        .collect();
    let mut most = 0;
    for task in tasks {
        while !task.is_finished() {
            most = most.max(threads());
            std::thread::sleep(Duration::from_millis(1));
        }
        block_on(task).unwrap();
    }
    most
}

#[test]
#[cfg(target_os = "linux")]
fn a_thousand_blocks_take_bounded_threads_and_leave_nothing() {
    let runtime = Builder::new().workers(WORKERS).build().unwrap();
    let (began, cold) = (threads(), resident());
    // What allocators and the kernel keep for threads that have been is not asked about: once before.
    let first = block_all(&runtime, WORKERS + 512);
    wait_for(&runtime, began);
    let before = resident();
    let most = block_all(&runtime, WORKERS + 512).max(first);
    assert!(most <= began + SPARES, "{most} threads, {began} of them from the start");
    assert!(most >= began + 512, "they did not block at once: {most} threads");
    wait_for(&runtime, began);
    let metrics = runtime.metrics();
    assert_eq!((metrics.blocked, metrics.spares_present, metrics.tasks_live), (0, 0, 0));
    let after = resident();
    println!("{most} threads; resident bytes: cold {cold}, before {before}, after {after}");
    assert!(after * 10 <= before * 12, "{before} bytes before, {after} after");
}

/// Waits until the process has the threads that it began with.
fn wait_for(runtime: &Runtime, began: usize) {
    for _ in 0..10_000 {
        if threads() <= began && runtime.metrics().spares_present == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("{} threads after ten seconds, {began} at the start", threads());
}

/// A thread of a pool stays for as long as its keep-alive, which is 10 s unless something else is asked
/// for; then it has gone.
#[test]
#[cfg(target_os = "linux")]
fn a_thousand_jobs_take_bounded_threads_and_leave_none() {
    let runtime = Builder::new().workers(WORKERS).build().unwrap();
    let began = threads();
    let inside = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = (0..TASKS)
        .map(|_| {
            let inside = inside.clone();
            runtime.spawn_blocking(move || {
                inside.fetch_add(1, Ordering::Relaxed);
                while inside.load(Ordering::Relaxed) < 512 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                threads()
            })
        })
        .collect();
    let most = jobs.into_iter().map(|job| block_on(job).unwrap()).max().unwrap();
    assert!((began + 512..=began + 512 + SPARES).contains(&most), "{most} threads");
    wait_for(&runtime, began);
}

/// What so many threads leave behind that do nothing: stacks and arenas that the C library keeps.
fn plain_threads() -> usize {
    let before = resident();
    let together = Arc::new(std::sync::Barrier::new(SPARES));
    let all: Vec<_> = (0..SPARES)
        .map(|_| {
            let together = together.clone();
            std::thread::spawn(move || together.wait())
        })
        .collect();
    for thread in all {
        thread.join().unwrap();
    }
    resident().saturating_sub(before)
}

/// What a spare's place keeps for the next one: a ring of 8 KiB and its shard's words, and its share of
/// the tasks' memory.
const PLACE: usize = 16 << 10;

/// Each in a process of its own, which has had no other threads before.
#[test]
#[cfg(target_os = "linux")]
fn from_cold_a_thousand_blocks_leave_little_more_than_plain_threads_do() {
    let test = "from_cold_a_thousand_blocks_leave_little_more_than_plain_threads_do";
    let part = std::env::var("GORO_TEST_PART").unwrap_or_default();
    let kept = match &*part {
        "plain" => plain_threads(),
        "goro" => {
            let runtime = Builder::new().workers(WORKERS).build().unwrap();
            block_on(runtime.spawn(sleep(Duration::from_millis(1)))).unwrap();
            let (began, before) = (threads(), resident());
            block_all(&runtime, WORKERS + 512);
            wait_for(&runtime, began);
            resident().saturating_sub(before)
        }
        _ => {
            let run = |part| -> usize {
                let mut command = std::process::Command::new(std::env::current_exe().unwrap());
                command.args(["--exact", test, "--nocapture"]).env("GORO_TEST_PART", part);
                let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
                let kept = output.lines().find_map(|line| line.split_once("kept: "));
                kept.unwrap_or_else(|| panic!("{output}")).1.parse().unwrap()
            };
            let (plain, goro) = (run("plain"), run("goro"));
            println!("resident bytes more than at the start: plain {plain}, goro {goro}");
            assert!(goro <= plain + SPARES * PLACE, "plain threads {plain}, goro {goro}");
            return;
        }
    };
    println!("kept: {kept}");
}
