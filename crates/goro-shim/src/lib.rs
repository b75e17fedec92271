//! What goro takes from the platform, and the only place that chooses between std and loom.
//!
//! Every other goro crate reaches atomics, cells, locks, threads, the clock and randomness through
//! here, so that one build flag (`--cfg loom`) turns a whole crate into a model, and one
//! (`--cfg goro_tsan`) into something ThreadSanitizer can follow.
//!
//! Invariants:
//! 1. No other goro crate names `std::sync`, `std::thread` or `Instant::now` (clippy bans them).
//! 2. Nothing here knows what a task is.
//! 3. Unsafe code stands in [`lock`] and [`fork`] only; [`word`] declares an unsafe contract.
//!
//! Left out on purpose: condition variables (a task never waits on one; threads park) and
//! poisoning (no user code ever runs under a [`lock::Lock`]).
#![deny(unsafe_code)]

pub mod atomic;
pub mod cell;
pub mod fork;
pub mod global;
pub mod lock;
pub mod random;
pub mod thread;
pub mod time;
pub mod word;

/// A value alone on its pair of cache lines.
///
/// 128 bytes, since adjacent-line prefetch makes two neighbours one line in effect: two workers
/// publishing words 64 bytes apart cost each other three times the uncontended price.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct CachePadded<T>(pub T);

impl<T> core::ops::Deref for CachePadded<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Shared ownership, counted: std's `Arc`, or loom's when a model runs.
#[cfg(not(loom))]
pub use std::sync::Arc;

/// Shared ownership, counted: std's `Arc`, or loom's when a model runs.
#[cfg(loom)]
pub use loom::sync::Arc;
