//! Wakers: from anywhere, at any time, too often, too late.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::waker_clone_wake,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::driver::scripted::Scripted;
use goro_runtime::time::{Duration, now, sleep};
use goro_runtime::{Builder, Handle, Runtime, block_on, spawn};
use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};

const LONG: Duration = Duration::from_secs(20);

fn workers(count: usize) -> Runtime {
    Builder::new().workers(count).build().unwrap()
}

struct OnDrop<F: FnMut()>(F);
impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Sends its waker once, then is ready when `ready` says so.
fn until(ready: Arc<AtomicBool>, lend: mpsc::Sender<Waker>) -> impl Future<Output = ()> + Send {
    let mut lend = Some(lend);
    poll_fn(move |cx| {
        if let Some(lend) = lend.take() {
            lend.send(cx.waker().clone()).unwrap();
        }
        if ready.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Pitfall 26: what each waker wrote before it woke is seen by the poll that follows.
#[test]
fn wakes_from_many_threads_publish_what_was_written_before() {
    let runtime = workers(2);
    let (lend, lent) = mpsc::channel();
    let written: Arc<[AtomicUsize; 4]> = Arc::default();
    let (seen, mut lend) = (written.clone(), Some(lend));
    let task = runtime.spawn(poll_fn(move |cx| {
        if let Some(lend) = lend.take() {
            lend.send(cx.waker().clone()).unwrap();
        }
        let all = seen.iter().all(|count| count.load(Ordering::Relaxed) == 5_000);
        if all { Poll::Ready(()) } else { Poll::Pending }
    }));
    let waker = lent.recv().unwrap();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (waker, written) = (waker.clone(), written.clone());
            std::thread::spawn(move || {
                for count in 1..=5_000 {
                    written[thread].store(count, Ordering::Relaxed);
                    match count % 3 {
                        0 => waker.clone().wake(),
                        _ => waker.wake_by_ref(),
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(block_on(task).is_ok(), "the poll after the last wake saw all of it");
}

/// A wake that comes while the task is polled makes it polled once more, not lost and not doubled.
#[test]
fn wakes_of_a_completing_task_are_harmless() {
    let runtime = workers(2);
    for _ in 0..3_000 {
        let ready = Arc::new(AtomicBool::new(false));
        let (lend, lent) = mpsc::channel();
        let task = runtime.spawn(until(ready.clone(), lend));
        let waker = lent.recv().unwrap();
        let other = waker.clone();
        let waking = std::thread::scope(|scope| {
            let waking = scope.spawn(move || {
                for _ in 0..20 {
                    other.wake_by_ref();
                }
                other
            });
            ready.store(true, Ordering::Release);
            waker.wake();
            waking.join().unwrap()
        });
        block_on(task).unwrap();
        waking.wake_by_ref();
        assert!(waking.will_wake(&waking.clone()));
    }
    assert_eq!(runtime.metrics().tasks_live, 0);
}

/// Wakers that outlive their runtime, also when its shards belong to another one by now.
#[test]
fn wakers_may_be_used_when_the_runtime_is_gone() {
    let mut kept = Vec::new();
    for round in 0..20 {
        let runtime = workers(2);
        let (lend, lent) = mpsc::channel();
        for _ in 0..50 {
            drop(runtime.spawn(until(Arc::default(), lend.clone())));
        }
        kept.extend(lent.iter().take(50));
        for waker in &kept {
            waker.wake_by_ref();
        }
        let task = runtime.spawn(async move { round });
        assert_eq!(block_on(task).unwrap(), round);
        drop(runtime);
        for waker in kept.iter().rev().take(30) {
            waker.clone().wake();
        }
    }
    assert_eq!(kept.len(), 1_000);
}

/// Pitfall 67's kin: foreign threads wake as the runtime ends.
#[test]
fn a_storm_of_wakes_meets_the_end_of_a_runtime() {
    for _ in 0..300 {
        let runtime = workers(2);
        let dropped = Arc::new(AtomicUsize::new(0));
        let (lend, lent) = mpsc::channel();
        for _ in 0..20 {
            let (dropped, lend) = (dropped.clone(), lend.clone());
            drop(runtime.spawn(async move {
                let _guard = OnDrop(move || {
                    dropped.fetch_add(1, Ordering::Relaxed);
                });
                until(Arc::default(), lend).await;
            }));
        }
        let wakers: Vec<_> = lent.iter().take(20).collect();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let storm = wakers.chunks(10).map(|half| {
                let over = &over;
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        half.iter().for_each(Waker::wake_by_ref);
                    }
                })
            });
            let storm: Vec<_> = storm.collect();
            drop(runtime);
            over.store(true, Ordering::Relaxed);
            // The scope would wait, too, but in a way that ThreadSanitizer does not see.
            storm.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(dropped.load(Ordering::Relaxed), 20);
    }
}

thread_local! {
    static LAST_WORD: RefCell<Option<LastWord>> = const { RefCell::new(None) };
}

/// Something done when its thread's locals are destroyed.
struct LastWord(Option<Box<dyn FnOnce()>>);
impl Drop for LastWord {
    fn drop(&mut self) {
        if let Some(say) = self.0.take() {
            say();
        }
    }
}

fn when_this_thread_ends(say: impl FnOnce() + 'static) {
    LAST_WORD.set(Some(LastWord(Some(Box::new(say)))));
}

/// Pitfall 62: wake with the thread-locals already gone.
#[test]
fn a_destructor_of_a_thread_local_may_wake() {
    let runtime = workers(1);
    for _ in 0..50 {
        let ready = Arc::new(AtomicBool::new(false));
        let (lend, lent) = mpsc::channel();
        let task = runtime.spawn(until(ready.clone(), lend));
        let waker = lent.recv().unwrap();
        let thread = std::thread::spawn(move || {
            when_this_thread_ends(move || {
                ready.store(true, Ordering::Release);
                waker.wake();
            });
        });
        assert!(block_on(task).is_ok());
        thread.join().unwrap();
    }
}

/// Pitfall 62: spawn with the thread-locals already gone, on threads of all kinds.
#[test]
fn a_destructor_of_a_thread_local_may_spawn() {
    let builder = Builder::new().workers(1);
    let runtime = builder.blocking_keep_alive(Duration::from_millis(1)).build().unwrap();
    let (tell, told) = mpsc::channel();
    let late = |handle: Handle, tell: mpsc::Sender<bool>, spawns: bool| {
        move || {
            when_this_thread_ends(move || {
                let task = handle.spawn(async { spawn(async { 1 }).await.unwrap() });
                let ended = block_on(task);
                tell.send(ended.is_ok() == spawns).unwrap();
            });
        }
    };
    let foreign = std::thread::spawn(late(runtime.handle().clone(), tell.clone(), true));
    assert_eq!(told.recv_timeout(LONG), Ok(true), "a plain thread");
    foreign.join().unwrap();
    drop(runtime.spawn_blocking(late(runtime.handle().clone(), tell.clone(), true)));
    assert_eq!(told.recv_timeout(LONG), Ok(true), "a thread of the blocking pool");
    let on_worker = late(runtime.handle().clone(), tell, false);
    block_on(runtime.spawn(async move { on_worker() })).unwrap();
    drop(runtime);
    assert_eq!(told.recv_timeout(LONG), Ok(true), "a worker, when its runtime has ended");
}

/// Spurious wakes are polls for nothing: no leaf takes one for what it waits for.
#[test]
fn spurious_wakes_make_nothing_ready() {
    let runtime = workers(2);
    let (lend, lent) = mpsc::channel::<Waker>();
    let over = Arc::new(AtomicBool::new(false));
    let end = over.clone();
    let storm = std::thread::spawn(move || {
        let waker = lent.recv().unwrap();
        while !end.load(Ordering::Relaxed) {
            waker.wake_by_ref();
            std::thread::yield_now();
        }
    });
    let task = runtime.spawn(async move {
        poll_fn(|cx| {
            lend.send(cx.waker().clone()).unwrap();
            Poll::Ready(())
        })
        .await;
        let child = spawn(async {
            sleep(Duration::from_millis(5)).await;
            7
        });
        let due = now() + Duration::from_millis(20);
        let mut nap = pin!(sleep(Duration::from_millis(20)));
        let mut child = pin!(child);
        let value = child.as_mut().await.unwrap();
        nap.as_mut().await;
        assert!(now() >= due);
        value
    });
    assert_eq!(block_on(task).unwrap(), 7);
    over.store(true, Ordering::Relaxed);
    storm.join().unwrap();
}

/// Wakers of one runtime's tasks used inside another's.
#[test]
fn tasks_of_two_runtimes_wake_each_other() {
    let (a, b) = (workers(1), workers(1));
    type Table = Mutex<(usize, [Option<Waker>; 2])>;
    let table: Arc<Table> = Arc::default();
    let player = |parity: usize| {
        let table = table.clone();
        poll_fn(move |cx| {
            let mut table = table.lock().unwrap();
            if table.0 >= 2_000 {
                let other = table.1[1 - parity].take();
                drop(table);
                if let Some(other) = other {
                    other.wake();
                }
                return Poll::Ready(());
            }
            table.0 += usize::from(table.0 % 2 == parity);
            table.1[parity] = Some(cx.waker().clone());
            let other = table.1[1 - parity].take();
            drop(table);
            if let Some(other) = other {
                other.wake();
            }
            Poll::Pending
        })
    };
    let (one, two) = (a.spawn(player(0)), b.spawn(player(1)));
    block_on(one).unwrap();
    block_on(two).unwrap();
    assert!(table.lock().unwrap().0 >= 2_000);
}

/// A task dropped at the end leaves wakers behind that wake nobody; one woken is dropped once.
#[test]
fn a_waker_kept_by_its_own_future_is_no_leak() {
    let dropped = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let mut script: Scripted = Builder::new().workers(2).build_scripted(Some(1)).unwrap();
        let count = dropped.clone();
        let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
        let keep = kept.clone();
        let guard = OnDrop(move || {
            count.fetch_add(1, Ordering::Relaxed);
            if let Some(waker) = keep.lock().unwrap().take() {
                waker.wake();
            }
        });
        drop(script.handle().spawn(async move {
            let _guard = guard;
            poll_fn(|cx| {
                *kept.lock().unwrap() = Some(cx.waker().clone());
                Poll::Ready(())
            })
            .await;
            pending::<()>().await;
        }));
        script.run_until_stalled();
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 100);
}
