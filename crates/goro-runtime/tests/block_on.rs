//! Driving a future on a thread: with and without a runtime, inside tasks, jobs and itself.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, now, sleep, timeout};
use goro_runtime::{Builder, Handle, Runtime, block_on, spawn, spawn_blocking};
use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};

const SOON: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(20);

fn two_workers() -> Runtime {
    Builder::new().workers(2).build().unwrap()
}

#[test]
fn without_a_runtime_futures_run_and_time_passes() {
    assert_eq!(block_on(async { 6 * 7 }), 42);
    let began = now();
    block_on(sleep(SOON));
    assert!(now() >= began + SOON);
    assert!(block_on(timeout(SOON, pending::<()>())).is_err());
    assert_eq!(block_on(timeout(LONG, async { 7 })), Ok(7));
    block_on(async {
        for _ in 0..1_000 {
            yield_now().await;
        }
    });
    assert!(Handle::try_current().is_err());
}

/// A loop of operations that are ready spends no budget where no task is entered.
#[test]
fn without_a_task_there_is_no_budget() {
    let polls = AtomicUsize::new(0);
    block_on(poll_fn(|cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        for _ in 0..1_000 {
            assert!(goro_context::budget::poll_spend(cx).is_ready());
        }
        Poll::Ready(())
    }));
    assert_eq!(polls.load(Ordering::Relaxed), 1);
}

#[test]
fn inside_itself() {
    fn depth(left: u32) -> u32 {
        if left == 0 {
            return 0;
        }
        1 + block_on(async move {
            yield_now().await;
            depth(left - 1)
        })
    }
    assert_eq!(depth(100), 100);
    let runtime = two_workers();
    let nested = runtime.block_on(async {
        block_on(async {
            let inner = spawn(async {
                sleep(SOON).await;
                5
            });
            Handle::current().block_on(inner).unwrap()
        })
    });
    assert_eq!(nested, 5);
}

/// Pitfall 63, and 46: a task that blocks its worker until another one has run.
#[test]
fn inside_a_task_what_stands_in_its_queue_is_run_by_the_other_worker() {
    let runtime = two_workers();
    for count in 1..50 {
        let sum = runtime.spawn(async move {
            let children: Vec<_> = (0..count)
                .map(|n| {
                    spawn(async move {
                        yield_now().await;
                        n
                    })
                })
                .collect();
            block_on(async move {
                let mut sum = 0;
                for child in children {
                    sum += child.await.unwrap();
                }
                sum
            })
        });
        assert_eq!(block_on(sum).unwrap(), count * (count - 1) / 2);
    }
}

