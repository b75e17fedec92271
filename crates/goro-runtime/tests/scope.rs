//! Scopes: what may be borrowed, when they are over, and that they are, whatever becomes of body, children,
//! handles and runtime.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/draw.rs"]
mod draw;

use draw::Draw;
use goro_runtime::task::{
    Cause, LocalScope, Scope, ScopedChild, local_scope, scope_blocking, yield_now,
};
use goro_runtime::time::{Duration, sleep, timeout};
use goro_runtime::{Builder, LocalRuntime, Runtime, block_on, spawn};
use goro_sync::{Event, channel};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts itself while it is there, by a counter that it borrows.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes its time to go: whoever does not wait for its destructor sees it counted.
struct Slow<'a>(#[expect(dead_code, reason = "it is dropped after the pause")] Counted<'a>);

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn panic_quietly() -> ! {
    resume_unwind(Box::new("quiet"))
}

fn two_workers() -> Runtime {
    Builder::new().workers(2).build().unwrap()
}

// --- In one task -----------------------------------------------------------------------------------

#[test]
fn local_children_borrow_and_go_on_while_the_others_wait() {
    block_on(async {
        let log = Mutex::new(Vec::new());
        let note = |what| log.lock().unwrap().push(what);
        let (ping, pong) = (Event::new(), Event::new());
        let given = local_scope(async |scope| {
            let first = scope.spawn(async {
                note("first");
                ping.set();
                pong.wait().await;
                note("first again");
                1
            });
            scope.spawn(async {
                ping.wait().await;
                note("second");
                pong.set();
            });
            note("body");
            first.await.unwrap()
        })
        .await;
        assert_eq!(given, 1);
        assert_eq!(*log.lock().unwrap(), ["body", "first", "second", "first again"]);
    });
}

/// It is waited for them also when nobody has kept their handles, and they may spawn more.
#[test]
fn a_local_scope_waits_for_all_that_its_children_spawn() {
    fn descend<'env>(scope: &LocalScope<'env>, depth: usize, ended: &'env AtomicUsize) {
        let below = scope.clone();
        scope.spawn(async move {
            yield_now().await;
            if depth > 1 {
                descend(&below, depth - 1, ended);
                descend(&below, depth - 1, ended);
            }
            ended.fetch_add(1, Ordering::Relaxed);
        });
    }
    let ended = AtomicUsize::new(0);
    block_on(local_scope(async |scope| descend(&scope, 8, &ended)));
    assert_eq!(ended.load(Ordering::Relaxed), (1 << 8) - 1);
}

/// A task is `Send`, and so is what it awaits.
#[test]
fn a_local_scope_may_be_inside_a_task() {
    let runtime = two_workers();
    let task = runtime.spawn(async {
        let numbers: Vec<u64> = (0..100).collect();
        let sum = Mutex::new(0);
        local_scope(async |scope| {
            for number in &numbers {
                let sum = &sum;
                scope.spawn(async move {
                    yield_now().await;
                    *sum.lock().unwrap() += number;
                });
            }
        })
        .await;
        sum.into_inner().unwrap()
    });
    assert_eq!(runtime.block_on(task).unwrap(), 4950);
}

/// Children that spawn without end and are ready at once do not keep others from running.
#[test]
fn a_local_scope_shares_its_worker() {
    fn again<'env>(scope: &LocalScope<'env>, stop: &'env Event) {
        let next = scope.clone();
        scope.spawn(async move {
            if !stop.is_set() {
                again(&next, stop);
            }
        });
    }
    let runtime = Builder::new().workers(1).build().unwrap();
    let stop = std::sync::Arc::new(Event::new());
    let stopper = stop.clone();
    let endless =
        runtime.spawn(async move { local_scope(async |scope| again(&scope, &stop)).await });
    let other = runtime.spawn(async move { stopper.set() });
    assert!(runtime.block_on(other).unwrap());
    assert!(runtime.block_on(endless).is_ok());
}

/// Dropped at whatever point it takes its children along, also those that hold the scope, and those that it has
/// not polled.
#[test]
fn a_local_scope_that_is_dropped_takes_its_children_along() {
    let there = AtomicUsize::new(0);
    let mut kept = None;
    block_on(async {
        let scope = local_scope(async |scope| {
            let late = scope.clone();
            kept = Some(scope.clone());
            for _ in 0..3 {
                let (counted, holds) = (Counted::new(&there), scope.clone());
                scope.spawn(async move {
                    let _both = (counted, holds);
                    pending::<()>().await;
                });
            }
            yield_now().await;
            let counted = Counted::new(&there);
            let _never_polled = late.spawn(async move { drop(counted) });
            assert_eq!(there.load(Ordering::Relaxed), 4);
            panic_quietly()
        });
        let dropped = AssertUnwindSafe(scope);
        assert!(futures::FutureExt::catch_unwind(dropped).await.is_err());
        assert_eq!(there.load(Ordering::Relaxed), 0);

        let run = local_scope(async |scope| {
            let counted = Counted::new(&there);
            scope.spawn(async move {
                let _counted = counted;
                pending::<()>().await;
            });
        });
        assert!(timeout(Duration::from_millis(1), run).await.is_err());
        assert_eq!(there.load(Ordering::Relaxed), 0);
        let late = kept.take().unwrap().spawn(async { 1 });
        assert_eq!(late.await.unwrap_err().to_string(), "the scope is over");
    });
}

