//! How many are inside of something, and the moment when the last one leaves.
//!
//! ```text
//!   owner: new ────────────── enter ── enter ──────────── leave, wait ─────────▶ nobody is inside
//!                               │        └──▶ member: enter ──▶ leave
//!                               └──▶ member: ... leave ─── the last one sets the event
//! ```
//!
//! Invariants:
//! 1. Whoever calls `enter` is inside; so once the count has come to zero it stays there.
//! 2. What a member did before it left has happened when `wait` is over: who leaves last has seen the others
//!    leave, and sets the event after that.
//! 3. A member touches this after it has left only to set the event: it shares the ownership.

use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_sync::{Event, WaitForEvent};

/// How many are inside; see the module.
pub(crate) struct Ends {
    inside: AtomicUsize,
    nobody: Event,
}

impl Ends {
    /// With its owner inside.
    pub(crate) fn new() -> Self {
        Self { inside: AtomicUsize::new(1), nobody: Event::new() }
    }

    /// One that is inside lets in another.
    pub(crate) fn enter(&self) {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        debug_assert!(before > 0, "who lets others in is inside");
    }

    /// One leaves; nothing that must have happened before the end may come after this.
    pub(crate) fn leave(&self) {
        // Ordering: Release pairs with the Acquire of who leaves last, here; that one hands on what it has
        // seen with the event.
        if self.inside.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.nobody.set();
        }
    }

    /// How many are inside, the owner among them, at some moment of the call.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// Until nobody is inside; for the owner, which has left.
    pub(crate) fn wait(&self) -> WaitForEvent<'_> {
        self.nobody.wait()
    }
}

#[cfg(all(test, loom))]
mod models;
