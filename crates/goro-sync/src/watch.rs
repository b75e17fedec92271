//! The latest value, for any number of readers.
//!
//! # The value and its memory
//!
//! The value stands behind a count of its own ([`Seen`]). Whoever reads takes a count and looks at the
//! value as long as it likes; sending puts another value in its place, and locks nobody out. A value
//! that nobody looks at any more is dropped when it is replaced, and its memory is used for the
//! next but one: as long as readers do not keep what they saw, sending allocates nothing.
//!
//! ```text
//!   Shared ──▶ version (read without the lock)
//!          └─▶ lock: current ──▶ [count | value]     spare ──▶ [count | empty]
//!                    line of receivers, how many ends there are
//! ```
//!
//! Invariants:
//! 1. The version changes with the value, under the lock; a receiver has seen the value whose version
//!    it remembers. Versions are compared for equality alone, so that they may wrap.
//! 2. A receiver that waits stands in line with its waker until it is called, dropped, or has come
//!    again; a change calls everybody in line. Between two waits a receiver keeps its place.
//! 3. The last value can be seen after the last sender is gone; only then a receiver learns that.
//!
//! Left out: a read that holds a lock. tokio's `Ref` keeps senders out while it lives, also if it
//! is kept over an await; here a reader cannot hold up anybody.

mod errors;
mod receiver;
mod sender;

use core::fmt;

use goro_shim::Arc;
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::lock::Lock;
use goro_wait::Wakers;

pub use errors::{ChangedError, Closed, SendError};
pub use receiver::{Changed, Receiver, WaitFor};
pub use sender::{AllGone, Sender};

pub use crate::seen::Seen;

use crate::seen::Blank;
use crate::wait::Line;

/// Makes a channel that holds one value, the latest.
///
/// # Sources
/// tokio's `watch`; reads that lock nobody out are arc-swap's idea.
///
/// # Example
/// ```
/// use goro_sync::watch;
///
/// # futures::executor::block_on(async {
/// let (config, mut reader) = watch::channel("first");
/// assert_eq!(*reader.borrow(), "first");
///
/// config.send("second").unwrap();
/// config.send("third").unwrap(); // replaces the second, which nobody has seen
/// reader.changed().await.unwrap();
/// assert_eq!(*reader.borrow_and_update(), "third");
///
/// drop(config);
/// assert!(reader.changed().await.is_err());
/// # });
/// ```
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        version: AtomicU64::new(FIRST),
        state: Lock::new(State {
            current: Seen::new(value),
            spare: None,
            readers: Line::new(),
            senders: Line::new(),
            sender_count: 1,
            receiver_count: 1,
        }),
    });
    (Sender::first(Arc::clone(&shared)), Receiver::at(shared, FIRST))
}

/// The version of the first value: just before the wrap in debug builds, so that every test is past
/// it (pitfall 117).
const FIRST: u64 = if cfg!(debug_assertions) { u64::MAX - 1 } else { 0 };

struct Shared<T> {
    /// Changes under the lock only.
    version: AtomicU64,
    state: Lock<State<T>>,
}

struct State<T> {
    current: Seen<T>,
    /// Memory for the next value.
    spare: Option<Blank<T>>,
    /// Receivers, waiting for a change.
    readers: Line,
    /// Senders, waiting for the last receiver to go.
    senders: Line,
    sender_count: usize,
    receiver_count: usize,
}

impl<T> Shared<T> {
    /// The version, not ordered with anything: who needs the value takes it under the lock.
    fn version(&self) -> u64 {
        // Ordering: Acquire pairs with the Release in `Shared::publish`: whoever has seen the version
        // sees what was done before it was made.
        self.version.load(Ordering::Acquire)
    }

    /// Puts `value` in the place of the current one and calls everybody, if `stands` says so under the
    /// lock, told the version and how many receivers there are. The value back if not.
    ///
    /// Under the lock values are moved, and never dropped.
    fn publish(&self, value: T, stands: impl Fn(u64, usize) -> bool) -> Result<Replaced<T>, T> {
        let mut wakers = Wakers::new();
        let mut memory = None;
        let replaced = loop {
            let mut state = self.state.lock();
            let version = self.version.load(Ordering::Relaxed);
            if !stands(version, state.receiver_count) {
                return Err(value);
            }
            let Some(blank) = state.spare.take().or_else(|| memory.take()) else {
                drop(state);
                memory = Some(Blank::new());
                continue;
            };
            let old = core::mem::replace(&mut state.current, blank.fill(value));
            // Ordering: Release pairs with the Acquire in `Shared::version`.
            self.version.store(version.wrapping_add(1), Ordering::Release);
            state.readers.call_all(&mut wakers);
            break match old.clear() {
                Ok((value, blank)) => {
                    state.spare = Some(blank);
                    Replaced::Value(value)
                }
                Err(looked_at) => Replaced::Seen(looked_at),
            };
        };
        wakers.wake_all();
        Ok(replaced)
    }

    /// The current value, and its version.
    fn look(&self) -> (Seen<T>, u64) {
        let state = self.state.lock();
        (state.current.clone(), self.version.load(Ordering::Relaxed))
    }
}

/// What another value took the place of: dropped by whoever has sent, or by whoever looks at it last.
enum Replaced<T> {
    Value(T),
    Seen(Seen<T>),
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
