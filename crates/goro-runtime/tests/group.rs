//! Groups: each policy against each end of a child, with the order in which things happened.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use futures::FutureExt;
use futures::future::Either;
use goro_runtime::Builder;
use goro_runtime::task::{Cause, ChildError, Group, GroupError, JoinSet, Policy, TaskGroup};
use goro_runtime::time::{self, Duration, sleep, timeout};
use goro_sync::{CancellationToken, Event, cancel, channel};
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// On a script, so that time passes only when everybody waits.
fn on_two<F: Future + Send + 'static>(test: F) -> F::Output
where
    F::Output: Send + 'static,
{
    on_script(1, test)
}

fn on_script<F: Future + Send + 'static>(seed: u64, test: F) -> F::Output
where
    F::Output: Send + 'static,
{
    let mut script = Builder::new().workers(2).build_scripted(Some(seed)).unwrap();
    script.run(test).unwrap()
}

/// Schedules to run under.
const SEEDS: u64 = 20;

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn read(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// Notes that it was dropped.
struct Gone(Log, &'static str);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// How the child under test ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Ok,
    Error,
    Panic,
    Cancel,
    Deadline,
}

/// Waits, politely: ends when it is asked to.
async fn polite(log: Log, go_on: Arc<Event>) -> Result<u32, &'static str> {
    let _gone = Gone(log.clone(), "other gone");
    let (go_on, asked) = (pin!(go_on.wait()), pin!(cancel::cancelled()));
    match futures::future::select(go_on, asked).await {
        Either::Left(_) => {
            log.note("other done");
            Ok(2)
        }
        Either::Right(_) => {
            log.note("other asked");
            Err("asked")
        }
    }
}

async fn one(end: End, log: Log, group: Group<u32, &'static str>) -> Result<u32, &'static str> {
    let _gone = Gone(log.clone(), "one gone");
    match end {
        End::Ok => Ok(1),
        End::Error => Err("one failed"),
        End::Panic => panic!("one panicked"),
        End::Cancel => {
            group.cancel("on request");
            Err("one asked")
        }
        End::Deadline => {
            cancel::cancelled().await;
            Err("one asked")
        }
    }
}

type Ran = Result<Result<(), GroupError<&'static str>>, Box<dyn std::any::Any + Send>>;

/// Runs a group of one child that ends so, and another one that goes on until it is let go or asked.
fn run(seed: u64, policy: Policy, end: End) -> (Ran, Vec<&'static str>) {
    let log = Log::default();
    let ran = on_script(seed, {
        let log = log.clone();
        async move {
            let go_on = Arc::new(Event::new());
            let group = TaskGroup::new().policy(policy).grace(Duration::from_secs(60));
            let group =
                if end == End::Deadline { group.timeout(Duration::from_millis(5)) } else { group };
            let body = {
                let (log, go_on) = (log.clone(), go_on.clone());
                move |group: Group<u32, &'static str>| async move {
                    let deferred = log.clone();
                    group.defer_async(async move { deferred.note("deferred") });
                    group.spawn(polite(log.clone(), go_on.clone())).await.unwrap();
                    while group.running() < 1 {
                        sleep(Duration::from_micros(100)).await;
                    }
                    group.spawn(one(end, log.clone(), group.clone())).await.unwrap();
                    while !log.read().contains(&"one gone") {
                        sleep(Duration::from_micros(100)).await;
                    }
                    // It is let go only if it is not to be cancelled by the end of the first one.
                    let patience = Duration::from_millis(50);
                    if timeout(patience, group.token().cancelled()).await.is_err() {
                        go_on.set();
                    }
                    log.note("body done");
                    Ok(())
                }
            };
            let ran = AssertUnwindSafe(group.run(body)).catch_unwind().await;
            log.note("run done");
            ran
        }
    });
    (ran, log.read())
}

