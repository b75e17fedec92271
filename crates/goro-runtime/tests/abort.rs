//! Aborting tasks: from anywhere, at any moment, each future dropped once.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, JoinError, JoinHandle, yield_now};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;

const LONG: Duration = Duration::from_secs(20);

fn workers(count: usize) -> Runtime {
    Builder::new().workers(count).build().unwrap()
}

struct CountDrop(Arc<AtomicUsize>);
impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits on a plain thread; `None` when the handle does not resolve.
fn resolved<T: Send + 'static>(handle: JoinHandle<T>) -> Option<Result<T, JoinError>> {
    let (ended, wait) = mpsc::channel();
    std::thread::spawn(move || ended.send(block_on(handle)));
    wait.recv_timeout(LONG).ok()
}

/// Pitfall 29: abort from outside the runtime; and it wakes what waits for ever.
#[test]
fn from_plain_threads_and_from_another_runtime() {
    let (runtime, other) = (workers(2), workers(1));
    let dropped = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let guard = CountDrop(dropped.clone());
            runtime.spawn(async move {
                let _guard = guard;
                match n % 3 {
                    0 => pending::<()>().await,
                    1 => sleep(LONG).await,
                    _ => loop {
                        yield_now().await;
                    },
                }
            })
        })
        .collect();
    for (n, task) in tasks.iter().enumerate() {
        let abort = task.abort_handle();
        if n % 2 == 0 {
            std::thread::spawn(move || abort.abort()).join().unwrap();
        } else {
            block_on(other.spawn(async move { abort.abort() })).unwrap();
        }
    }
    for task in tasks {
        let error = resolved(task).expect("an abort wakes").unwrap_err();
        assert_eq!(error.cause(), Some(&Cause::Aborted));
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 200);
}