#[test]
fn a_local_childs_panic_is_the_scopes() {
    let there = AtomicUsize::new(0);
    let scope = local_scope(async |scope| {
        let counted = Counted::new(&there);
        scope.spawn(async move {
            let _counted = counted;
            pending::<()>().await;
        });
        scope.spawn(async { panic_quietly() });
        pending::<()>().await;
    });
    let ended = catch_unwind(AssertUnwindSafe(|| block_on(scope)));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"quiet"));
    assert_eq!(there.load(Ordering::Relaxed), 0);
}

// --- In parallel -----------------------------------------------------------------------------------

fn sum_in_parallel(numbers: &[u64]) -> u64 {
    scope_blocking(|scope| {
        let parts: Vec<_> = numbers
            .chunks(10)
            .map(|part| {
                scope.spawn(async move {
                    yield_now().await;
                    part.iter().sum::<u64>()
                })
            })
            .collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    })
}

/// Legal on a plain thread, in a task of a runtime with one worker, in a task of a local runtime, in a blocking job,
/// and inside another one.
#[test]
fn a_scope_may_block_anywhere() {
    let numbers: Vec<u64> = (0..100).collect();
    let runtime = Builder::new().workers(1).build().unwrap();
    let inside = runtime.enter();
    assert_eq!(sum_in_parallel(&numbers), 4950);
    drop(inside);
    let (ours, theirs) = (numbers.clone(), numbers.clone());
    assert_eq!(
        runtime.block_on(runtime.spawn(async move { sum_in_parallel(&ours) })).unwrap(),
        4950
    );
    assert_eq!(runtime.block_on(async { sum_in_parallel(&numbers) }), 4950);
    let job = runtime.spawn_blocking(move || sum_in_parallel(&theirs));
    assert_eq!(runtime.block_on(job).unwrap(), 4950);
    let nested = runtime.block_on(async {
        scope_blocking(|scope| {
            let outer = scope.spawn(async { sum_in_parallel(&numbers) });
            outer.join().unwrap() + sum_in_parallel(&numbers)
        })
    });
    assert_eq!(nested, 2 * 4950);
    let local = LocalRuntime::new().unwrap();
    assert_eq!(local.block_on(async { sum_in_parallel(&numbers) }), 4950);
    let mut script = Builder::new().workers(2).build_scripted(Some(1)).unwrap();
    assert_eq!(script.run(async move { sum_in_parallel(&numbers) }).unwrap(), 4950);
}

/// They may borrow mutably, run at the same time, and let in others.
#[test]
fn scoped_children_run_in_parallel_and_spawn_more() {
    fn fill<'scope>(scope: &'scope Scope<'scope, '_>, part: &'scope mut [usize]) {
        if let [one] = part {
            *one += 1;
            return;
        }
        let (left, right) = part.split_at_mut(part.len() / 2);
        scope.spawn(async move { fill(scope, left) });
        scope.spawn(async move { fill(scope, right) });
    }
    let runtime = two_workers();
    let mut places = vec![0; 1 << 8];
    runtime.block_on(async { scope_blocking(|scope| fill(scope, &mut places)) });
    assert!(places.iter().all(|place| *place == 1));

    // Each waits for the other one, inside its poll.
    let meet = std::sync::Barrier::new(2);
    let _inside = runtime.enter();
    scope_blocking(|scope| {
        for _ in 0..2 {
            scope.spawn(async { meet.wait() });
        }
    });
}

/// Pitfall 40: tasks that outlive the stack they borrow from, when that unwinds.
/// All children are gone before it is left, also when the body panics.
#[test]
fn a_body_that_panics_waits_for_the_children() {
    let runtime = two_workers();
    let _inside = runtime.enter();
    let there = AtomicUsize::new(0);
    for _ in 0..50 {
        let go_on = Event::new();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            scope_blocking(|scope| {
                for _ in 0..10 {
                    let counted = Counted::new(&there);
                    scope.spawn(async {
                        let _counted = counted;
                        go_on.wait().await;
                        yield_now().await;
                    });
                }
                go_on.set();
                panic_quietly()
            })
        }));
        assert!(ended.is_err());
        assert_eq!(there.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_childs_panic_goes_on_in_the_scope_when_all_have_ended() {
    let runtime = two_workers();
    let _inside = runtime.enter();
    let there = AtomicUsize::new(0);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        scope_blocking(|scope| {
            let panics = scope.spawn(async { panic_quietly() });
            let result: Result<(), Cause> = panics.join();
            assert_eq!(result, Err(Cause::Panicked("quiet".into())));
            let counted = Counted::new(&there);
            scope.spawn(async {
                let _counted = counted;
                sleep(Duration::from_millis(5)).await;
            });
            // In a destructor, too.
            struct Bad;
            impl Drop for Bad {
                fn drop(&mut self) {
                    panic_quietly()
                }
            }
            scope.spawn(async { drop(Bad) });
        });
    }));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"quiet"));
    assert_eq!(there.load(Ordering::Relaxed), 0);
    assert_eq!(runtime.metrics().tasks_panicked, 2);
}