/// Pitfall 51: wakes around a worker that blocks and comes back.
#[test]
fn inside_a_task_again_and_again_nothing_is_lost() {
    let runtime = two_workers();
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            runtime.spawn(async move {
                let mut sum = 0;
                for round in 0..50 {
                    // At most one at a time blocks: with both workers blocked nobody would run.
                    sum += if n == 0 {
                        block_on(spawn(async move { round })).unwrap()
                    } else {
                        spawn(async move { round }).await.unwrap()
                    };
                    yield_now().await;
                }
                sum
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(block_on(task).unwrap(), 49 * 50 / 2);
    }
}

#[test]
fn inside_a_task_with_the_runtime_of_another() {
    let (own, other) = (two_workers(), two_workers());
    let handle = other.handle().clone();
    let (done, wait) = mpsc::channel();
    let task = own.spawn(async move {
        // In the queue of this worker, which is about to block in another runtime.
        drop(spawn(async move { done.send(()).unwrap() }));
        handle.block_on(async {
            sleep(SOON).await;
            spawn_blocking(move || wait.recv_timeout(LONG).is_ok()).await.unwrap()
        })
    });
    assert!(block_on(task).unwrap());
}

#[test]
fn inside_a_task_time_passes_and_the_end_of_a_runtime_waits() {
    let runtime = two_workers();
    let (began, begin) = mpsc::channel();
    let task = runtime.spawn(async move {
        began.send(()).unwrap();
        block_on(sleep(Duration::from_millis(20)));
        7
    });
    begin.recv().unwrap();
    drop(runtime);
    assert_eq!(
        block_on(task).unwrap(),
        7,
        "a poll that goes on is waited for, and its timers fire"
    );
}

/// The timer stands in the wheel of a worker that is closing down when another's poll waits for it.
#[test]
fn a_poll_may_wait_for_a_timer_of_a_worker_that_has_gone() {
    for _ in 0..10 {
        let runtime = two_workers();
        let (give, given) = mpsc::channel();
        let (began, begin) = mpsc::channel();
        let waits = runtime.spawn(async move {
            began.send(()).unwrap();
            // Blocks this worker, so that the timer is armed by the other one.
            let mut nap: std::pin::Pin<Box<goro_runtime::time::Sleep>> =
                given.recv_timeout(LONG).unwrap();
            began.send(()).unwrap();
            block_on(nap.as_mut());
            true
        });
        begin.recv().unwrap();
        let arms = runtime.spawn(async move {
            let mut nap = Box::pin(sleep(Duration::from_millis(30)));
            poll_fn(|cx| {
                assert!(nap.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            give.send(nap).unwrap();
        });
        block_on(arms).unwrap();
        begin.recv().unwrap();
        drop(runtime);
        assert!(block_on(waits).unwrap());
    }
}

#[test]
fn inside_a_blocking_job() {
    let runtime = two_workers();
    let job = runtime.spawn_blocking(|| {
        block_on(async {
            sleep(SOON).await;
            let task = spawn(async { 3 });
            let job = spawn_blocking(|| block_on(async { 4 }));
            task.await.unwrap() + job.await.unwrap()
        })
    });
    assert_eq!(block_on(job).unwrap(), 7);
}

#[test]
fn each_wake_of_a_sleeping_thread_is_a_poll() {
    for _ in 0..200 {
        let (lend, lent) = mpsc::channel::<Waker>();
        let turn = Arc::new(AtomicUsize::new(0));
        let other = turn.clone();
        let waking = std::thread::spawn(move || {
            for (done, waker) in lent.iter().enumerate() {
                other.store(done + 1, Ordering::Release);
                waker.wake();
            }
        });
        let mut seen = 0;
        block_on(poll_fn(|cx| {
            while turn.load(Ordering::Acquire) > seen {
                seen += 1;
            }
            if seen == 20 {
                return Poll::Ready(());
            }
            lend.send(cx.waker().clone()).unwrap();
            Poll::Pending
        }));
        drop(lend);
        waking.join().unwrap();
        assert_eq!(seen, turn.load(Ordering::Acquire));
    }
}

/// A waker that is kept wakes its thread at worst for nothing, whatever that does by then.
#[test]
fn a_wake_that_comes_late_disturbs_no_later_call() {
    let kept: Arc<Mutex<Vec<Waker>>> = Arc::default();
    block_on(poll_fn(|cx| {
        kept.lock().unwrap().push(cx.waker().clone());
        Poll::Ready(())
    }));
    let stop = Arc::new(AtomicBool::new(false));
    let (waking, over) = (kept.clone(), stop.clone());
    let storm = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            waking.lock().unwrap().iter().for_each(Waker::wake_by_ref);
        }
    });
    for _ in 0..20 {
        let began = now();
        block_on(sleep(SOON));
        assert!(now() >= began + SOON);
    }
    stop.store(true, Ordering::Relaxed);
    storm.join().unwrap();
}

#[test]
fn a_panic_leaves_the_thread_as_it_was() {
    let runtime = two_workers();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { resume_unwind(Box::new("quiet")) });
    }));
    assert!(panicked.is_err());
    assert!(Handle::try_current().is_err());
    let task = runtime.spawn(async {
        let panicked = catch_unwind(|| block_on(async { resume_unwind(Box::new("quiet")) }));
        let panicked: Result<(), _> = panicked;
        // Still a worker: what it spawns stands in its own queue.
        let child = spawn(async { 1 });
        let queued = Handle::current().metrics().injected;
        (panicked.is_err(), queued, child.await.unwrap())
    });
    assert_eq!(block_on(task).unwrap(), (true, 0, 1));
}

/// Pitfall 62: with the thread's locals going or gone.
#[test]
fn inside_the_destructor_of_a_thread_local() {
    struct Late(Handle, mpsc::Sender<u32>);
    impl Drop for Late {
        fn drop(&mut self) {
            let value = self.0.block_on(async {
                sleep(SOON).await;
                spawn(async { 9 }).await.unwrap()
            });
            self.1.send(value).unwrap();
        }
    }
    thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    let runtime = two_workers();
    let (tell, told) = mpsc::channel();
    for first in [true, false] {
        let (handle, tell) = (runtime.handle().clone(), tell.clone());
        let thread = std::thread::spawn(move || {
            // Before or after the thread has a waker of its own, which has a destructor as well.
            if first {
                block_on(yield_now());
            }
            LATE.set(Some(Late(handle, tell)));
            block_on(yield_now());
        });
        assert_eq!(told.recv_timeout(LONG), Ok(9));
        thread.join().unwrap();
    }
}
