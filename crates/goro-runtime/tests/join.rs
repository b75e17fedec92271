//! Waiting for a task's end: from anywhere, at any time, or not at all.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{JoinHandle, yield_now};
use goro_runtime::time::{Duration, sleep, timeout};
use goro_runtime::{Builder, Runtime, block_on, spawn};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};

fn workers(count: usize) -> Runtime {
    Builder::new().workers(count).build().unwrap()
}

struct OnDrop<F: FnMut()>(F);
impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn counting(count: &Arc<AtomicUsize>) -> OnDrop<impl FnMut() + Send + use<>> {
    let count = count.clone();
    OnDrop(move || {
        count.fetch_add(1, Ordering::SeqCst);
    })
}

#[test]
fn from_plain_threads() {
    let runtime = workers(2);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let handle = runtime.handle().clone();
            std::thread::spawn(move || {
                (0..500)
                    .map(|n| {
                        let yields = n % 3;
                        let task = handle.spawn(async move {
                            for _ in 0..yields {
                                yield_now().await;
                            }
                            thread * 500 + n
                        });
                        block_on(task).unwrap()
                    })
                    .sum::<usize>()
            })
        })
        .collect();
    let sum: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(sum, 2_000 * 1_999 / 2);
}

#[test]
fn from_a_task_of_another_runtime() {
    let (one, two) = (workers(1), workers(2));
    let handle = one.handle().clone();
    let sum = two.spawn(async move {
        let mut sum = 0;
        for n in 0..500 {
            sum += handle.spawn(async move { n }).await.unwrap();
        }
        let naps: Vec<_> = (0..50_u64)
            .map(|n| {
                handle.spawn(async move {
                    sleep(Duration::from_micros(n * 20)).await;
                    n
                })
            })
            .collect();
        for nap in naps {
            sum += nap.await.unwrap();
        }
        sum
    });
    assert_eq!(block_on(sum).unwrap(), 500 * 499 / 2 + 50 * 49 / 2);
}

#[test]
fn long_after_the_end() {
    let runtime = workers(1);
    let tasks: Vec<_> = (0..100).map(|n| runtime.spawn(async move { vec![n; 10] })).collect();
    while !tasks.iter().all(JoinHandle::is_finished) {
        std::thread::yield_now();
    }
    drop(runtime);
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(block_on(task).unwrap(), vec![n; 10]);
    }
}

/// Pitfall 22: join resolved before the future was dropped.
#[test]
fn what_the_futures_destructor_did_is_seen_by_the_joiner() {
    let runtime = workers(2);
    for _ in 0..1_000 {
        let dropped = Arc::new(AtomicUsize::new(0));
        let guard = counting(&dropped);
        let task = runtime.spawn(async move {
            let _guard = guard;
            yield_now().await;
        });
        block_on(task).unwrap();
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }
}

