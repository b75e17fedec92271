//! Where sleepers wait: timer wheel and waiter lists, as data.
//!
//! Nothing here locks, reads a clock, or calls what it stores: the owner holds its own lock, says
//! what time it is, and wakes whom it took out after unlocking.
//!
//! - [`Wheel`]: sleepers by deadline. Insert and cancel are O(1), and nobody is let go early.
//! - [`WaitList`]: waiters in order of arrival, each removable in O(1) by its [`Key`].
//! - [`Wakers`]: wakers taken out of either, to be woken once the lock is gone.
//!
//! Invariants:
//! 1. No stored value is dropped, cloned or called here, except by [`Wakers`] and by dropping a
//!    container: every removal gives the value back, so that it can be dropped outside a lock.
//! 2. A [`Key`] whose entry is gone is stale: it finds nothing, and never another's entry.
//! 3. Memory follows the number of entries down again, within the bound each type states.
//!
//! Left out: intrusive nodes (they need pinning and unsafe code; a key costs about 15 ns and makes
//! a leaked future harmless) and the `slab` crate (its vacant slots remember no generation, and it
//! gives memory back only from its end).
#![forbid(unsafe_code)]

#[cfg(fuzzing)]
pub mod fuzzing;
mod key;
mod list;
mod wakers;
mod wheel;

pub use key::Key;
pub use list::{Drain, Iter, WaitList};
pub use wakers::Wakers;
pub use wheel::{TICK_NANOS, Wheel};
