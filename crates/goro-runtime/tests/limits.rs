//! Limits on tasks: what is refused says so, is dropped at once, and a place that is free is given.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, JoinHandle, yield_now};
use goro_runtime::{BuildError, Builder, Runtime, block_on, spawn, task, try_spawn};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn limited(workers: usize, tasks: usize) -> Runtime {
    Builder::new().workers(workers).max_tasks(tasks).build().unwrap()
}

fn cause<T>(handle: JoinHandle<T>) -> Option<Cause> {
    block_on(handle).err().and_then(|error| error.cause().cloned())
}

struct Counted(Arc<AtomicUsize>);
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_limit_of_no_tasks_is_refused_and_a_huge_one_is_none() {
    let error = Builder::new().max_tasks(0).build().unwrap_err();
    assert!(matches!(error, BuildError::NoTasks), "{error:?}");
    assert!(error.to_string().contains("ask for 1 or more"));
    let error = Builder::new().max_tasks(0).build_scripted(Some(1)).unwrap_err();
    assert!(matches!(error, BuildError::NoTasks), "{error:?}");
    let runtime = limited(1, usize::MAX);
    assert_eq!(block_on(runtime.spawn(async { 5 })).unwrap(), 5);
}

#[test]
fn at_the_limit_spawn_drops_the_future_at_once_and_says_why() {
    let runtime = limited(1, 3);
    let waiting: Vec<_> = (0..3).map(|_| runtime.spawn(pending::<()>())).collect();
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = Counted(dropped.clone());
    let refused = runtime.spawn(async move {
        let _counted = counted;
    });
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "before anything else");
    assert!(refused.is_finished());
    assert_eq!(cause(refused), Some(Cause::Limit));
    assert_eq!(runtime.metrics().tasks_refused, 1);
    assert_eq!(runtime.metrics().tasks_live, 3);
    waiting[0].abort();
    assert_eq!(cause(waiting.into_iter().next().unwrap()), Some(Cause::Aborted));
    assert_eq!(block_on(runtime.spawn(async { 7 })).unwrap(), 7, "there is a place again");
}

#[test]
fn at_the_limit_try_spawn_gives_the_future_back() {
    let runtime = limited(1, 1);
    let waiting = runtime.spawn(pending::<()>());
    {
        let _inside = runtime.enter();
        let error = try_spawn(async { 3 }).unwrap_err();
        assert!(error.is_limit() && !error.is_shutting_down());
        assert!(error.to_string().contains("Builder::max_tasks"), "{error}");
        assert_eq!(block_on(error.into_future()), 3);
        let named = task::Builder::new().name("named").try_spawn(async { 4 }).unwrap_err();
        assert!(named.is_limit());
        waiting.abort();
        assert!(block_on(waiting).is_err());
        assert_eq!(block_on(try_spawn(async { 5 }).unwrap()).unwrap(), 5);
    }
}

/// Whoever has joined a task finds its place free.
#[test]
fn a_place_is_free_before_the_handle_can_tell() {
    let runtime = limited(2, 1);
    for n in 0..2_000 {
        assert_eq!(block_on(runtime.spawn(async move { n })).unwrap(), n);
    }
    assert_eq!(runtime.metrics().tasks_refused, 0);
}

#[test]
fn the_place_of_one_that_panics_or_is_refused_is_not_lost() {
    let runtime = limited(1, 2);
    for _ in 0..50 {
        let task = runtime.spawn(async { std::panic::resume_unwind(Box::new(1)) });
        let result: Result<(), _> = block_on(task);
        assert!(result.unwrap_err().is_panic());
        let both = [runtime.spawn(pending::<()>()), runtime.spawn(pending::<()>())];
        assert_eq!(cause(runtime.spawn(async {})), Some(Cause::Limit));
        for task in both {
            task.abort();
            assert_eq!(cause(task), Some(Cause::Aborted));
        }
    }
}

/// Inside and outside of workers, the limit holds whatever races.
#[test]
fn never_more_tasks_than_the_limit_are_live() {
    for most in [1, 2, 7] {
        let runtime = limited(2, most);
        let (inside, highest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (handle, inside, highest) =
                    (runtime.handle().clone(), inside.clone(), highest.clone());
                std::thread::spawn(move || {
                    let mut refused = 0;
                    for _ in 0..500 {
                        let (inside, highest) = (inside.clone(), highest.clone());
                        let task = handle.spawn(async move {
                            let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                            highest.fetch_max(now, Ordering::SeqCst);
                            yield_now().await;
                            inside.fetch_sub(1, Ordering::SeqCst);
                        });
                        match cause(task) {
                            None => {}
                            Some(Cause::Limit) => refused += 1,
                            Some(other) => panic!("{other}"),
                        }
                    }
                    refused
                })
            })
            .collect();
        let refused: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!(highest.load(Ordering::SeqCst) <= most);
        assert_eq!(runtime.metrics().tasks_refused, refused);
        assert_eq!(runtime.metrics().tasks_live, 0);
    }
}

/// Tasks that spawn tasks, under every order of a script: all are accounted for.
#[test]
fn under_any_schedule_each_spawn_is_a_task_or_refused() {
    for seed in 0..200 {
        let mut script = Builder::new().workers(3).max_tasks(4).build_scripted(Some(seed)).unwrap();
        let (ran, refused) = script
            .run(async {
                let (mut ran, mut refused) = (0, 0);
                for _ in 0..20 {
                    let batch: Vec<_> = (0..5)
                        .map(|_| {
                            spawn(async {
                                yield_now().await;
                                drop(spawn(async {}));
                            })
                        })
                        .collect();
                    for task in batch {
                        match task.await {
                            Ok(()) => ran += 1,
                            Err(error) => {
                                assert_eq!(error.cause(), Some(&Cause::Limit));
                                refused += 1;
                            }
                        }
                    }
                }
                (ran, refused)
            })
            .unwrap();
        assert_eq!(ran + refused, 100, "seed {seed}");
        assert!(ran >= 20 && refused >= 20, "seed {seed}: {ran} ran, {refused} were refused");
        script.run_until_stalled();
        assert_eq!(script.handle().metrics().tasks_live, 0);
    }
}

#[test]
fn the_next_runtime_has_no_limit_left_over() {
    for _ in 0..20 {
        let runtime = limited(1, 1);
        drop(runtime.spawn(pending::<()>()));
        drop(runtime);
        let runtime = Builder::new().workers(1).build().unwrap();
        let tasks: Vec<_> = (0..100).map(|_| runtime.spawn(yield_now())).collect();
        assert!(tasks.into_iter().all(|task| block_on(task).is_ok()));
    }
}
