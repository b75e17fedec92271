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
//! A channel with 32 places or more holds its values in blocks, of up to a sixteenth of its places and 32
//! values. A receiver takes hold of a block, and then receives what is in it without a lock, and without
//! writing to anything that other receivers read: they do not slow each other down, however many cores
//! they run on. In return three things are counted in blocks there: with `Wait` a receiver counts as having had
//! all of the block that it reads, so that the channel holds up to a block more than its capacity, and
//! [`Sender::len`] may be less by as much; and values that all have had are dropped with the last of
//! their block. A smaller channel counts value by value.
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
//! Left out: values that are copied under the lock. They are copied out of a block, which the receiver
//! holds, so that a slow `clone` holds up nobody, may use the channel, and may panic.

mod block;
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

use ring::{Marks, Ring};

/// What happens when a receiver is so late that the channel is full.
///
/// ```
/// use goro_sync::broadcast::{self, OnLag, RecvError};
///
/// let (tx, mut rx) = broadcast::channel(1, OnLag::Disconnect);
/// tx.try_send(1).unwrap();
/// assert!(tx.try_send(2).is_err(), "nobody is left");
/// assert_eq!(rx.blocking_recv(), Err(RecvError::Disconnected));
/// ```
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
///
/// ```
/// use goro_sync::broadcast::{self, Counts, OnLag, RecvError};
///
/// let (tx, mut rx) = broadcast::channel(1, OnLag::Skip);
/// (0..3).for_each(|number| assert!(tx.try_send(number).is_ok()));
/// assert_eq!(rx.blocking_recv(), Err(RecvError::Lagged(2)));
/// let counts: Counts = tx.counts();
/// assert_eq!((counts.sent, counts.disconnected), (3, 0));
/// ```
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
    ends(Ring::new(capacity, on_lag), on_lag)
}

fn ends<T>(ring: Ring<T>, on_lag: OnLag) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared { marks: Marks::new(), on_lag, ring: Lock::new(ring) });
    (Sender::first(Arc::clone(&shared)), Receiver::new(shared))
}

/// What all ends share.
struct Shared<T> {
    marks: Marks,
    on_lag: OnLag,
    ring: Lock<Ring<T>>,
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ring.lock();
        let (len, counts) = (ring.len(&self.marks), ring.counts(&self.marks));
        drop(ring);
        f.debug_struct("Shared").field("len", &len).field("counts", &counts).finish()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
