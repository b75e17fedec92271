//! Groups under the production scheduler, in programs and an order drawn from a seed: groups in groups, of every
//! policy, whose tasks give, fail, panic, wait, ignore what they are asked, spawn; which are cancelled, time out,
//! and are dropped half-way. `.ci/run simulator` runs ten thousand; `GORO_SEEDS` so many, `GORO_SEED` one.
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
use futures::FutureExt;
use goro::cancel::{self, Cause};
use goro::sim::{Faults, Sim, cancel_at_every_point, explore};
use goro::task::{
    ChildError, Group, GroupError, JoinSet, Policy, TaskGroup, WaitGroup, local_scope, yield_now,
};
use goro::time::{sleep, timeout};
use goro::{CancellationToken, channel};
use std::any::Any;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Programs, unless the step or the reader says otherwise.
const SEEDS: u64 = 200;
/// The longest pause, in microseconds.
const LONGEST: u64 = 3_000;
/// Groups in groups.
const DEEPEST: u64 = 3;

/// What has become of a group's tasks, by what they say themselves.
#[derive(Default)]
struct Truth {
    /// Futures there are, of this group's tasks.
    there: AtomicUsize,
    failed: AtomicUsize,
    panicked: AtomicUsize,
    /// Dropped before they were done.
    dropped: AtomicUsize,
    succeeded: AtomicUsize,
    /// What was deferred and has run.
    deferred: AtomicUsize,
}

impl Truth {
    fn read(count: &AtomicUsize) -> usize {
        count.load(Ordering::Relaxed)
    }

