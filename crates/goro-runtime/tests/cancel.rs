//! Ending tasks gently, and the token that tasks inherit.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use futures::future::join;
use goro_runtime::task::{Cause, ChildError, Group, TaskGroup, yield_now};
use goro_runtime::time::{self, Duration, sleep};
use goro_runtime::{Builder, Runtime, spawn, spawn_blocking};
use goro_sync::cancel::{self, shield};
use goro_sync::{CancellationToken, channel};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn on_two<F: Future>(test: F) -> F::Output {
    Builder::new().workers(2).build().unwrap().block_on(test)
}

#[test]
fn a_task_that_waits_for_a_value_ends_by_itself() {
    on_two(async {
        let (tx, rx) = channel::bounded::<u8>(1);
        let task = spawn(async move {
            let error = rx.recv().await.unwrap_err();
            // It may still take its time, and wait for what has no error to give.
            sleep(Duration::from_millis(1)).await;
            error.0.cause().cloned()
        });
        yield_now().await;
        assert_eq!(task.cancel("enough").await.unwrap(), Some(Cause::new("enough")));
        drop(tx);
    });
}

#[test]
fn a_task_that_does_not_listen_is_dropped_after_its_grace() {
    on_two(async {
        let task = spawn(std::future::pending::<()>());
        let start = time::now();
        let grace = Duration::from_millis(20);
        let error = task.cancel(Cause::Shutdown).grace(grace).await.unwrap_err();
        assert_eq!(error.cause(), Some(&Cause::Shutdown));
        assert!(time::now() >= start + grace);
    });
}

/// Whoever asks a task asks all that runs in it, also what has a token of its own: a group's body has.
#[test]
fn a_task_that_is_asked_hears_under_another_token() {
    on_two(async {
        let (tx, rx) = channel::bounded::<u8>(1);
        let token = CancellationToken::new();
        let (inner, for_body, shielded) = (token.clone(), rx.clone(), rx.clone());
        let task = spawn(async move {
            let error = inner.scope(async { rx.recv().await.unwrap_err() }).await;
            error.0.cause().cloned()
        });
        let group = spawn(TaskGroup::new().run(async move |_group: Group<(), Option<Cause>>| {
            for_body.recv().await.map_err(|error| error.0.cause().cloned())
        }));
        let spared = spawn(shield(token.clone().scope(async move { shielded.recv().await })));
        yield_now().await;
        assert_eq!(task.cancel("enough").await.unwrap(), Some(Cause::new("enough")));
        let error = group.cancel("enough").await.unwrap().unwrap_err();
        assert_eq!(error.first, ChildError::Failed(Some(Cause::new("enough"))));
        assert!(!token.is_cancelled());
        let sends = async {
            yield_now().await;
            tx.send(1).await.unwrap();
        };
        let (spared, ()) = join(spared.cancel("enough"), sends).await;
        assert_eq!(spared.unwrap(), Ok(1));
    });
}

/// Tasks inherit the token, however deep, and are woken by it where they wait.
#[test]
fn tasks_inherit_the_token_of_those_who_spawn_them() {
    on_two(async {
        let token = CancellationToken::new();
        let (_tx, rx) = channel::bounded::<u8>(1);
        let heard = Arc::new(AtomicUsize::new(0));
        let tasks = token
            .scope(async {
                let spawned = (0..10).map(|_| {
                    let (rx, heard) = (rx.clone(), Arc::clone(&heard));
                    spawn(async move {
                        let inner = spawn(async move {
                            let covered = shield(async { cancel::check() });
                            assert!(rx.recv().await.unwrap_err().0.is_cancelled());
                            assert_eq!(covered.await, Ok(()));
                            heard.fetch_add(1, Ordering::Relaxed);
                        });
                        inner.await.unwrap();
                    })
                });
                spawned.collect::<Vec<_>>()
            })
            .await;
        sleep(Duration::from_millis(5)).await;
        token.cancel_with("the end");
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(heard.load(Ordering::Relaxed), 10);
        // None of them is in line any more, and others have not inherited it.
        assert_eq!(spawn(async { cancel::check() }).await.unwrap(), Ok(()));
    });
}

#[test]
fn blocking_jobs_inherit_it_too() {
    on_two(async {
        let token = CancellationToken::new();
        token.cancel_with("enough");
        let checked = token.scope(async { spawn_blocking(cancel::check).await }).await;
        assert_eq!(checked.unwrap(), Err(Cause::new("enough")));
    });
}

/// One that waits for a thread never begins; one that runs can ask.
#[test]
fn blocking_jobs_are_cancelled() {
    let runtime = Builder::new().workers(1).blocking_threads(1).build().unwrap();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let running = runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        while !goro_runtime::blocking::is_cancelled() {
            std::thread::yield_now();
        }
        7
    });
    has_begun.recv().unwrap();
    let waiting = runtime.spawn_blocking(|| 8);
    runtime.block_on(async {
        let error = waiting.cancel("not begun").await.unwrap_err();
        assert_eq!(error.cause(), Some(&Cause::new("not begun")));
        assert_eq!(running.cancel("begun").await.unwrap(), 7);
    });
}

/// Many tasks of one token come and go; none stays in its line.
#[test]
fn a_token_forgets_tasks_that_have_ended() {
    let runtime = Runtime::new().unwrap();
    let token = CancellationToken::new();
    runtime.block_on(token.scope(async {
        for _ in 0..100 {
            let tasks: Vec<_> = (0..10).map(|_| spawn(yield_now())).collect();
            for task in tasks {
                task.await.unwrap();
            }
            let waits = spawn(std::future::pending::<()>());
            yield_now().await;
            waits.abort();
            assert!(waits.await.unwrap_err().is_cancelled());
        }
    }));
    drop(runtime);
    // Dropped by all: no task is left that holds it.
    let weak = token.on_cancel(|_| ());
    drop(token);
    assert!(format!("{weak:?}").contains("None"));
}
