//! Every value to every receiver.
//!
//! The channel holds the last values, up to its capacity, each until all receivers have had it. What
//! happens when a receiver is so late that the channel is full is chosen when it is made:
//!
//! | [`OnLag`] | a value that is sent while the channel is full | whoever is late |
//! |---|---|---|
//! | `Skip` | takes the place of the oldest | is told how many values it has missed, and goes on |
//! | `Wait` | waits for a place | holds up the senders |
//! | `Disconnect` | takes the place of the oldest | is disconnected, and told so |
//!
//! Nothing is lost in silence: a receiver that misses something gets an error that says how much, and
//! [`Counts`] has the sums.
//!
//! # Cancel safety
//!
//! | operation | class | a future that is dropped early |
//! |---|---|---|
//! | `recv`, `recv_timeout` | Safe | has received nothing |
//! | `send` | Returns | has sent nothing, and has its value ([`SendFuture::into_inner`]) |
//!
//! Invariants and layout are told in `ring.rs`.
//!
//! Left out: values that are copied under the lock. A value is counted while it is being copied
//! ([`Seen`](crate::watch::Seen)), so that a slow `clone` holds up nobody, may use the channel, and
//! may panic.

mod errors;
mod receiver;
mod ring;
mod sender;

use core::fmt;

use goro_shim::Arc;
use goro_shim::lock::Lock;

pub use errors::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
pub use receiver::{Receiver, RecvFuture, RecvTimeout};
pub use sender::{SendFuture, Sender};

use ring::Ring;

/// What happens when a receiver is so late that the channel is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnLag {
    /// The late receivers miss the oldest value; their next receive says how many they have missed.
    Skip,
    /// Senders wait.
    Wait,
    /// The late receivers are disconnected; their next receive says so.
    Disconnect,
}

/// What has happened in a channel so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Values that were sent.
    pub sent: u64,
    /// Values that somebody missed, once for each who did; see [`OnLag::Skip`].
    pub skipped: u64,
    /// Sends that had to wait; see [`OnLag::Wait`].
    pub waited: u64,
    /// Receivers that were disconnected; see [`OnLag::Disconnect`].
    pub disconnected: u64,
}

/// Makes a channel that holds up to `capacity` values, and its first two ends.
///
/// # Panics
/// When `capacity` is 0: a value has to stand somewhere until the last receiver comes.
///
/// # Sources
/// tokio's `broadcast` (`Skip`) and async-broadcast (`Wait`), in one.
///
/// # Example
/// ```
/// use goro_sync::broadcast::{self, OnLag, RecvError};
///
/// # futures::executor::block_on(async {
/// let (sender, mut one) = broadcast::channel(2, OnLag::Skip);
/// let mut other = one.clone();
/// for n in 1..=3 {
///     sender.send(n).await.unwrap();
/// }
/// assert_eq!(one.recv().await, Err(RecvError::Lagged(1)));
/// assert_eq!(one.recv().await, Ok(2));
///
/// drop(sender);
/// assert_eq!(one.recv().await, Ok(3));
/// assert_eq!(one.recv().await, Err(RecvError::Closed));
/// assert_eq!(other.recv().await, Err(RecvError::Lagged(1)));
/// # });
/// ```
pub fn channel<T>(capacity: usize, on_lag: OnLag) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a broadcast channel holds at least one value: make it of capacity 1");
    let shared = Arc::new(Shared(Lock::new(Ring::new(capacity, on_lag))));
    (Sender::first(Arc::clone(&shared)), Receiver::first(shared))
}

/// What all ends share.
struct Shared<T>(Lock<Ring<T>>);

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.0.lock();
        let (len, counts) = (ring.len(), ring.counts());
        drop(ring);
        f.debug_struct("Shared").field("len", &len).field("counts", &counts).finish()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
