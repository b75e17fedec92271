//! Wakers: theirs used well and badly.
#![cfg(not(loom))]
#![allow(clippy::waker_clone_wake, reason = "wakes by value are what is tested")]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::task::{Poll, Waker};

use goro_context::trust;
use goro_shim::global::{Arc, Lock, OnceLock};
use goro_shim::thread;
use goro_task::{Home, Meta, Parcel, Ran, Registry, Runnable};
use home::Line;
use parts::{Gate, alive};

/// A parked task that keeps a token, its gate and a waker of its.
fn parked(home: &'static Line) -> (goro_task::JoinHandle<()>, Gate, Waker, Arc<()>) {
    let (gate, token) = (Gate::default(), Arc::new(()));
    let (waits, kept) = (gate.clone(), token.clone());
    let handle = home.spawn(async move {
        let _kept = kept;
        waits.await;
    });
    home.drain();
    let waker = gate.waker().unwrap();
    (handle, gate, waker, token)
}

/// Pitfall 31: a clone wakes what its original wakes, and another task's waker does not.
#[test]
fn will_wake_tells_clones_from_strangers() {
    let home = Line::leak();
    let seen: Arc<Lock<Vec<Waker>>> = Arc::default();
    for _ in 0..2 {
        let keep = seen.clone();
        home.spawn(poll_fn(move |cx| {
            let clone = cx.waker().clone();
            assert!(clone.will_wake(cx.waker()) && cx.waker().will_wake(&clone));
            keep.lock().push(clone);
            Poll::<()>::Pending
        }));
    }
    home.drain();
    let wakers = std::mem::take(&mut *seen.lock());
    assert!(wakers[0].will_wake(&wakers[0].clone()));
    assert!(!wakers[0].will_wake(&wakers[1]));
    assert!(!wakers[0].will_wake(Waker::noop()));
    // The same from poll to poll.
    let before = wakers[0].clone();
    wakers[0].wake_by_ref();
    home.drain();
    assert!(seen.lock()[0].will_wake(&before));
}

#[test]
fn a_wake_during_the_poll_gives_the_runnable_back() {
    let home = Line::leak();
    let (task, handle) = goro_task::spawn(
        poll_fn(|cx| {
            // However often, by reference or by value: once more.
            cx.waker().wake_by_ref();
            cx.waker().clone().wake();
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }),
        home,
        Meta::OTHER,
    );
    let Ran::Again(task) = task.run(home) else { panic!("woken during its poll") };
    assert!(home.next().is_none());
    assert!(home.registry_of().is_empty(), "a task that yields is not listed");
    drop(task);
    assert!(handle.is_finished());
}

#[test]
fn a_waker_that_outlives_the_task_does_nothing() {
    let home = Line::leak();
    let (handle, gate, waker, token) = parked(home);
    gate.open();
    waker.wake_by_ref();
    home.drain();
    home.block_on(handle).unwrap();
    assert_eq!(alive(&token), 0);
    let more: Vec<_> = (0..100).map(|_| waker.clone()).collect();
    waker.wake();
    for (n, waker) in more.into_iter().enumerate() {
        if n % 2 == 0 { waker.wake() } else { waker.wake_by_ref() }
    }
    assert!(home.next().is_none());
}

/// A waker kept for ever keeps the task's memory, not what its future held.
#[test]
fn a_waker_keeps_no_future_alive() {
    let home = Line::leak();
    let (handle, _gate, waker, token) = parked(home);
    handle.abort();
    home.drain();
    assert_eq!(alive(&token), 0);
    drop(handle);
    waker.wake();
    assert_eq!(home.drain(), 0);
}

/// A parked task whose last waker goes stays listed, can still be aborted, and leaks nothing.
#[test]
fn a_task_that_nobody_can_wake_can_be_aborted() {
    let home = Line::leak();
    let (handle, gate, waker, token) = parked(home);
    drop(waker);
    drop(gate);
    let mut seen = Vec::new();
    home.registry_of().for_each(|view| seen.push(view.activity));
    assert_eq!(seen, [goro_task::Activity::Stuck]);
    drop(handle);
    let aborted = home.registry_of().abort_some(1, &goro_context::Cause::Shutdown);
    assert_eq!(aborted.runnables.len(), 1);
    drop(aborted);
    assert_eq!(alive(&token), 0);
}

/// Pitfall 8: a waker made by a thread that has ended.
#[test]
fn a_waker_from_a_thread_that_has_ended() {
    let home = Line::leak();
    let parked = thread::start("short".into(), None, move || parked(home)).unwrap();
    let (handle, gate, waker, token) = parked.join().unwrap();
    gate.open();
    waker.wake();
    home.block_on(handle).unwrap();
    assert_eq!(alive(&token), 0);
}

/// Pitfall 62: wakes, spawns and joins in the destructor of a thread-local.
#[test]
fn a_wake_and_a_spawn_from_a_thread_locals_destructor() {
    struct Last {
        waker: Option<Waker>,
        home: &'static Line,
        spawned: Arc<Lock<Option<goro_task::JoinHandle<u32>>>>,
    }
    impl Drop for Last {
        fn drop(&mut self) {
            self.waker.take().unwrap().wake();
            let (task, handle) = goro_task::spawn(async { 5 }, self.home, Meta::OTHER);
            let _ = task.run(self.home);
            *self.spawned.lock() = Some(handle);
        }
    }
    std::thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let home = Line::leak();
    let (handle, gate, waker, _token) = parked(home);
    gate.open();
    let spawned = Arc::default();
    let last = Last { waker: Some(waker), home, spawned: Arc::clone(&spawned) };
    thread::start("ends".into(), None, move || {
        LAST.with(|place| *place.borrow_mut() = Some(last));
    })
    .unwrap()
    .join()
    .unwrap();
    home.block_on(handle).unwrap();
    let spawned = spawned.lock().take().unwrap();
    assert_eq!(home.block_on(spawned).unwrap(), 5);
}

