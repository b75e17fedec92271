//! Channels: values go from any number of senders to any number of receivers, each to one of them.
//!
//! [`bounded`] channels have a place for so many values, [`unbounded`] ones for any number, and
//! `bounded(0)` is a true rendezvous: a send is done when a receiver has the value. They run on any
//! executor, and on plain threads ([`blocking_send`](Sender::blocking_send),
//! [`blocking_recv`](Receiver::blocking_recv)).
//!
//! # What is promised
//!
//! - A value that was sent is received by one receiver, or is dropped once (by the channel when the
//!   last receiver has gone, or given to [`on_undelivered`](Builder::on_undelivered)). A value that
//!   was not sent comes back with the error, or in the future that was to send it.
//! - Values are received in the order in which they were sent. Senders that wait are served first
//!   come, first served; so are receivers that wait.
//! - A future that is kept without being polled holds up nobody who is polled.
//! - No waker and no destructor runs while a channel is locked: both may use the channel.
//!
//! # Cancel safety
//!
//! | operation | class | a future that is dropped early |
//! |---|---|---|
//! | `recv`, `recv_timeout`, `recv_deadline` | Safe | has received nothing |
//! | `send`, `send_timeout`, `send_deadline` | Returns | has sent nothing, and has its value (`into_inner`); at a rendezvous the value may be received already, and `into_inner` says so |
//! | `recv_lease`, `recv_many`, a stream's `next` | Safe | has received nothing |
//! | `send_many` | Returns | has sent some of the first values, and has the others (`into_inner`) |
//! | `reserve` | Place | has reserved nothing, and has lost its place in line |
//! | `closed` | Safe | has changed nothing |
//!
//! # How it works
//!
//! One short lock, a ring of items, a line of receivers and one of senders, as in Go. Other than in
//! Go, a waiter is woken with a *turn to try*, not with a value; `state.rs` has the rules, `wait.rs`
//! the lines, `shared.rs` the operations.
//!
//! Left out: a lock-free ring. It saves nothing where both ends wait for each other (the lines need
//! a lock), and two RMWs a message are what the lock costs as well.

mod builder;
mod end;
mod ending;
mod errors;
mod items;
mod lease;
mod many;
mod permit;
mod receiver;
mod receiving;
mod sender;
mod sending;
mod shared;
mod state;
mod stream;

pub use builder::{Builder, Overflow, bounded, unbounded};
pub use ending::ClosedFuture;
pub use errors::{
    Closed, ForceSendError, PermitError, Reason, RecvError, RecvTimeoutError, SendError,
    SendManyError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use lease::{Lease, RecvLease};
pub use many::{RecvMany, SendMany};
pub use permit::{Permit, Reserve};
pub use receiver::{Receiver, WeakReceiver};
pub use receiving::{RecvFuture, RecvTimeout};
pub use sender::{Sender, WeakSender};
pub use sending::{SendFuture, SendTimeout};
pub use stream::{RecvStream, SendSink};

#[cfg(all(test, loom))]
mod models;
#[cfg(any(all(test, not(loom)), fuzzing))]
pub(crate) mod properties;
