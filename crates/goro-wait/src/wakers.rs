//! Wakers taken out of a list or wheel under its lock, to be woken once the lock is gone.
//!
//! Invariants:
//! 1. Each waker runs in its own `catch_unwind`: one that panics stops no other.
//! 2. Up to 16 wakers cost no allocation.
//!
//! Left out: re-raising. A waker's panic belongs to whoever made the waker, not to whoever happens
//! to wake it; the count is there for metrics.

use core::fmt;
use core::mem::ManuallyDrop;
use core::task::Waker;
use std::panic::{AssertUnwindSafe, catch_unwind};

const INLINE: usize = 16;

/// A batch of wakers: 16 in place, the rest in a vector.
///
/// Fill it under a lock with [`push`](Wakers::push), which runs no foreign code, unlock, then
/// [`wake_all`](Wakers::wake_all). A batch that is dropped wakes nobody.
///
/// ```
/// # use goro_wait::{WaitList, Wakers};
/// # use std::task::Waker;
/// let mut list = WaitList::new();
/// list.push_back(Waker::noop().clone());
///
/// let mut wakers = Wakers::new();
/// while let Some(waker) = list.pop_front() {
///     wakers.push(waker);
/// }
/// // Here the lock around the list would be given back.
/// assert_eq!(wakers.wake_all(), 0);
/// ```
pub struct Wakers {
    inline: [Option<Waker>; INLINE],
    inline_len: usize,
    spill: Vec<Waker>,
}

impl Wakers {
    /// An empty batch.
    pub const fn new() -> Self {
        Self { inline: [const { None }; INLINE], inline_len: 0, spill: Vec::new() }
    }

    /// Adds a waker to the batch; allocates from the 17th on.
    #[inline]
    pub fn push(&mut self, waker: Waker) {
        if let Some(place) = self.inline.get_mut(self.inline_len) {
            *place = Some(waker);
            self.inline_len += 1;
        } else {
            self.spill.push(waker);
        }
    }

    /// How many wakers are in the batch.
    pub fn len(&self) -> usize {
        self.inline_len + self.spill.len()
    }

    /// Whether the batch is empty.
    pub fn is_empty(&self) -> bool {
        self.inline_len == 0
    }

    /// Wakes all, first in first out, and leaves the batch empty. Returns how many panicked.
    ///
    /// Call it with no lock held: wakers are foreign code.
    pub fn wake_all(&mut self) -> usize {
        self.each(Waker::wake)
    }

    /// Gives each waker to `end`, which may panic; counts the panics.
    fn each(&mut self, end: impl Fn(Waker)) -> usize {
        let mut panics = 0;
        let inline = self.inline[..self.inline_len].iter_mut().filter_map(Option::take);
        self.inline_len = 0;
        for waker in inline.chain(self.spill.drain(..)) {
            // Panic: the waker has left the batch, so it is given up and nothing else changes.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| end(waker))) {
                panics += 1;
                drop_payload(payload);
            }
        }
        panics
    }
}

/// Drops a panic's payload, whose own drop may panic: the second payload is leaked.
fn drop_payload(payload: Box<dyn std::any::Any + Send>) {
    // Panic: nothing but the payload is touched.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        let _leaked = ManuallyDrop::new(second);
    }
}

impl Default for Wakers {
    fn default() -> Self {
        Self::new()
    }
}

impl Extend<Waker> for Wakers {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        for waker in wakers {
            self.push(waker);
        }
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        if !self.is_empty() {
            self.each(drop);
        }
    }
}

impl fmt::Debug for Wakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakers").field("len", &self.len()).finish()
    }
}
