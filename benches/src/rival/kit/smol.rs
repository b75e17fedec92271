//! smol's: async-lock. It has no notification; its users write one with an `Event` of event-listener
//! and a flag.
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use event_listener::Event;
use smol::lock::{Barrier, Mutex, OnceCell, RwLock, Semaphore};

use super::Kit;

/// smol's.
pub struct Smol;

/// A flag, and an event for those who wait for it.
pub struct Notify {
    told: AtomicBool,
    event: Event,
}

/// smol has no tokens.
#[derive(Clone, Copy)]
pub enum NoToken {}

impl Kit for Smol {
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;
    type Semaphore = Semaphore;
    type Notify = Notify;
    type OnceCell = OnceCell<u64>;
    type Barrier = Barrier;

    type Token = NoToken;

    fn token() -> NoToken {
        unreachable!("the workloads of tokens are without smol")
    }

    fn child_token(token: &NoToken) -> NoToken {
        match *token {}
    }

    fn cancel(token: &NoToken) {
        match *token {}
    }

    fn is_cancelled(token: &NoToken) -> bool {
        match *token {}
    }

    async fn cancelled(token: &NoToken) {
        match *token {}
    }

    fn mutex() -> Mutex<u64> {
        Mutex::new(0)
    }

    fn rw_lock() -> RwLock<u64> {
        RwLock::new(0)
    }

    fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    fn notify() -> Notify {
        Notify { told: AtomicBool::new(false), event: Event::new() }
    }

    fn once_cell() -> OnceCell<u64> {
        OnceCell::new()
    }

    fn barrier(tasks: usize) -> Barrier {
        Barrier::new(tasks)
    }

    #[inline]
    async fn lock(mutex: &Mutex<u64>) -> impl DerefMut<Target = u64> + Send {
        mutex.lock().await
    }

    #[inline]
    async fn read(lock: &RwLock<u64>) -> impl Deref<Target = u64> + Send {
        lock.read().await
    }

    #[inline]
    async fn write(lock: &RwLock<u64>) -> impl DerefMut<Target = u64> + Send {
        lock.write().await
    }

    #[inline]
    async fn acquire(semaphore: &Semaphore) -> impl Send {
        semaphore.acquire().await
    }

    #[inline]
    fn notify_one(notify: &Notify) {
        notify.told.store(true, Ordering::Release);
        notify.event.notify(1);
    }

    #[inline]
    async fn notified(notify: &Notify) {
        loop {
            if notify.told.swap(false, Ordering::Acquire) {
                return;
            }
            let told = notify.event.listen();
            if notify.told.swap(false, Ordering::Acquire) {
                return;
            }
            told.await;
        }
    }
}