fn at(log: &[&'static str], what: &str) -> usize {
    log.iter().position(|noted| *noted == what).unwrap_or_else(|| panic!("{what} in {log:?}"))
}

/// What holds whatever the policy: all are gone, then what was deferred runs, then `run` is done.
fn check_order(log: &[&'static str]) {
    for gone in ["one gone", "other gone", "body done"] {
        assert!(at(log, gone) < at(log, "deferred"), "{log:?}");
    }
    assert_eq!(&log[log.len() - 2..], ["deferred", "run done"], "{log:?}");
}

fn error(ran: Ran) -> GroupError<&'static str> {
    ran.unwrap_or_else(|_| panic!("it panicked")).unwrap_err()
}

#[test]
fn failing_fast() {
    for seed in 0..SEEDS {
        let (ran, log) = run(seed, Policy::FailFast, End::Ok);
        assert_eq!((ran.unwrap(), log.contains(&"other done")), (Ok(()), true));
        check_order(&log);

        let (ran, log) = run(seed, Policy::FailFast, End::Error);
        assert_eq!(error(ran).first, ChildError::Failed("one failed"));
        assert!(at(&log, "one gone") < at(&log, "other asked"));
        check_order(&log);

        let (ran, log) = run(seed, Policy::FailFast, End::Panic);
        let payload = ran.unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"one panicked"), "in the parent");
        assert!(at(&log, "one gone") < at(&log, "other asked"));
        check_order(&log);

        let (ran, log) = run(seed, Policy::FailFast, End::Cancel);
        let error_ = error(ran);
        assert_eq!(error_.others.len(), 1, "{error_:?}");
        assert!(log.contains(&"other asked"));
        check_order(&log);

        let (ran, log) = run(seed, Policy::FailFast, End::Deadline);
        assert!(error(ran).others.len() == 1 && log.contains(&"other asked"));
        check_order(&log);
    }
}

#[test]
fn collecting() {
    for seed in 0..SEEDS {
        let (ran, log) = run(seed, Policy::Collect, End::Ok);
        assert_eq!((ran.unwrap(), log.contains(&"other done")), (Ok(()), true));
        check_order(&log);

        let (ran, log) = run(seed, Policy::Collect, End::Error);
        let failed = error(ran);
        assert_eq!((failed.first, failed.others), (ChildError::Failed("one failed"), vec![]));
        assert!(log.contains(&"other done"), "the others go on");
        check_order(&log);

        let (ran, log) = run(seed, Policy::Collect, End::Panic);
        let ChildError::Panicked(cause) = error(ran).first else { panic!("it panicked") };
        assert_eq!(cause, Cause::Panicked("one panicked".into()));
        assert!(log.contains(&"other done"));
        check_order(&log);

        for end in [End::Cancel, End::Deadline] {
            let (ran, log) = run(seed, Policy::Collect, end);
            assert_eq!(error(ran).others.len(), 1);
            assert!(log.contains(&"other asked"));
            check_order(&log);
        }
    }
}

#[test]
fn first_success() {
    for seed in 0..SEEDS {
        let (ran, log) = run(seed, Policy::FirstOk, End::Ok);
        assert_eq!(ran.unwrap(), Ok(()));
        assert!(at(&log, "one gone") < at(&log, "other asked"));
        check_order(&log);

        for end in [End::Error, End::Panic] {
            let (ran, log) = run(seed, Policy::FirstOk, end);
            assert_eq!(ran.unwrap(), Ok(()), "the other one has succeeded");
            assert!(log.contains(&"other done"));
            check_order(&log);
        }
        for end in [End::Cancel, End::Deadline] {
            let (ran, log) = run(seed, Policy::FirstOk, end);
            assert_eq!(error(ran).others.len(), 1);
            assert!(log.contains(&"other asked"));
            check_order(&log);
        }
    }
}

#[test]
fn supervising() {
    for seed in 0..SEEDS {
        for end in [End::Ok, End::Error, End::Panic] {
            let (ran, log) = run(seed, Policy::Supervise, end);
            assert_eq!(ran.unwrap(), Ok(()));
            assert!(log.contains(&"other done"));
            check_order(&log);
        }
        for end in [End::Cancel, End::Deadline] {
            let (ran, log) = run(seed, Policy::Supervise, end);
            assert_eq!(ran.unwrap(), Ok(()));
            assert!(log.contains(&"other asked"));
            check_order(&log);
        }
    }
}