/// Pitfall 94: a forgotten waker costs its task's memory, and keeps nobody waiting.
#[test]
fn a_forgotten_waker_keeps_nobody_waiting() {
    let home = Line::leak();
    let (handle, gate, waker, token) = parked(home);
    static FORGOTTEN: Lock<Vec<Waker>> = Lock::new(Vec::new());
    gate.open();
    waker.wake_by_ref();
    FORGOTTEN.lock().push(waker);
    home.block_on(handle).unwrap();
    assert_eq!(alive(&token), 0);
}

/// Leaf futures may clone a task's waker under their locks, once the runtime has said so.
#[test]
fn tasks_wakers_are_trusted_once_declared() {
    let home = Line::leak();
    let (_handle, _gate, waker, _token) = parked(home);
    assert!(!trust::is_trusted(&waker));
    goro_task::trust_wakers();
    goro_task::trust_wakers();
    assert!(trust::is_trusted(&waker));
    assert!(!trust::is_trusted(Waker::noop()));
}

/// Four threads wake one task by reference, by value and through clones, while two run it: it is
/// polled after the last wake, by one thread at a time.
#[test]
fn a_storm_of_wakes_loses_none_and_doubles_no_poll() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    const WAKES: usize = 5_000;

    #[derive(Default)]
    struct Shared {
        published: [AtomicUsize; 4],
        polling: AtomicBool,
        waker: Lock<Option<Waker>>,
    }
    let home = Line::leak();
    let shared = Arc::new(Shared::default());
    let inside = shared.clone();
    let handle = home.spawn(poll_fn(move |cx| {
        assert!(!inside.polling.swap(true, Ordering::Relaxed), "two polls at once");
        inside.waker.lock().get_or_insert_with(|| cx.waker().clone());
        let all = inside.published.iter().map(|n| n.load(Ordering::Relaxed)).sum::<usize>();
        inside.polling.store(false, Ordering::Relaxed);
        if all == 4 * WAKES { Poll::Ready(all) } else { Poll::Pending }
    }));
    home.drain();
    let waker = shared.waker.lock().take().unwrap();
    let threads: Vec<_> = (0..4)
        .map(|me| {
            let (waker, shared) = (waker.clone(), shared.clone());
            thread::start(format!("waker {me}"), None, move || {
                for n in 1..=WAKES {
                    shared.published[me].store(n, Ordering::Relaxed);
                    match n % 3 {
                        0 => waker.wake_by_ref(),
                        1 => waker.clone().wake(),
                        _ => drop((waker.clone().wake(), waker.clone())),
                    }
                    if me < 2 {
                        home.drain();
                    }
                }
            })
            .unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    drop(waker);
    home.drain();
    assert_eq!(home.block_on(handle).unwrap(), 4 * WAKES);
}

/// Pitfall 23: a home that drops what it is given, so that task and waker end inside the wake.
#[test]
fn a_home_that_drops_the_runnable_inside_the_wake() {
    static HOME: OnceLock<Refuses> = OnceLock::new();
    struct Refuses(Registry<Refuses>);
    impl Home for Refuses {
        fn number(&'static self) -> u32 {
            0
        }
        fn numbered(_: u32) -> &'static Self {
            HOME.get_or_init(|| Refuses(Registry::new()))
        }
        fn registry(&'static self) -> &'static Registry<Self> {
            &self.0
        }
        fn schedule(&'static self, task: Runnable<Self>) {
            drop(task);
        }
        fn schedule_local(&'static self, parcel: Parcel<Self>) {
            unreachable!("{parcel:?}");
        }
    }
    let home = Refuses::numbered(0);
    for by_value in [true, false] {
        let (gate, token) = (Gate::default(), Arc::new(()));
        let (waits, kept) = (gate.clone(), token.clone());
        let future = async move {
            let _kept = kept;
            waits.await;
        };
        let (task, handle) = goro_task::spawn(future, home, Meta::OTHER);
        assert!(matches!(task.run(home), Ran::Parked));
        drop(handle);
        let waker = gate.waker().unwrap();
        if by_value {
            waker.wake();
        } else {
            waker.wake_by_ref();
            drop(waker);
        }
        assert_eq!((alive(&token), home.0.len()), (0, 0));
    }
}

/// A task that is never woken is never polled, and one that is dropped is not leaked.
#[test]
fn a_task_that_waits_for_ever_is_freed_with_its_home() {
    let home = Line::leak();
    let token = Arc::new(());
    let kept = token.clone();
    let handle = home.spawn(async move {
        let _kept = kept;
        pending::<()>().await;
    });
    home.drain();
    drop(handle);
    assert_eq!((home.drain(), alive(&token)), (0, 1));
    drop(home.registry_of().abort_some(usize::MAX, &goro_context::Cause::Shutdown));
    assert_eq!(alive(&token), 0);
}
