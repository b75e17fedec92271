//! tokio's.
use std::ops::{Deref, DerefMut};

use tokio::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};

use tokio_util::sync::CancellationToken;

use super::Kit;

/// tokio's.
pub struct Tokio;

impl Kit for Tokio {
    type Mutex = Mutex<u64>;
    type RwLock = RwLock<u64>;
    type Semaphore = Semaphore;
    type Notify = Notify;
    type OnceCell = OnceCell<u64>;
    type Barrier = Barrier;

    type Token = CancellationToken;

    fn token() -> CancellationToken {
        CancellationToken::new()
    }

    fn child_token(token: &CancellationToken) -> CancellationToken {
        token.child_token()
    }

    fn cancel(token: &CancellationToken) {
        token.cancel();
    }

    fn is_cancelled(token: &CancellationToken) -> bool {
        token.is_cancelled()
    }

    async fn cancelled(token: &CancellationToken) {
        token.cancelled().await;
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
        Notify::new()
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
        semaphore.acquire().await.expect("it is never closed")
    }

    #[inline]
    fn notify_one(notify: &Notify) {
        notify.notify_one();
    }

    #[inline]
    async fn notified(notify: &Notify) {
        notify.notified().await;
    }
}
