//! Bugs that were put in on purpose: the simulator finds each, and finds it again by its seed.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use futures::channel::oneshot;
use futures::task::AtomicWaker;
use goro_context::Op;
use goro_runtime::task::{Builder, yield_now};
use goro_runtime::{spawn, time::Duration};
use goro_sim::{Failure, Schedule, Sim};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// The first of the seeds below `most` under which `fails`.
fn first_failing(most: u64, fails: impl Fn(Sim) -> bool) -> Option<u64> {
    (0..most).find(|&seed| fails(Sim::new(seed)))
}

/// Two who read, wait, and write; one of them late enough that mostly nothing happens.
fn loses_an_update(sim: Sim) -> bool {
    let count = sim.run(async {
        let count = Arc::new(AtomicU32::new(0));
        let writers = [0, 40].map(|late| {
            let count = count.clone();
            spawn(async move {
                for _ in 0..late {
                    yield_now().await;
                }
                let read = count.load(Ordering::Relaxed);
                yield_now().await;
                count.store(read + 1, Ordering::Relaxed);
            })
        });
        for writer in writers {
            writer.await.unwrap();
        }
        count.load(Ordering::Relaxed)
    });
    count.unwrap() != 2
}

#[test]
fn a_lost_update_across_an_await_is_found_and_replayed() {
    let seed = first_failing(1_000, loses_an_update).expect("found within a thousand schedules");
    assert!((0..20).all(|_| loses_an_update(Sim::new(seed))), "seed {seed} fails each time");
    let found = (0..1_000).filter(|&seed| loses_an_update(Sim::new(seed))).count();
    assert!(found < 900, "{found} of 1000: not worth a search");
}

#[test]
fn a_deadlock_is_named() {
    let deadlock = async {
        let (to_left, from_right) = oneshot::channel::<()>();
        let (to_right, from_left) = oneshot::channel::<()>();
        let left = Builder::new().name("left").spawn(async move {
            from_right.await.unwrap();
            to_right.send(()).unwrap();
        });
        let right = spawn(async move {
            from_left.await.unwrap();
            to_left.send(()).unwrap();
        });
        let both = Builder::new().name("both").spawn(async move {
            left.await.unwrap();
            right.await.unwrap();
        });
        both.await.unwrap();
    };
    let failure = Sim::new(11).workers(2).run(deadlock).unwrap_err();
    let text = failure.to_string();
    let Failure::Stalled(stall) = failure else { panic!("{text}") };
    assert_eq!((stall.seed, stall.main), (11, Op::Join));
    let of = |name: &str| stall.tasks.iter().find(|task| task.kind.name() == name).copied();
    let (left, both) = (of("left").unwrap(), of("both").unwrap());
    assert_eq!((left.op, left.joins), (Op::External, None));
    assert_eq!((both.op, both.joins), (Op::Join, Some(left.number)));
    assert_eq!(stall.tasks.len(), 3);
    let here = stall.tasks.iter().filter(|task| task.kind.site().file() == file!()).count();
    assert_eq!(here, 3, "each names the place of its spawn");
    let both = format!("\"both\" spawned at {}:", file!());
    for part in ["GORO_SEED=11", "main waits: join", "waits: external", &both] {
        assert!(text.contains(part), "{part:?} is missing:\n{text}");
    }
}

#[test]
fn a_stall_is_reported_at_once_and_not_after_some_deadline() {
    let stalled = Sim::new(1).run(async {
        drop(spawn(goro_runtime::time::sleep(Duration::from_secs(1))));
        std::future::pending::<()>().await;
    });
    let Err(Failure::Stalled(stall)) = stalled else { panic!("{stalled:?}") };
    assert!(stall.at < Duration::from_secs(2) && stall.tasks.is_empty(), "{stall}");
}

/// A copy of the idle protocol, with a worker per task and a step per access: who finds no work
/// lists itself as asleep, looks again, and sleeps; who pushes wakes one that is listed.
#[derive(Default)]
struct Copy {
    work: Mutex<Vec<u32>>,
    asleep: Mutex<Vec<usize>>,
    tokens: Vec<Token>,
    /// The planted bug: nobody looks again.
    forgets_to_look_again: bool,
}

#[derive(Default)]
struct Token(AtomicBool, AtomicWaker);

impl Copy {
    async fn push(&self, item: u32) {
        self.work.lock().unwrap().push(item);
        yield_now().await;
        let sleeper = self.asleep.lock().unwrap().pop();
        yield_now().await;
        if let Some(sleeper) = sleeper {
            let Token(given, waker) = &self.tokens[sleeper];
            given.store(true, Ordering::Relaxed);
            waker.wake();
        }
    }

    async fn next(&self, worker: usize) -> u32 {
        loop {
            if let Some(item) = self.pop().await {
                return item;
            }
            yield_now().await;
            self.asleep.lock().unwrap().push(worker);
            yield_now().await;
            if !self.forgets_to_look_again && !self.work.lock().unwrap().is_empty() {
                self.asleep.lock().unwrap().retain(|&asleep| asleep != worker);
                continue;
            }
            yield_now().await;
            let Token(given, waker) = &self.tokens[worker];
            poll_fn(|cx| {
                waker.register(cx.waker());
                if given.swap(false, Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    async fn pop(&self) -> Option<u32> {
        yield_now().await;
        self.work.lock().unwrap().pop()
    }
}

fn work_is_left_lying(sim: Sim, forgets_to_look_again: bool) -> bool {
    const WORKERS: usize = 2;
    const ITEMS: u32 = 3;
    let run = sim.workers(3).run(async move {
        let tokens = (0..WORKERS).map(|_| Token::default()).collect();
        let copy = Arc::new(Copy { tokens, forgets_to_look_again, ..Copy::default() });
        let done = Arc::new(AtomicU32::new(0));
        for worker in 0..WORKERS {
            let (copy, done) = (copy.clone(), done.clone());
            drop(Builder::new().name("copied worker").spawn(async move {
                loop {
                    copy.next(worker).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        let pusher = spawn(async move {
            for item in 0..ITEMS {
                copy.push(item).await;
                yield_now().await;
            }
        });
        pusher.await.unwrap();
        goro_sim::wait_quiescent().await;
        done.load(Ordering::Relaxed)
    });
    run.unwrap() != ITEMS
}

#[test]
fn a_lost_wake_up_in_a_copy_of_the_idle_protocol_is_found() {
    let lost = |sim| work_is_left_lying(sim, true);
    let seed = first_failing(1_000, lost).expect("found within a thousand schedules");
    assert!((0..20).all(|_| lost(Sim::new(seed))), "seed {seed} fails each time");
    let sound = first_failing(2_000, |sim| work_is_left_lying(sim, false));
    assert_eq!(sound, None, "the protocol itself loses nothing");
}

#[test]
fn schedules_by_priority_find_the_lost_wake_up_too() {
    for schedule in [Schedule::Random, Schedule::Pct { depth: 3 }] {
        let lost = |sim: Sim| work_is_left_lying(sim.schedule(schedule), true);
        assert!(first_failing(1_000, lost).is_some(), "{schedule:?}");
    }
}
