//! The locks and signals that a rival's users have: the same operations of all of them.
use std::future::Future;
use std::ops::{Deref, DerefMut};

mod goro;
mod smol;
mod tokio;

pub use goro::Goro;
pub use smol::Smol;
pub use tokio::Tokio;

/// Locks round a number, permits, a notification.
pub trait Kit: 'static {
    /// A lock for one at a time.
    type Mutex: Send + Sync + 'static;
    /// A lock that readers share.
    type RwLock: Send + Sync + 'static;
    /// Permits.
    type Semaphore: Send + Sync + 'static;
    /// Wakes one who waits, or the next one who comes.
    type Notify: Send + Sync + 'static;
    /// Fills once.
    type OnceCell: Send + Sync + 'static;
    /// Lets so many go together.
    type Barrier: Send + Sync + 'static;
    /// Asks work to stop; its children with it.
    type Token: Clone + Send + Sync + 'static;

    /// A mutex round 0.
    fn mutex() -> Self::Mutex;
    /// A lock round 0.
    fn rw_lock() -> Self::RwLock;
    /// So many permits.
    fn semaphore(permits: usize) -> Self::Semaphore;
    /// With no notification.
    fn notify() -> Self::Notify;
    /// An empty one.
    fn once_cell() -> Self::OnceCell;
    /// For so many tasks.
    fn barrier(tasks: usize) -> Self::Barrier;

    /// Locks.
    fn lock(mutex: &Self::Mutex)
    -> impl Future<Output = impl DerefMut<Target = u64> + Send> + Send;
    /// Locks to read.
    fn read(lock: &Self::RwLock) -> impl Future<Output = impl Deref<Target = u64> + Send> + Send;
    /// Locks to write.
    fn write(
        lock: &Self::RwLock,
    ) -> impl Future<Output = impl DerefMut<Target = u64> + Send> + Send;
    /// Takes one permit.
    fn acquire(semaphore: &Self::Semaphore) -> impl Future<Output = impl Send> + Send;
    /// Notifies one.
    fn notify_one(notify: &Self::Notify);
    /// A token with none above it.
    fn token() -> Self::Token;
    /// One below it.
    fn child_token(token: &Self::Token) -> Self::Token;
    /// Cancels it, and all below it.
    fn cancel(token: &Self::Token);
    /// Whether it is.
    fn is_cancelled(token: &Self::Token) -> bool;
    /// Waits until it is.
    fn cancelled(token: &Self::Token) -> impl Future<Output = ()> + Send;
    /// Waits for a notification.
    fn notified(notify: &Self::Notify) -> impl Future<Output = ()> + Send;
}
