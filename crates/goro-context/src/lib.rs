//! What code may ask of whoever runs it.
//!
//! The crate stands alone on its floor: everything above may call it, and it knows nobody above.
//! A runtime installs itself on its threads ([`host::enter`]), says which task is being polled
//! ([`task::enter`]), and hands out a budget ([`budget::reset`]); leaf futures (channels, timers,
//! sockets) ask for those things here, and therefore work under any executor and on plain threads.
//!
//! | question | module | with nobody installed |
//! |---|---|---|
//! | which task is this? | [`task`], [`kind`] | none |
//! | what does it wait for? | [`note`] | written, never read |
//! | has it run long enough? | [`budget`] | never |
//! | what time is it, wake me then | [`time`], [`alarm`], [`fallback`] | the system's clock, one lazy thread |
//! | run this as a task, or on a thread | [`host`], [`spawn`] | refused, value handed back |
//! | am I asked to stop, and why? | [`cancel`], [`cause`], [`inherit`] | no |
//! | choose at random | [`random`] | works |
//! | drop this without recursing | [`drops`] | works |
//! | call code that may panic | [`contain`] | works |
//! | may this waker be cloned under a lock? | [`trust`] | no |
//!
//! Invariants:
//! 1. Each question costs one thread-local read on its hot path, and takes no lock.
//! 2. No thread-local here has a destructor, so every question works inside other thread-locals'
//!    destructors too.
//! 3. No type of an upper floor is named; what must be reached up there is a trait object.
//!
//! Left out: task-locals with a typed key (they are an [`inherit::Head`] away, on an upper floor),
//! and named objects for dumps (a registry of the crate that has the objects).
#![forbid(unsafe_code)]

#[macro_use]
mod local;

pub mod alarm;
pub mod budget;
pub mod cancel;
pub mod cause;
pub mod contain;
pub mod drops;
pub mod fallback;
pub mod host;
pub mod inherit;
pub mod kind;
mod layers;
pub mod note;
pub mod random;
pub mod spawn;
pub mod task;
#[cfg(all(test, not(loom)))]
mod testing;
pub mod time;
pub mod trust;

pub use cause::Cause;
pub use host::{Gone, Host, Refused, TimerKey};
pub use kind::Kind;
pub use note::{Op, WaitNote};
pub use task::{CurrentTask, TaskId};
pub use time::{Deadline, now};
