//! What tasks say to each other, on any executor.
//!
//! Every primitive here is a small state behind one short [lock](goro_shim::lock::Lock), with lines
//! of waiters beside it. What they share stands in three files, and is all that they share:
//!
//! | file | what |
//! |---|---|
//! | `wait.rs` | standing in line, being given a turn, leaving; operations that may take time |
//! | `block.rs` | the same operations for a thread that would rather sleep |
//! | [`names`] | names that people gave to primitives, for dumps |
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
#![forbid(unsafe_code)]

pub use race::{race, race_ok};

mod block;
pub mod broadcast;
pub mod channel;
pub mod names;
pub mod oneshot;
pub mod race;
pub mod request;
mod seen;
pub mod select;
#[allow(dead_code, reason = "a part is here before the primitive that needs it")]
mod wait;
pub mod watch;

#[cfg(all(test, not(loom)))]
mod testing;