/// Pitfall 28: the handle dropped at every stage of its task's life.
#[test]
fn a_handle_may_be_dropped_at_any_stage() {
    let runtime = workers(1);
    let (futures, outputs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let rounds = 200;
    for round in 0..rounds {
        let (guard, output) = (counting(&futures), counting(&outputs));
        let (lend, lent) = mpsc::channel::<Waker>();
        let ready = Arc::new(AtomicBool::new(false));
        let (flag, mut lend) = (ready.clone(), Some(lend));
        let mut task = runtime.spawn(async move {
            let _guard = guard;
            poll_fn(|cx| {
                if let Some(lend) = lend.take() {
                    lend.send(cx.waker().clone()).unwrap();
                }
                if flag.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            output
        });
        let mut cx = Context::from_waker(Waker::noop());
        let finish = |waker: Waker| {
            ready.store(true, Ordering::Release);
            waker.wake();
        };
        match round % 5 {
            // Before it was polled, perhaps.
            0 => {
                drop(task);
                finish(lent.recv().unwrap());
            }
            // Parked.
            1 => {
                let waker = lent.recv().unwrap();
                drop(task);
                finish(waker);
            }
            // Parked, with a waker of the joiner's.
            2 => {
                let waker = lent.recv().unwrap();
                assert!(Pin::new(&mut task).poll(&mut cx).is_pending());
                drop(task);
                finish(waker);
            }
            // As it ends.
            3 => {
                finish(lent.recv().unwrap());
                drop(task);
            }
            // Ended, unread.
            _ => {
                finish(lent.recv().unwrap());
                while !task.is_finished() {
                    std::thread::yield_now();
                }
                drop(task);
            }
        }
    }
    drop(runtime);
    let counts = (futures.load(Ordering::SeqCst), outputs.load(Ordering::SeqCst));
    assert_eq!(counts, (rounds, rounds));
}

#[test]
fn a_join_given_up_and_taken_up_again_loses_nothing() {
    let runtime = workers(2);
    let value = runtime.block_on(async {
        let (tell, told) = mpsc::channel::<()>();
        let mut task = spawn(async move {
            while told.try_recv().is_err() {
                yield_now().await;
            }
            9
        });
        for _ in 0..5 {
            assert!(timeout(Duration::from_millis(1), &mut task).await.is_err());
        }
        tell.send(()).unwrap();
        task.await.unwrap()
    });
    assert_eq!(value, 9);
}

/// The waker of the latest poll is the one that counts, whoever polls.
#[test]
fn a_handle_may_be_polled_by_one_and_awaited_by_another() {
    let runtime = workers(2);
    for _ in 0..300 {
        let (release, released) = mpsc::channel::<()>();
        let mut task = runtime.spawn(async move {
            while released.try_recv().is_err() {
                yield_now().await;
            }
            3
        });
        let first = Pin::new(&mut task).poll(&mut Context::from_waker(Waker::noop()));
        assert!(first.is_pending());
        let (lend, lent) = mpsc::channel();
        let second = runtime.spawn(async move {
            let mut task = task;
            poll_fn(|cx| Poll::Ready(Pin::new(&mut task).poll(cx).is_pending())).await;
            lend.send(task).unwrap();
        });
        block_on(second).unwrap();
        let third = runtime.spawn(lent.recv().unwrap());
        release.send(()).unwrap();
        assert_eq!(block_on(third).unwrap().unwrap(), 3);
    }
}

#[test]
fn a_tree_of_joins_is_counted_leaf_by_leaf() {
    fn leaves(depth: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
        Box::pin(async move {
            if depth == 0 {
                return 1;
            }
            let (left, right) = (spawn(leaves(depth - 1)), spawn(leaves(depth - 1)));
            left.await.unwrap() + right.await.unwrap()
        })
    }
    let runtime = workers(2);
    assert_eq!(block_on(runtime.spawn(leaves(12))).unwrap(), 4_096);
    assert_eq!(runtime.metrics().tasks_spawned, (1 << 13) - 1);
}

/// Pitfall 77's kin: a cycle of tasks that await each other's handles ends with the runtime.
#[test]
fn two_that_wait_for_each_other_end_with_their_runtime() {
    type Kept = Arc<Mutex<Option<JoinHandle<()>>>>;
    let runtime = workers(2);
    let (first, second): (Kept, Kept) = Default::default();
    let dropped = Arc::new(AtomicUsize::new(0));
    let waits_for = |other: &Kept| {
        let (other, guard) = (other.clone(), counting(&dropped));
        runtime.spawn(async move {
            let _guard = guard;
            loop {
                let handle = other.lock().unwrap().take();
                match handle {
                    Some(handle) => return handle.await.unwrap_or(()),
                    None => yield_now().await,
                }
            }
        })
    };
    let (one, two) = (waits_for(&second), waits_for(&first));
    *first.lock().unwrap() = Some(one);
    *second.lock().unwrap() = Some(two);
    while runtime.metrics().tasks_parked < 2 {
        std::thread::yield_now();
    }
    drop(runtime);
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
}

#[test]
fn a_task_may_return_its_own_childs_handle() {
    let runtime = workers(1);
    let outer = runtime.spawn(async { (spawn(async { 4 }), spawn(pending::<()>())) });
    let (child, never) = block_on(outer).unwrap();
    assert_eq!(block_on(child).unwrap(), 4);
    drop(runtime);
    assert!(block_on(never).unwrap_err().is_cancelled());
}