    fn add(count: &AtomicUsize) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A task of a group, which says how it ends.
struct There {
    truth: Arc<Truth>,
    done: bool,
}

impl There {
    fn new(truth: &Arc<Truth>) -> Self {
        Truth::add(&truth.there);
        Self { truth: truth.clone(), done: false }
    }
}

impl Drop for There {
    fn drop(&mut self) {
        self.truth.there.fetch_sub(1, Ordering::Relaxed);
        if std::thread::panicking() {
            Truth::add(&self.truth.panicked);
        } else if !self.done {
            Truth::add(&self.truth.dropped);
        }
    }
}

/// Groups that were run, in all programs.
static GROUPS: AtomicUsize = AtomicUsize::new(0);

type Gives = Result<u64, &'static str>;
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

fn boxed(draw: Draw, depth: u64, group: Group<u64, &'static str>, there: There) -> Boxed<Gives> {
    Box::pin(child(draw, depth, group, there))
}

/// What a task of a group does.
async fn child(mut draw: Draw, depth: u64, group: Group<u64, &'static str>, there: There) -> Gives {
    let mut there = there;
    let truth = there.truth.clone();
    let (tx, rx) = channel::bounded::<u64>(1);
    let gives = match draw.below(10) {
        0 => Err("failed"),
        1 => {
            draw.pause().await;
            resume_unwind(Box::new("panicked"))
        }
        2 => rx.recv().await.map_err(|_| "asked"),
        // It ignores that it is asked.
        3 => pending().await,
        4 => {
            cancel::cancelled().await;
            draw.pause().await;
            Err("asked")
        }
        5 | 6 if depth < DEEPEST => {
            program(draw.clone(), depth + 1).await;
            Ok(5)
        }
        7 => {
            for _ in 0..draw.below(3) {
                let (draw, there) = (Draw(draw.below(1 << 30)), There::new(&truth));
                if let Err((_, brother)) =
                    group.try_spawn(boxed(draw, DEEPEST, group.clone(), there))
                {
                    drop(brother);
                    truth.dropped.fetch_sub(1, Ordering::Relaxed);
                }
            }
            Ok(7)
        }
        8 => {
            let cause = (draw.below(4) == 0).then(|| group.cancel("from inside"));
            draw.pause().await;
            if cause.is_some() { Err("it was me") } else { Ok(8) }
        }
        _ => {
            draw.pause().await;
            Ok(9)
        }
    };
    drop(tx);
    there.done = true;
    Truth::add(if gives.is_ok() { &truth.succeeded } else { &truth.failed });
    gives
}

type Ran = Result<Result<(), GroupError<&'static str>>, Box<dyn Any + Send>>;

/// What the group says is what has become of its tasks.
fn check(policy: Policy, body_failed: bool, truth: &Truth, ran: Ran) {
    assert_eq!(Truth::read(&truth.there), 0, "no task is left when it is over");
    assert_eq!(Truth::read(&truth.deferred), 2, "what was deferred has run");
    let (failed, panicked) = (Truth::read(&truth.failed), Truth::read(&truth.panicked));
    let (dropped, succeeded) = (Truth::read(&truth.dropped), Truth::read(&truth.succeeded));
    let ran = match ran {
        Ok(ran) => ran,
        Err(payload) => {
            assert_eq!(payload.downcast_ref(), Some(&"panicked"));
            assert!(policy == Policy::FailFast && panicked > 0);
            return;
        }
    };
    assert!(policy != Policy::FailFast || panicked == 0, "a panic goes on");
    let Err(error) = ran else {
        match policy {
            Policy::FailFast | Policy::Collect => {
                assert_eq!((failed, panicked, body_failed), (0, 0, false));
            }
            Policy::FirstOk => assert!(succeeded > 0 || failed + panicked + dropped == 0),
            _ => {}
        }
        assert!(!body_failed);
        assert!(policy == Policy::FirstOk && succeeded > 0 || dropped == 0);
        return;
    };
    let mut errors = vec![error.first];
    errors.extend(error.others);
    let count = |is: fn(&ChildError<&'static str>) -> bool| errors.iter().filter(|e| is(e)).count();
    let bodies = usize::from(body_failed);
    if policy == Policy::Supervise {
        assert!(count(|e| matches!(e, ChildError::Failed(_))) <= bodies);
    } else {
        assert_eq!(count(|e| matches!(e, ChildError::Failed(_))), failed + bodies);
        assert_eq!(count(|e| matches!(e, ChildError::Panicked(_))), panicked);
    }
    assert!(
        error.dropped == dropped || error.dropped == dropped + 1,
        "the body may be dropped, too"
    );
}

/// A group drawn from a seed, and whatever befalls it.
fn program(mut draw: Draw, depth: u64) -> Boxed<()> {
    Box::pin(async move {
        Truth::add(&GROUPS);
        let truth = Arc::new(Truth::default());
        let policies = [Policy::FailFast, Policy::Collect, Policy::FirstOk, Policy::Supervise];
        let policy = policies[draw.below(4) as usize];
        let mut group = TaskGroup::new().policy(policy).grace(draw.time());
        if draw.below(2) == 0 {
            group = group.limit(1 + draw.below(3) as usize);
        }
        // Some tasks end only when they are asked.
        let limit = if draw.below(3) == 0 { draw.time() } else { Duration::from_secs(5) };
        group = group.timeout(limit);
        let body_fails = draw.below(8) == 0;
        let mut inside = draw.clone();
        let of = truth.clone();
        let (asked, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (told, body_failed) = (asked.clone(), failed.clone());
        let body = move |group: Group<u64, &'static str>| async move {
            let guard = group.token().on_cancel(move |_| Truth::add(&told));
            for _ in 0..2 {
                let (of, mut draw) = (of.clone(), inside.clone());
                group.defer_async(async move {
                    assert_eq!(Truth::read(&of.there), 0, "after all have ended");
                    assert!(cancel::check().is_ok(), "nobody can ask it to stop");
                    draw.pause().await;
                    Truth::add(&of.deferred);
                });
            }
            for _ in 0..inside.below(5) {
                let there = There::new(&of);
                let draw = Draw(inside.below(1 << 30));
                if group.spawn(boxed(draw, depth, group.clone(), there)).await.is_err() {
                    // It was made and dropped, and was no task of the group.
                    of.dropped.fetch_sub(1, Ordering::Relaxed);
                    break;
                }
                inside.pause().await;
            }
            if body_fails {
                Truth::add(&body_failed);
                return Err("the body failed");
            }
            inside.pause().await;
            drop(guard);
            Ok(())
        };
        let request = CancellationToken::new();
        let run = AssertUnwindSafe(request.scope(group.run(body))).catch_unwind();
        match draw.below(5) {
            0 => {
                let run = timeout(draw.time(), run).await;
                if let Ok(ran) = run {
                    check(policy, Truth::read(&failed) > 0, &truth, ran);
                } else {
                    // The grace, and a little more for those who run first.
                    let end = Duration::from_secs(30);
                    let gone = async {
                        while Truth::read(&truth.there) > 0 {
                            sleep(Duration::from_millis(1)).await;
                        }
                    };
                    assert!(timeout(end, cancel::shield(gone)).await.is_ok(), "they are dropped");
                }
            }
            1 => {
                let (stop, wait) = (request.clone(), draw.time());
                let stopper = goro::spawn(async move {
                    sleep(wait).await;
                    stop.cancel_with("from outside")
                });
                let ran = run.await;
                check(policy, Truth::read(&failed) > 0, &truth, ran);
                assert!(stopper.await.unwrap());
                assert_eq!(request.cause(), Some(Cause::new("from outside")));
            }
            _ => {
                let ran = run.await;
                check(policy, Truth::read(&failed) > 0, &truth, ran);
            }
        }
        assert!(Truth::read(&asked) <= 1, "it is cancelled once");
    })
}

#[test]
fn whatever_happens_a_group_tells_the_truth_and_leaves_nothing() {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let sim = if seed % 2 == 0 { sim } else { sim.faults(Faults::bearable()) };
        let run = sim.workers(1 + (seed % 3) as usize).run(async move {
            program(Draw(seed), 0).await;
            // Those of groups that were dropped half-way have their grace.
            sleep(Duration::from_secs(60)).await;
            let metrics = goro::runtime::Handle::current().metrics();
            assert_eq!(metrics.tasks_live, 0);
        });
        run.unwrap_or_else(|failure| panic!("{failure}"));
    });
    println!("groups: {}", Truth::read(&GROUPS));
}

