//! Cancellation under the production scheduler, in an order drawn from a seed: trees of tokens over tasks
//! that are cancelled, time out, are aborted, and make tokens of their own. `GORO_SEEDS` runs so many
//! seeds.
#![cfg(feature = "sim")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/draw.rs"]
mod draw;

use draw::Draw;
use goro::CancellationToken;
use goro::cancel::Cause;
use goro::sim::{Sim, cancel_at_every_point, explore};
use goro::task::{WaitGroup, yield_now};
use goro::time::{now, sleep, timeout};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SEEDS: u64 = 200;
/// The longest pause, in microseconds.
const LONGEST: u64 = 3_000;

/// How many tasks there were, and how many came to their end.
#[derive(Debug, Default)]
struct Tasks {
    begun: u64,
    ended: u64,
}

/// Works below `token` until it is cancelled, and makes others that do: each ends, with a cause that
/// somebody gave on the way up.
fn work(
    token: CancellationToken,
    mut causes: BTreeSet<String>,
    depth: u64,
    mut draw: Draw,
    group: &WaitGroup,
    tasks: Arc<Mutex<Tasks>>,
) {
    let again = group.clone();
    tasks.lock().unwrap().begun += 1;
    group.go(async move {
        let timed = match draw.below(3) {
            0 => {
                let wait = Duration::from_micros(draw.below(20_000));
                causes.insert(Cause::Deadline.to_string());
                token.with_timeout(wait)
            }
            1 => token.child_token(),
            _ => CancellationToken::any([&token, &token.child_token()]),
        };
        // A token that was born cancelled has no deadline any more.
        let limit = timed.deadline().or_else(|| timed.is_cancelled().then(now));
        let own = format!("{depth} {}", draw.below(1_000_000));
        causes.insert(own.clone());
        for _ in 0..draw.below(3) {
            if depth < 3 {
                let seed = draw.below(u64::MAX >> 1);
                let (causes, tasks) = (causes.clone(), Arc::clone(&tasks));
                work(timed.clone(), causes, depth + 1, Draw(seed), &again, tasks);
            }
        }
        if draw.below(3) == 0 {
            draw.pause().await;
            timed.cancel_with(own);
        }
        let mut laps = 0;
        let cause = timed
            .run_until_cancelled(async {
                loop {
                    draw.pause().await;
                    yield_now().await;
                    laps += 1;
                    assert!(laps < 1_000_000, "it is never cancelled");
                }
            })
            .await;
        let Err(cause) = cause;
        assert!(causes.contains(&cause.to_string()), "{cause} of {causes:?}");
        assert_eq!(timed.cause(), Some(cause.clone()));
        if cause == Cause::Deadline {
            assert!(
                limit.is_some_and(|limit| now() >= limit),
                "never early: {limit:?} at {:?}",
                now()
            );
        }
        tasks.lock().unwrap().ended += 1;
    });
}

#[test]
fn every_task_below_ends_with_a_cause_from_above() {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let run = sim.run(async move {
            let (root, mut draw) = (CancellationToken::new(), Draw(seed));
            let (group, tasks) = (WaitGroup::new(), Arc::new(Mutex::new(Tasks::default())));
            let causes = BTreeSet::from([String::from("the end")]);
            for _ in 0..3 {
                let seed = draw.below(u64::MAX >> 1);
                let (causes, tasks) = (causes.clone(), Arc::clone(&tasks));
                work(root.clone(), causes, 0, Draw(seed), &group, tasks);
            }
            draw.pause().await;
            sleep(Duration::from_micros(draw.below(10_000))).await;
            root.cancel_with("the end");
            group.wait().await;
            // One that panics is waited for as well, and has not ended.
            let tasks = tasks.lock().unwrap();
            assert!(tasks.begun >= 3 && tasks.ended == tasks.begun, "{tasks:?}");
        });
        run.unwrap_or_else(|failure| panic!("{failure}"));
    });
}

/// A cancellation takes no time but for the tasks that run before those it wakes.
#[test]
fn those_who_wait_are_told_at_once() {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let run = sim.run(async move {
            let (root, group, mut draw) = (CancellationToken::new(), WaitGroup::new(), Draw(seed));
            let mut waits = Vec::new();
            for _ in 0..50 {
                let token = if draw.below(2) == 0 { root.clone() } else { root.child_token() };
                let gives_up = draw.below(4) == 0;
                waits.push(group.go(async move {
                    if gives_up {
                        let waited = timeout(Duration::from_millis(1), token.cancelled()).await;
                        assert!(waited.is_err());
                        assert_eq!(token.clone().cancelled_owned().await, Cause::Cancelled);
                    } else {
                        assert_eq!(token.cancelled().await, Cause::Cancelled);
                    }
                }));
            }
            sleep(Duration::from_millis(5)).await;
            let before = now();
            root.cancel();
            group.wait().await;
            assert!(now() - before < Duration::from_millis(1), "{:?}", now() - before);
            for wait in waits {
                wait.await.unwrap();
            }
        });
        run.unwrap_or_else(|failure| panic!("{failure}"));
    });
}

/// The deadline is kept by the runtime that is entered, in its time.
#[test]
fn a_deadline_is_kept_to_the_tick() {
    Sim::new(1)
        .run(async {
            let start = now();
            let token = CancellationToken::new().with_timeout(Duration::from_secs(3_600));
            assert_eq!(token.child_token().cancelled().await, Cause::Deadline);
            let late = now() - start - Duration::from_secs(3_600);
            assert!(late < Duration::from_millis(1), "{late:?}");
        })
        .unwrap();
}

/// Dropped at whatever point, a wait leaves nothing behind, and what waits beside it is told.
#[test]
fn a_wait_may_be_dropped_anywhere() {
    Sim::new(1)
        .run(async {
            let root = CancellationToken::new();
            let token = root.child_token();
            let wait = || async {
                let timed = token.with_timeout(Duration::from_millis(2));
                let other = timed.child_token();
                let both = CancellationToken::any([&timed, &root]);
                yield_now().await;
                let run = both.run_until_cancelled(other.cancelled());
                assert!(run.await.is_err() || other.is_cancelled());
            };
            let points = cancel_at_every_point(wait, |_| {
                let text = format!("{root:?}");
                assert!(text.contains("None"), "{text}");
            })
            .await;
            assert!(points >= 2, "{points}");
            assert!(root.cancel() && token.is_cancelled());
        })
        .unwrap();
}
