//! Where runnable work waits: ring, next slot, injector.
//!
//! A worker owns one [`LocalQueue`]: a ring of [`CAPACITY`] places, taken from in the order it was
//! filled, and one next slot. Work from outside, and what the ring has no room for, stands in an
//! [`Injector`] that all workers share. Others may take half of a ring or the slot at any time (the
//! slot at a price that makes it something for a stuck owner's);
//! what they do with it, and when, is the scheduler's business and not known here.
//!
//! Invariants:
//! 1. Each item that goes in comes out exactly once, whoever takes it; a queue that is dropped
//!    drops what stands in it.
//! 2. Only the thread that has claimed a queue puts anything into it. Nobody ever waits for
//!    another thread, except for the injector's short lock.
//! 3. Items are [`Word`](goro_shim::word::Word)s: one pointer each, never looked into here.
//! 4. Unsafe code stands in [`local`](LocalQueue) only: turning a word back into its item.
//!
//! # Order
//!
//! One worker's ring is first in, first out. When it is full, its *newer* half (and the item that
//! found no room) goes to the injector; its older half stays in front. Moving the older half, as
//! is often done, puts the work that has waited longest behind everything else. What comes from
//! the injector or from another ring fills a ring to half of its places at most, and an overflow
//! moves only what stands behind that half. Hence, for one item:
//!
//! - it goes to the injector at most once after each push;
//! - once among the first [`CAPACITY`]` / 2` of a ring it is never overtaken by an item that was
//!   put into that ring later;
//! - if it goes to the injector behind `n` others, and workers visit the injector at least once in
//!   every `v` takings, it leaves the injector within `(n + 1) * v` takings;
//! - a ring that it enters from there, or by being stolen, runs it within [`CAPACITY`]` / 2`
//!   takings from that ring.
//!
//! The next slot jumps this order on purpose; how often in a row is for the scheduler to bound.
//!
//! # Example
//!
//! ```
//! use goro_queue::{Injector, LocalQueue};
//!
//! let shared = Injector::new();
//! let queue = LocalQueue::new();
//! let claim = queue.claim().expect("nobody else has it");
//! for n in 0..300 {
//!     if let Err(full) = claim.push(Box::new(n)) {
//!         shared.push_overflow(claim.overflow(full));
//!     }
//! }
//! assert_eq!(queue.len() + shared.len(), 300);
//! assert_eq!(claim.pop(), Some(Box::new(0)));
//! ```
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]

#[cfg(fuzzing)]
pub mod fuzzing;
mod injector;
mod local;
#[cfg(all(test, loom))]
mod models;
#[cfg(any(all(test, not(loom)), fuzzing))]
mod properties;
mod ring;
mod slot;

pub use injector::Injector;
pub use local::{Claim, LocalQueue, Overflow, Refused};

/// How many items a worker's ring holds. In a model, few, so that it is full at once.
pub const CAPACITY: usize = if cfg!(loom) { 4 } else { 1024 };

/// How far a ring is filled by anything but its owner's pushes; what an overflow keeps.
pub(crate) const HALF: usize = CAPACITY / 2;
