//! What tasks say to each other, on any executor.
//!
//! Every primitive here is a small state with lines of waiters beside it: behind one short
//! [lock](goro_shim::lock::Lock), or, where it can mostly be had at once, in one atomic word, and the
//! line behind the lock. What they share:
//!
//! | file | what |
//! |---|---|
//! | `wait.rs` | standing in line, being given a turn, leaving; operations that may take time |
//! | `block.rs` | the same operations for a thread that would rather sleep |
//! | [`names`] | names that people gave to primitives, for dumps |
//! | `permits.rs` | the protocol of all locks: who gets a permit, who may pass whom |
//! | `cell.rs` | values behind permits: the only unsafe code |
//!
//! Invariants of all primitives:
//! 1. No user code (a waker's clone, wake or drop, a destructor, a closure) runs under a lock, and
//!    no thread holds two locks. Wakers of a trusted table ([`goro_context::trust`]) may be cloned
//!    under one.
//! 2. A waiter is given a turn to try, never a value: what it waits for stays where it is until the
//!    waiter's own poll takes it. So a future that is dropped has nothing to give back but its turn,
//!    which goes to the next in line.
//! 3. Whatever can be ready at once spends a unit of the task's budget.
//! 4. No executor is needed: what the code wants to know it asks of `goro-context`.
#![deny(unsafe_code)]

#[macro_use]
mod constant;

mod barrier;
mod block;
pub mod broadcast;
pub mod cancel;
mod cell;
pub mod channel;
mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
mod mutex;
pub mod names;
mod notify;
mod once_cell;
pub mod oneshot;
mod permits;
mod pool;
pub mod race;
pub mod request;
mod rwlock;
mod seen;
pub mod select;
mod semaphore;
mod single_flight;
mod wait;
pub mod watch;

#[cfg(any(all(test, not(loom)), fuzzing))]
mod testing;

pub use goro_context::Cause;

pub use barrier::{Barrier, BarrierWait, WaitAtBarrier};
pub use cancel::CancellationToken;
pub use event::{Event, WaitForEvent};
pub use mutex::{FairMutex, Mutex, MutexGuard, OwnedMutexGuard, TryLockError};
pub use notify::{Notified, Notify};
pub use once_cell::{LazyCell, OnceCell, SetError};
pub use pool::{Pool, PoolStats, Pooled};
pub use race::{race, race_ok};
pub use rwlock::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{
    AcquireError, OwnedPermit, Permit, Semaphore, TooManyPermits, TryAcquireError,
};
pub use single_flight::SingleFlight;
