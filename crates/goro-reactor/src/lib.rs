//! Readiness from the kernel: one poll, a slab of sources, and who waits for them.
//!
//! A byte's way: the worker that finds nothing to do takes the [`Hold`], sleeps in
//! [`turn`](Hold::turn), and gets wakers back. Each is a task that found its source not ready
//! ([`Registration`]); it now repeats the system call.
//!
//! Invariants:
//! 1. No sockets here, and no tasks: sources are whatever mio can watch, waiters are wakers.
//! 2. Locks are taken in the order directory, source, and nothing of the user's runs under one.
//! 3. What travels through the kernel is a number, never a pointer.
//! 4. A reactor that was closed answers with errors; nothing here hangs or panics for it.
//!
//! Left out: closing sources (their owners do), and the waking itself (the turner does, when it has
//! let go of everything).
#![forbid(unsafe_code)]

mod alarm;
mod directory;
mod error;
mod interest;
mod reactor;
mod registration;
pub mod source;
mod token;
mod waiter;
mod watch;
mod watched;

pub use interest::Direction;
pub use reactor::{Hold, Reactor, Turn, Wait, wake_all};
pub use registration::Registration;
pub use waiter::{Attempt, Readiness, Waiter};
pub use watch::Ready;
pub use watched::Watched;