/// Whichever future of a group's is dropped, and wherever: no task is left, and no place is lost.
#[test]
fn groups_may_be_dropped_anywhere() {
    Sim::new(1)
        .run(async {
            let there = Arc::new(AtomicUsize::new(0));
            struct Counted(Arc<AtomicUsize>);
            impl Drop for Counted {
                fn drop(&mut self) {
                    self.0.fetch_sub(1, Ordering::Relaxed);
                }
            }
            let counted = || {
                Truth::add(&there);
                Counted(there.clone())
            };
            for policy in [Policy::FailFast, Policy::Collect, Policy::FirstOk, Policy::Supervise] {
                let start = || {
                    let group = TaskGroup::new().policy(policy).limit(2).grace(Duration::ZERO);
                    let counted = &counted;
                    group.run(async move |group: Group<u64, &'static str>| {
                        group.defer_async(async { yield_now().await });
                        for number in 0..4 {
                            let counted = counted();
                            let child = async move {
                                let _counted = counted;
                                yield_now().await;
                                sleep(Duration::from_millis(1)).await;
                                if number == 3 { Err("failed") } else { Ok(number) }
                            };
                            if group.spawn(child).await.is_err() {
                                break;
                            }
                        }
                        yield_now().await;
                        Ok(())
                    })
                };
                let points = cancel_at_every_point(start, |_| {
                    assert_eq!(there.load(Ordering::Relaxed), 0, "{policy:?}");
                })
                .await;
                assert!(points >= 4, "{points}");
            }

            let start = || {
                let group = TaskGroup::<u64, &'static str>::new().grace(Duration::ZERO);
                let counted = &counted;
                group.first_ok(async move |group| {
                    let (first, second) = (counted(), counted());
                    group
                        .spawn(
                            async move { pending::<Gives>().map(|gives| (first, gives).1).await },
                        )
                        .await
                        .ok();
                    group
                        .spawn(async move {
                            let _second = second;
                            sleep(Duration::from_millis(1)).await;
                            Ok(2)
                        })
                        .await
                        .ok();
                    Ok(())
                })
            };
            let points = cancel_at_every_point(start, |_| {
                assert_eq!(there.load(Ordering::Relaxed), 0);
            })
            .await;
            assert!(points >= 1, "{points}");
        })
        .unwrap();
}

/// The other futures that end tasks: sets, groups that are waited for, handles that ask, scopes in one task.
#[test]
fn whoever_waits_for_tasks_may_be_dropped_anywhere() {
    Sim::new(1)
        .run(async {
            let there = AtomicUsize::new(0);
            let children = || async {
                local_scope(async |scope| {
                    for rounds in 0..3 {
                        Truth::add(&there);
                        let gone = goro_gone(&there);
                        scope.spawn(async move {
                            let _gone = gone;
                            for _ in 0..rounds {
                                yield_now().await;
                            }
                        });
                    }
                    yield_now().await;
                })
                .await;
            };
            let points = cancel_at_every_point(children, |_| {
                assert_eq!(there.load(Ordering::Relaxed), 0);
            })
            .await;
            assert!(points >= 2, "{points}");

            let live = || goro::runtime::Handle::current().metrics().tasks_live;
            let set = || async {
                let mut set: JoinSet<u64> = (0..3).map(|n| async move { n }).collect();
                set.spawn(pending());
                set.join_next().await;
                set.shutdown().await;
            };
            cancel_at_every_point(set, |_| assert_eq!(live(), 0)).await;
            let group = || async {
                let group = WaitGroup::new();
                group.go(yield_now());
                group.wait().await;
            };
            cancel_at_every_point(group, |_| assert_eq!(live(), 0)).await;
            let asks = || async {
                let polite = goro::spawn(cancel::cancelled());
                polite.cancel("enough").await
            };
            cancel_at_every_point(asks, |_| assert_eq!(live(), 0)).await;
        })
        .unwrap();
}

/// Counts down when it goes.
fn goro_gone(there: &AtomicUsize) -> impl Drop + Send + '_ {
    struct Gone<'a>(&'a AtomicUsize);
    impl Drop for Gone<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    Gone(there)
}
