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

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use goro_shim::global::{Arc, Lock};

    use super::*;

    /// Notes its number when woken, then panics if it is odd, with a payload whose drop panics if
    /// it is divisible by three; its own drop panics always.
    struct Nasty {
        number: usize,
        woken: Arc<Lock<Vec<usize>>>,
    }

    struct NastyPayload;

    impl Drop for NastyPayload {
        fn drop(&mut self) {
            // What it panics with is no better.
            std::panic::panic_any(NastyPayload);
        }
    }

    impl Wake for Nasty {
        fn wake(self: Arc<Self>) {
            self.woken.lock().push(self.number);
            // Its drop is tried by the batch, not here in the middle of a panic.
            let _kept = ManuallyDrop::new(self.clone());
            if self.number % 2 == 1 {
                if self.number % 3 == 0 {
                    std::panic::panic_any(NastyPayload);
                }
                panic!("a wake");
            }
        }
    }

    impl Drop for Nasty {
        fn drop(&mut self) {
            panic!("a waker's drop");
        }
    }

    fn batch(n: usize) -> (Wakers, Arc<Lock<Vec<usize>>>) {
        let woken = Arc::new(Lock::new(Vec::new()));
        let mut wakers = Wakers::new();
        wakers.extend((0..n).map(|number| {
            let woken = Arc::clone(&woken);
            Waker::from(Arc::new(Nasty { number, woken }))
        }));
        assert_eq!((wakers.len(), wakers.is_empty()), (n, n == 0));
        (wakers, woken)
    }

    #[test]
    fn all_are_woken_in_order_whoever_panics() {
        for n in [0, 1, 15, 16, 17, 40] {
            let (mut wakers, woken) = batch(n);
            assert_eq!(wakers.wake_all(), n / 2);
            assert!(woken.lock().iter().copied().eq(0..n));
            assert_eq!((wakers.is_empty(), wakers.len()), (true, 0));
            // Empty it is of use again, and has nothing to wake.
            assert_eq!(wakers.wake_all(), 0);
            wakers.push(Waker::noop().clone());
            assert_eq!((wakers.len(), wakers.wake_all()), (1, 0));
            assert_eq!(woken.lock().len(), n);
        }
    }

    #[test]
    fn a_batch_that_is_dropped_drops_all_and_wakes_nobody() {
        for n in [1, 16, 40] {
            let (wakers, woken) = batch(n);
            assert_eq!(Arc::strong_count(&woken), n + 1);
            drop(wakers);
            assert!(woken.lock().is_empty());
            assert_eq!(Arc::strong_count(&woken), 1);
        }
    }

    #[test]
    fn what_waits_may_change_threads() {
        fn both<T: Send + Sync>() {}
        both::<Wakers>();
        both::<crate::Wheel<Waker>>();
        both::<crate::WaitList<Waker>>();
    }
}