/// Dropped half-way, under whatever policy: the children are asked, and dropped when the grace is over.
#[test]
fn a_run_that_is_dropped_takes_its_children_along() {
    for policy in [Policy::FailFast, Policy::Collect, Policy::FirstOk, Policy::Supervise] {
        let log = Log::default();
        let noted = log.clone();
        on_two(async move {
            let log = noted;
            let (polite_log, rude_log) = (log.clone(), log.clone());
            let run = TaskGroup::new().policy(policy).grace(Duration::from_millis(500)).run(
                async move |group: Group<u32, &'static str>| {
                    let go_on = Arc::new(Event::new());
                    group.spawn(polite(polite_log, go_on)).await.unwrap();
                    group
                        .spawn(async move {
                            let _gone = Gone(rude_log.clone(), "rude gone");
                            rude_log.note("rude begun");
                            pending().await
                        })
                        .await
                        .unwrap();
                    pending::<Result<(), _>>().await
                },
            );
            let mut run = Box::pin(run);
            while !log.read().contains(&"rude begun") {
                let _waits = timeout(Duration::from_millis(1), &mut run).await;
            }
            drop(run);
            while log.read().iter().filter(|noted| noted.ends_with("gone")).count() < 2 {
                sleep(Duration::from_millis(1)).await;
            }
        });
        let log = log.read();
        assert!(at(&log, "other asked") < at(&log, "rude gone"), "{policy:?}: {log:?}");
    }
}

#[test]
fn who_does_not_end_in_time_is_dropped() {
    on_two(async {
        let start = time::now();
        let group = TaskGroup::new().grace(Duration::from_millis(20));
        let ran = group
            .run(async |group: Group<(), &'static str>| {
                group.spawn(pending()).await.unwrap();
                group.spawn(async { Err("failed") }).await.unwrap();
                // Nor does the body.
                pending::<Result<(), _>>().await
            })
            .await;
        let error = ran.unwrap_err();
        assert_eq!((error.first, error.dropped), (ChildError::Failed("failed"), 2));
        assert!(time::now() >= start + Duration::from_millis(20));
    });
}

#[test]
fn a_limit_holds_back_who_spawns() {
    on_two(async {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = most.clone();
        let group = TaskGroup::new().limit(3);
        let ran = group.run(async move |group: Group<(), &'static str>| {
            for number in 0..50 {
                let (running, most) = (running.clone(), most.clone());
                let child = async move {
                    let now = running.fetch_add(1, Ordering::Relaxed) + 1;
                    most.fetch_max(now, Ordering::Relaxed);
                    sleep(Duration::from_micros(100 * (number % 4))).await;
                    running.fetch_sub(1, Ordering::Relaxed);
                    Ok(())
                };
                group.spawn(child).await.unwrap();
            }
            Ok(())
        });
        ran.await.unwrap();
        assert!((1..=3).contains(&seen.load(Ordering::Relaxed)));
    });
}

/// One that waits for a place in a group is told when that is cancelled.
#[test]
fn who_waits_for_a_place_is_told() {
    on_two(async {
        let ran = TaskGroup::new()
            .limit(1)
            .grace(Duration::ZERO)
            .run(async |group: Group<(), &'static str>| {
                group.spawn(pending()).await.unwrap();
                let (cause, _future) = group.try_spawn(pending()).unwrap_err();
                assert_eq!(cause, Cause::Limit);
                let mut waits = pin!(group.spawn(pending()));
                assert!(timeout(Duration::from_millis(1), &mut waits).await.is_err());
                group.cancel("enough");
                assert_eq!(waits.await, Err(Cause::new("enough")));
                Ok(())
            })
            .await;
        assert_eq!(ran.unwrap_err().first, ChildError::Cancelled("enough".into()));
    });
}

