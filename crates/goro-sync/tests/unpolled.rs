//! Waiters that are kept without being polled, and wakers that call back: what must not stop others.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use futures::executor::block_on;
use futures::future::{FutureExt, LocalBoxFuture};
use goro_sync::{
    Barrier, Event, FairMutex, Mutex, Notify, OnceCell, RwLock, Semaphore, SingleFlight,
};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use std::time::Duration;

/// Whether the future is ready, polled once with a waker that does nothing.
fn is_ready<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    future.as_mut().now_or_never().is_some()
}

/// Pitfall 115, the first shape: a branch of a `select` queues for a lock, is no longer polled, and
/// the handler of another branch wants the same lock.
#[test]
fn a_parked_branch_does_not_block_the_handler() {
    let (lock, fair) = (Mutex::new(0), FairMutex::new(0));
    let (shared, permits) = (RwLock::new(0), Semaphore::new(1));
    let held = (
        lock.blocking_lock(),
        fair.blocking_lock(),
        shared.blocking_read(),
        permits.try_acquire().unwrap(),
    );
    let mut branches = (
        Box::pin(lock.lock()),
        Box::pin(fair.lock()),
        Box::pin(shared.write()),
        Box::pin(permits.acquire()),
    );
    assert!(!is_ready(&mut branches.0) && !is_ready(&mut branches.1));
    assert!(!is_ready(&mut branches.2) && !is_ready(&mut branches.3));
    drop(held);
    // The handler, in the same task: it keeps the branches, and does not poll them.
    block_on(async {
        *lock.lock().await += 1;
        *fair.lock().await += 1;
        *shared.write().await += 1;
        drop(permits.acquire().await.unwrap());
    });
    // Polled again, they get what they came for.
    assert!(is_ready(&mut branches.0) && is_ready(&mut branches.1));
    assert!(is_ready(&mut branches.2) && is_ready(&mut branches.3));
}

/// Pitfall 115, the second shape: somebody waits behind a waiter that is never polled again, and was
/// there before the lock was given back.
#[test]
fn who_waits_behind_one_that_is_never_polled_gets_it() {
    let lock = Arc::new((Mutex::new(0), FairMutex::new(0), RwLock::new(0), Semaphore::new(1)));
    let held = (
        lock.0.blocking_lock(),
        lock.1.blocking_lock(),
        lock.2.blocking_write(),
        lock.3.try_acquire().unwrap(),
    );
    let mut stale = (
        Box::pin(lock.0.lock()),
        Box::pin(lock.1.lock()),
        Box::pin(lock.2.write()),
        Box::pin(lock.3.acquire()),
    );
    assert!(!is_ready(&mut stale.0) && !is_ready(&mut stale.1));
    assert!(!is_ready(&mut stale.2) && !is_ready(&mut stale.3));
    let behind = {
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            *lock.0.blocking_lock() += 1;
            *lock.1.blocking_lock() += 1;
            *lock.2.blocking_write() += 1;
            drop(lock.3.blocking_acquire().unwrap());
        })
    };
    // Long enough for it to stand in line: if it is not, the test shows less, and does not fail.
    thread::sleep(Duration::from_millis(20));
    drop(held);
    behind.join().unwrap();
    assert!(is_ready(&mut stale.0) && is_ready(&mut stale.3));
}

/// Pitfall 94: what a waiter leaves behind when it is forgotten costs others nothing.
#[test]
fn a_waiter_that_is_leaked_does_not_block_others() {
    let lock: &'static Mutex<u32> = Box::leak(Box::new(Mutex::new(0)));
    let guard = lock.blocking_lock();
    let mut leaked = Box::pin(lock.lock());
    assert!(!is_ready(&mut leaked));
    let mut next = Box::pin(lock.lock());
    assert!(!is_ready(&mut next));
    Box::leak(Box::new(leaked));
    drop(guard);
    *block_on(next) += 1;
    assert_eq!(*lock.blocking_lock(), 1);
}

