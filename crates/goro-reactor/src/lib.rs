//! Readiness from the kernel: one poll, a slab of sources, and who waits for them.
//!
//! A byte's way: the worker that finds nothing to do takes the [`Hold`], sleeps in
//! [`turn`](Hold::turn), and gets wakers back. Each is a task that found its source not ready
//! ([`Registration`]); it now repeats the system call.
//!
//! ```
//! use core::task::{Context, Poll};
//! use std::io::{Read, Write};
//! use goro_context::Op;
//! use goro_reactor::{Direction, Reactor, Wait, Watched, wake_all};
//! # #[cfg(unix)] fn example() -> std::io::Result<()> {
//! use mio::net::UnixStream;
//!
//! let reactor = Reactor::new()?;
//! let (stream, mut peer) = UnixStream::pair()?;
//! let stream = Watched::new(&reactor, stream)?;
//! let mut cx = Context::from_waker(std::task::Waker::noop());
//! let mut buf = [0; 8];
//! let mut read = || {
//!     let read = || (&*stream).read(&mut buf);
//!     stream.registration().poll_io(&mut cx, Direction::Read, Op::Readable, read)
//! };
//! assert!(read().is_pending(), "and the waker is left behind");
//!
//! peer.write_all(b"a byte's way")?;
//! let mut wakers = Vec::new();
//! while wakers.is_empty() {
//!     let mut hold = reactor.try_hold().expect("nobody else turns");
//!     hold.turn(Wait::Forever, &mut wakers)?;
//! }
//! wake_all(&mut wakers);
//! assert!(matches!(read(), Poll::Ready(Ok(8))));
//! # Ok(()) }
//! # #[cfg(unix)] example().unwrap();
//! ```
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
#[cfg(all(fuzzing, unix))]
pub mod fuzzing;
mod interest;
mod notice;
mod parker;
mod reactor;
mod registration;
pub mod source;
mod token;
mod waiter;
mod watch;
mod watched;

pub use interest::Direction;
pub use parker::{Nudge, Parker, Patience};
pub use reactor::{Hold, Reactor, Turn, Wait, wake_all};
pub use registration::{Left, Registration};
pub use waiter::{Attempt, Readiness, Waiter};
pub use watch::Ready;
pub use watched::Watched;