/// Results are given out one by one and kept nowhere; no memory stays of those who have ended.
#[test]
fn results_are_streamed() {
    let sum = Arc::new(AtomicUsize::new(0));
    let counted = sum.clone();
    on_two(
        TaskGroup::new()
            .limit(4)
            .each(move |value: usize| {
                counted.fetch_add(value, Ordering::Relaxed);
            })
            .run(async |group: Group<usize, &'static str>| {
                for number in 0..1_000 {
                    group.spawn(async move { Ok(number) }).await.unwrap();
                }
                Ok(())
            }),
    )
    .unwrap();
    assert_eq!(sum.load(Ordering::Relaxed), 499_500);
}

/// The token that is ambient where a group is run reaches all of it; the group's reaches nobody above.
#[test]
fn groups_nest() {
    on_two(async {
        let outer = CancellationToken::new();
        let (_tx, rx) = channel::bounded::<u8>(1);
        let cancel = outer.clone();
        let ran = outer
            .scope(TaskGroup::new().run(async move |group: Group<(), &'static str>| {
                let inner = TaskGroup::new().run(async move |group: Group<(), &'static str>| {
                    group
                        .spawn(async move {
                            assert!(rx.recv().await.unwrap_err().0.is_cancelled());
                            Err("heard")
                        })
                        .await
                        .unwrap();
                    Ok(())
                });
                group.spawn(async move { inner.await.map_err(|_| "inner failed") }).await.unwrap();
                sleep(Duration::from_millis(2)).await;
                cancel.cancel_with("from above");
                Ok(())
            }))
            .await;
        assert_eq!(ran.unwrap_err().first, ChildError::Failed("inner failed"));

        let alone = CancellationToken::new();
        let failed = alone
            .scope(TaskGroup::new().run(async |group: Group<(), &'static str>| {
                group.spawn(async { Err("failed") }).await.unwrap();
                Ok(())
            }))
            .await;
        assert!(failed.is_err() && !alone.is_cancelled());
    });
}

/// Children may spawn into their group, and are waited for; nobody may when it is over.
#[test]
fn children_spawn_brothers_until_the_group_is_over() {
    on_two(async {
        let ended = Arc::new(AtomicUsize::new(0));
        let mut kept = None;
        TaskGroup::new()
            .run(async |group: Group<(), &'static str>| {
                kept = Some(group.clone());
                descend(group, 20, ended.clone()).await;
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(ended.load(Ordering::Relaxed), 20);
        let late = kept.unwrap().spawn(async { Ok(()) }).await;
        assert_eq!(late.unwrap_err().to_string(), "the group is over");
    });
}

fn descend(
    group: Group<(), &'static str>,
    depth: usize,
    ended: Arc<AtomicUsize>,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let below = group.clone();
        let child = async move {
            ended.fetch_add(1, Ordering::Relaxed);
            if depth > 1 {
                descend(below, depth - 1, ended).await;
            }
            Ok(())
        };
        group.spawn(child).await.unwrap();
    })
}

#[test]
fn a_set_gives_outcomes_as_they_come_and_aborts_when_it_is_dropped() {
    on_two(async {
        let mut set: JoinSet<u32> = (0..10).map(|number| async move { number }).collect();
        set.spawn_blocking(|| 10);
        let mut all = Vec::new();
        while let Some(outcome) = set.join_next().await {
            all.push(outcome.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, (0..=10).collect::<Vec<_>>());
        assert!(set.is_empty() && set.try_join_next().is_none());

        let log = Log::default();
        let gone = Gone(log.clone(), "gone");
        let abort = set.spawn(async move {
            let _gone = gone;
            pending().await
        });
        set.spawn(async { panic!("in a set") });
        set.shutdown().await;
        assert!(set.is_empty() && abort.is_finished());
        assert_eq!(log.read(), ["gone"]);

        let abort = set.spawn(pending());
        drop(set);
        while !abort.is_finished() {
            sleep(Duration::from_micros(100)).await;
        }
    });
}