thread_local! {
    static CALL: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// A waker that calls back whenever it is cloned, woken or dropped.
fn calls_back() -> Waker {
    fn call() {
        CALLS.with(|calls| calls.set(calls.get() + 1));
        // Not while it calls already.
        let taken = CALL.with(|call| call.try_borrow_mut().ok().and_then(|mut call| call.take()));
        if let Some(taken) = taken {
            taken();
            CALL.with(|call| *call.borrow_mut() = Some(taken));
        }
    }
    fn raw() -> RawWaker {
        static TABLE: RawWakerVTable = RawWakerVTable::new(
            |_| {
                call();
                raw()
            },
            |_| call(),
            |_| call(),
            |_| call(),
        );
        RawWaker::new(std::ptr::null(), &TABLE)
    }
    // SAFETY: the table's functions touch no data.
    unsafe { Waker::from_raw(raw()) }
}

/// Makes a future wait, polls it with several wakers, has it woken, and drops another one; with wakers
/// that use the same primitive each time.
fn calls_back_into(
    call: impl Fn() + 'static,
    wait: impl Fn() -> LocalBoxFuture<'static, ()>,
    wake: impl FnOnce(),
) {
    CALL.with(|place| *place.borrow_mut() = Some(Box::new(call)));
    let before = CALLS.with(Cell::get);
    let (mut served, mut dropped) = (wait(), wait());
    for future in [&mut served, &mut dropped] {
        for _ in 0..2 {
            let waker = calls_back();
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let other = Waker::from(Arc::new(Nothing));
        assert!(future.as_mut().poll(&mut Context::from_waker(&other)).is_pending());
        let waker = calls_back();
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(dropped);
    wake();
    let waker = calls_back();
    assert!(served.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    CALL.with(|place| drop(place.borrow_mut().take()));
    assert!(CALLS.with(Cell::get) > before);
}

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

/// Pitfall 111: no waker is cloned, woken or dropped under a lock; each would wait for itself here.
#[test]
fn wakers_may_use_the_lock_they_wait_for() {
    static LOCK: Mutex<u32> = Mutex::new(0);
    static FAIR: FairMutex<u32> = FairMutex::new(0);
    static SHARED: RwLock<u32> = RwLock::new(0);
    static PERMITS: Semaphore = Semaphore::new(1);
    let guard = LOCK.blocking_lock();
    let use_lock = || {
        drop(LOCK.try_lock());
        drop(Box::pin(LOCK.lock()).now_or_never());
    };
    calls_back_into(use_lock, || LOCK.lock().map(drop).boxed_local(), || drop(guard));
    let guard = FAIR.blocking_lock();
    let use_fair = || drop(Box::pin(FAIR.lock()).now_or_never());
    calls_back_into(use_fair, || FAIR.lock().map(drop).boxed_local(), || drop(guard));
    let guard = SHARED.blocking_write();
    let use_shared = || drop(Box::pin(SHARED.read()).now_or_never());
    calls_back_into(use_shared, || SHARED.write().map(drop).boxed_local(), || drop(guard));
    let permit = PERMITS.try_acquire().unwrap();
    let use_permits = || drop(Box::pin(PERMITS.acquire()).now_or_never());
    calls_back_into(use_permits, || PERMITS.acquire().map(drop).boxed_local(), || drop(permit));
}

/// Pitfall 111, as above.
#[test]
fn wakers_may_use_the_signal_they_wait_for() {
    static NOTIFY: Notify = Notify::new();
    static EVENT: Event = Event::new();
    static BARRIER: Barrier = Barrier::new(3);
    static CELL: OnceCell<u32> = OnceCell::new();
    let use_notify = || _ = Box::pin(NOTIFY.notified()).now_or_never();
    calls_back_into(use_notify, || NOTIFY.notified().boxed_local(), || NOTIFY.notify_waiters());
    let use_event = || _ = Box::pin(EVENT.wait()).now_or_never();
    calls_back_into(use_event, || EVENT.wait().boxed_local(), || _ = EVENT.set());
    let mut second = BARRIER.wait().boxed_local();
    let wait = || BARRIER.wait().map(drop).boxed_local();
    let arrive = || {
        assert!((&mut second).now_or_never().is_none());
        assert!(BARRIER.wait().now_or_never().is_some());
    };
    calls_back_into(|| drop(format!("{BARRIER:?}")), wait, arrive);
    let mut makes = Box::pin(CELL.get_or_init(pending));
    assert!(makes.as_mut().now_or_never().is_none());
    let wait = || CELL.get_or_init(|| async { 1 }).map(drop).boxed_local();
    calls_back_into(|| _ = CELL.set(1), wait, || drop(makes));
}

/// A million polls and a hundred thousand waits leave nothing behind.
#[test]
fn what_waits_and_goes_leaves_no_trace() {
    let (lock, notify) = (Mutex::new(0), Notify::new());
    let flights = SingleFlight::new();
    let guard = lock.blocking_lock();
    let mut waits = Box::pin(lock.lock());
    let mut notified = Box::pin(notify.notified());
    for _ in 0..100_000 {
        assert!(!is_ready(&mut waits) && !is_ready(&mut notified));
        assert!(lock.lock().now_or_never().is_none() && notify.notified().now_or_never().is_none());
        assert!(flights.run(1, pending::<u32>).now_or_never().is_none());
    }
    assert_eq!(flights.under_way(), 0);
    drop(guard);
    assert!(is_ready(&mut waits));
    drop(waits);
    assert!(matches!(block_on(lock.lock().map(Poll::Ready)), Poll::Ready(_)));
}