/// Handles may be forgotten, dropped, or kept for longer than the scope if what they give allows it.
#[test]
fn handles_do_not_matter() {
    let runtime = two_workers();
    let _inside = runtime.enter();
    let there = AtomicUsize::new(0);
    let counted = || Counted::new(&there);
    let kept = scope_blocking(|scope| {
        let _forgotten = std::mem::ManuallyDrop::new(scope.spawn(yield_now()));
        drop(scope.spawn(async {
            yield_now().await;
            counted()
        }));
        scope.spawn(async { counted() })
    });
    assert_eq!(there.load(Ordering::Relaxed), 1, "the one that is kept");
    drop(kept.join().unwrap());
    assert_eq!(there.load(Ordering::Relaxed), 0);
}

/// The runtime stops while children wait: they are dropped, and the scope is over.
#[test]
fn a_runtime_that_stops_ends_the_children() {
    for from_inside in [false, true] {
        let there = AtomicUsize::new(0);
        let runtime = two_workers();
        let handle = runtime.handle().clone();
        let (tx, rx) = channel::bounded::<Runtime>(1);
        let _inside = handle.enter();
        let parked = Event::new();
        let ended = scope_blocking(|scope| {
            let children: Vec<_> = (0..20)
                .map(|_| {
                    let counted = Counted::new(&there);
                    scope.spawn(async {
                        let _counted = counted;
                        parked.set();
                        pending::<()>().await;
                    })
                })
                .collect();
            parked.blocking_wait();
            if from_inside {
                scope.spawn(async move { rx.recv().await.unwrap().shutdown_background() });
                tx.try_send(runtime).unwrap();
            } else {
                drop(runtime);
            }
            children.into_iter().map(ScopedChild::join).collect::<Vec<_>>()
        });
        assert_eq!(there.load(Ordering::Relaxed), 0);
        assert!(ended.len() == 20 && ended.iter().all(Result::is_err), "{ended:?}");
        // And one that takes none.
        let refused = scope_blocking(|scope| {
            let counted = Counted::new(&there);
            scope.spawn(async { drop(counted) }).join()
        });
        assert!(refused.is_err());
        assert_eq!(there.load(Ordering::Relaxed), 0);
    }
}

/// What a child holds is gone when the scope is over, also where nobody waits for its outcome.
#[test]
fn a_child_that_is_dropped_is_gone_before_the_scope_is_over() {
    let there = AtomicUsize::new(0);
    let runtime = two_workers();
    let handle = runtime.handle().clone();
    let _inside = handle.enter();
    let parked = Event::new();
    scope_blocking(|scope| {
        let slow = Slow(Counted::new(&there));
        scope.spawn(async {
            let _slow = slow;
            parked.set();
            pending::<()>().await;
        });
        parked.blocking_wait();
        runtime.shutdown_background();
    });
    assert_eq!(there.load(Ordering::Relaxed), 0);
}

/// Memory that is borrowed is overwritten as soon as the scope is over: whoever still used it would be seen by what it
/// reads. `GORO_SCOPES` says how many (300).
#[test]
fn nothing_is_used_after_the_scope() {
    let rounds = std::env::var("GORO_SCOPES").ok().and_then(|text| text.parse().ok());
    let runtime = two_workers();
    let _inside = runtime.enter();
    let wrong = AtomicUsize::new(0);
    for round in 0..rounds.unwrap_or(300) {
        let mut draw = Draw(round);
        let mut words = vec![0x600d_u64; 64];
        let ended = catch_unwind(AssertUnwindSafe(|| {
            scope_blocking(|scope| {
                for _ in 0..1 + draw.below(8) {
                    let (kind, rounds) = (draw.below(6), draw.below(20));
                    let (words, wrong) = (&words, &wrong);
                    let check = move || {
                        if words.iter().any(|word| *word != 0x600d) {
                            wrong.fetch_add(1, Ordering::Relaxed);
                        }
                    };
                    let child = scope.spawn(async move {
                        for _ in 0..rounds {
                            check();
                            yield_now().await;
                        }
                        match kind {
                            0 => panic_quietly(),
                            1 => sleep(Duration::from_micros(rounds * 10)).await,
                            2 => drop(spawn(async {})),
                            _ => {}
                        }
                        check();
                    });
                    if kind == 3 {
                        let _ended = child.join();
                    }
                }
                if draw.below(8) == 0 {
                    panic_quietly();
                }
            });
        }));
        words.fill(0xbad);
        drop((ended, words));
    }
    assert_eq!(wrong.load(Ordering::Relaxed), 0);
}