/// The measured row of 100k spawn+abort races: each ends as done or cancelled, once.
#[test]
fn a_hundred_thousand_races_with_the_end_of_a_task() {
    let runtime = workers(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    let (mut done, mut cancelled) = (0, 0);
    let (send, aborts) = mpsc::channel::<goro_runtime::task::AbortHandle>();
    let aborting = std::thread::spawn(move || aborts.iter().for_each(|handle| handle.abort()));
    for batch in 0..100 {
        let tasks: Vec<_> = (0..1_000)
            .map(|n| {
                let guard = CountDrop(dropped.clone());
                let task = runtime.spawn(async move {
                    let _guard = guard;
                    for _ in 0..(n + batch) % 4 {
                        yield_now().await;
                    }
                    n
                });
                send.send(task.abort_handle()).unwrap();
                task
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            match block_on(task) {
                Ok(value) => {
                    assert_eq!(value, n);
                    done += 1;
                }
                Err(error) => {
                    assert_eq!(error.cause(), Some(&Cause::Aborted));
                    cancelled += 1;
                }
            }
        }
    }
    drop(send);
    aborting.join().unwrap();
    assert_eq!(done + cancelled, 100_000);
    assert_eq!(dropped.load(Ordering::Relaxed), 100_000);
    let metrics = runtime.metrics();
    let counts = (metrics.tasks_spawned, metrics.tasks_live, metrics.tasks_panicked);
    assert_eq!(counts, (100_000, 0, 0));
}

#[test]
fn while_it_is_polled_the_poll_ends_first() {
    let runtime = workers(2);
    for _ in 0..200 {
        let (began, begin) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let dropped = Arc::new(AtomicUsize::new(0));
        let (guard, seen) = (CountDrop(dropped.clone()), dropped.clone());
        let task = runtime.spawn(async move {
            let _guard = guard;
            began.send(()).unwrap();
            let released = released.recv_timeout(LONG).is_ok();
            assert!(released && seen.load(Ordering::Relaxed) == 0);
            yield_now().await;
            unreachable!("aborted at the yield");
        });
        begin.recv().unwrap();
        task.abort();
        assert!(!task.is_finished(), "nothing takes a future from under its poll");
        release.send(()).unwrap();
        assert!(block_on(task).unwrap_err().is_cancelled());
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_task_may_abort_itself() {
    let runtime = workers(1);
    let (lend, lent) = mpsc::channel::<goro_runtime::task::AbortHandle>();
    let task = runtime.spawn(async move {
        lent.recv().unwrap().abort();
        // Still running: the abort is seen when this poll ends.
        yield_now().await;
        unreachable!("aborted at the yield");
    });
    lend.send(task.abort_handle()).unwrap();
    assert!(block_on(task).unwrap_err().is_cancelled());
    let (lend, lent) = mpsc::channel::<goro_runtime::task::AbortHandle>();
    let last = runtime.spawn(async move {
        lent.recv().unwrap().abort();
        5
    });
    lend.send(last.abort_handle()).unwrap();
    assert_eq!(block_on(last).unwrap(), 5, "its last poll was this one");
}

#[test]
fn after_the_end_it_does_nothing() {
    let runtime = workers(1);
    let task = runtime.spawn(async { 5 });
    let abort = task.abort_handle();
    while !task.is_finished() {
        std::thread::yield_now();
    }
    abort.abort();
    abort.abort_with(Cause::new("too late"));
    assert!(abort.is_finished());
    assert_eq!(block_on(task).unwrap(), 5);
    drop(runtime);
    abort.abort();
}

#[test]
fn the_first_cause_counts() {
    let runtime = workers(1);
    let task = runtime.spawn(pending::<()>());
    task.abort_with(Cause::new("first"));
    task.abort_with(Cause::new("second"));
    assert_eq!(block_on(task).unwrap_err().cause(), Some(&Cause::new("first")));
}

#[test]
fn a_queued_blocking_job_does_not_run() {
    let runtime = Builder::new().workers(1).blocking_threads(1).build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let first = runtime.spawn_blocking(move || released.recv().is_err());
    let dropped = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = (0..100)
        .map(|n| {
            let guard = CountDrop(dropped.clone());
            runtime.spawn_blocking(move || {
                drop(guard);
                n
            })
        })
        .collect();
    for job in jobs.iter().step_by(2) {
        job.abort();
    }
    drop(release);
    assert!(block_on(first).unwrap());
    for (n, job) in jobs.into_iter().enumerate() {
        match block_on(job) {
            Ok(value) => assert_eq!((value, n % 2), (n, 1)),
            Err(error) => assert_eq!((error.cause(), n % 2), (Some(&Cause::Aborted), 0)),
        }
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 100);
}

/// What runs cannot be stopped: the handle gives its value.
#[test]
fn a_running_blocking_job_goes_on() {
    let runtime = workers(1);
    let (began, begin) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let job = runtime.spawn_blocking(move || {
        began.send(()).unwrap();
        released.recv().is_err()
    });
    begin.recv().unwrap();
    job.abort();
    drop(release);
    assert!(block_on(job).unwrap());
}

#[test]
fn a_handle_that_aborts_when_it_is_dropped_does() {
    let runtime = workers(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    for kept in [false, true] {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let guard = CountDrop(dropped.clone());
                let nap = if kept { Duration::from_millis(1) } else { LONG };
                let task = runtime.spawn(async move {
                    let _guard = guard;
                    sleep(nap).await;
                });
                task.abort_on_drop()
            })
            .collect();
        for task in tasks {
            if kept {
                block_on(task.detach()).unwrap();
            }
        }
    }
    while runtime.metrics().tasks_live > 0 {
        std::thread::yield_now();
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 200);
}

/// Pitfall 41's kin: completion, abort, wake and the handle's drop at once.
#[test]
fn everything_at_once_ends_once() {
    let runtime = workers(2);
    let (futures, outputs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let rounds = 3_000;
    for _ in 0..rounds {
        let (guard, output) = (CountDrop(futures.clone()), CountDrop(outputs.clone()));
        let (lend, lent) = mpsc::channel();
        let mut lend = Some(lend);
        let task = runtime.spawn(async move {
            let _guard = guard;
            poll_fn(|cx| match lend.take() {
                Some(lend) => {
                    lend.send(cx.waker().clone()).unwrap();
                    Poll::Pending
                }
                None => Poll::Ready(()),
            })
            .await;
            output
        });
        let waker = lent.recv().unwrap();
        let abort = task.abort_handle();
        std::thread::scope(|scope| {
            scope.spawn(move || waker.wake());
            scope.spawn(move || abort.abort());
            drop(task);
        });
    }
    drop(runtime);
    let dropped = (futures.load(Ordering::Relaxed), outputs.load(Ordering::Relaxed));
    assert_eq!(dropped, (rounds, rounds), "futures, and outputs returned or still captured");
}

/// A chain of tasks, each of which waits for the next and takes it along when it is dropped.
fn chain(depth: usize, alive: Arc<AtomicUsize>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    alive.fetch_add(1, Ordering::Relaxed);
    let guard = Alive(alive.clone());
    Box::pin(async move {
        let _guard = guard;
        yield_now().await;
        if depth == 0 {
            return sleep(Duration::from_millis(1)).await;
        }
        spawn(chain(depth - 1, alive)).abort_on_drop().await.unwrap();
    })
}

/// Every step of one program as the moment of the abort.
#[test]
fn at_every_step_of_a_program_nothing_is_left_over() {
    let mut aborted = 0;
    for steps in 0..80 {
        let alive = Arc::new(AtomicUsize::new(0));
        let mut script = Builder::new().workers(2).build_scripted(Some(steps)).unwrap();
        let task = script.handle().spawn(chain(4, alive.clone()));
        for _ in 0..steps {
            script.step();
        }
        aborted += u32::from(!task.is_finished());
        task.abort();
        script.run_until_stalled();
        assert!(task.is_finished(), "aborted after {steps} steps, it waits on");
        let metrics = script.handle().metrics();
        assert_eq!((metrics.tasks_live, metrics.tasks_parked), (0, 0), "after {steps} steps");
        assert_eq!(alive.load(Ordering::Relaxed), 0, "after {steps} steps");
    }
    assert!((10..70).contains(&aborted), "{aborted} of 80 ends were aborts");
}
