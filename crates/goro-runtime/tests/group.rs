//! Groups: limits, graces, results, nesting; and sets. (How each policy ends: `group_ends.rs`.)
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::Builder;
use goro_runtime::task::{Cause, ChildError, Group, JoinSet, TaskGroup};
use goro_runtime::time::{self, Duration, sleep, timeout};
use goro_sync::{CancellationToken, channel};
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// On a script, so that time passes only when everybody waits.
fn on_two<F: Future + Send + 'static>(test: F) -> F::Output
where
    F::Output: Send + 'static,
{
    let mut script = Builder::new().workers(2).build_scripted(Some(1)).unwrap();
    script.run(test).unwrap()
}

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
