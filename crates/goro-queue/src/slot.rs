//! The next slot: one word that its owner runs before anything in the ring.
//!
//! Who owns it takes from it for each task that was woken; a thief comes once in a long poll. So the owner pays
//! with plain accesses, and a thief with a fence that stops the owner wherever it is:
//!
//! ```text
//!   owner takes                          thief
//!   busy = true                          door: CLOSED -> VISITED   (another thief's: leave)
//!   light fence                          heavy fence
//!   door CLOSED?  load, store null       busy?  leave
//!   else          swap                   compare and swap to null
//!   busy = false                         door = CLOSED
//! ```
//!
//! Of the two fences one sees the other's side. An owner that has found the door closed is seen busy, and is
//! left alone; and every taking that begins after a thief has seen it not busy finds the visitor, until that
//! has left.
//!
//! Invariants:
//! 1. Only the owner puts a word in, so an empty slot stays empty until the owner fills it: into
//!    an empty slot it puts with a plain store.
//! 2. A word leaves exactly once: while a thief may be inside by a read-modify-write, the owner's swap or
//!    the thief's compare-and-swap; else by the owner's load and store.
//! 3. At most one thief is inside, unless the door is [`OPEN`] for good; then nobody uses plain accesses.
//! 4. Nobody looks behind the pointer here, so it is harmless if a thief takes a word that has
//!    left and come back since it looked: the pointer *is* the right to the item.
//!
//! Left out: an owner's poll count in the place of `busy`, which would spare two stores and tie the slot to the
//! scheduler.

use core::ptr::{NonNull, null_mut};

use goro_shim::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, Ordering, fence_heavy, fence_light, has_heavy,
};

use crate::ring::Bits;

/// Whether no thief may take from it: for measuring what that costs, not for use, since a task then waits
/// behind a long poll for as long as that lasts.
const PRIVATE: bool = cfg!(goro_private_slot);

/// No thief is inside.
const CLOSED: u32 = 0;
/// One is.
const VISITED: u32 = 1;
/// Any number may be, at any time: there is no heavy fence here, or theft is common.
const OPEN: u32 = 2;

/// Room for one word. See the module.
pub(crate) struct Slot {
    word: AtomicPtr<()>,
    /// The owner is about to take, and has seen whether a thief is inside or will.
    busy: AtomicBool,
    door: AtomicU32,
}

impl Slot {
    /// An empty one; with `open`, thieves come and go without a fence, and the owner takes with a
    /// read-modify-write.
    pub(crate) fn empty(open: bool) -> Self {
        let door = if open || !has_heavy() { OPEN } else { CLOSED };
        Self {
            word: AtomicPtr::new(null_mut()),
            busy: AtomicBool::new(false),
            door: AtomicU32::new(door),
        }
    }

    /// Whether a word is in here, by a glance that may be out of date.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        !self.word.load(Ordering::Relaxed).is_null()
    }

    /// Puts `word` in, and hands back the one it displaced. Owner only.
    #[inline]
    pub(crate) fn put(&self, word: Bits) -> Option<Bits> {
        if self.is_full() {
            return self.exchange(word.as_ptr());
        }
        // Ordering: Release publishes the item; pairs with the thief's Acquire.
        self.word.store(word.as_ptr(), Ordering::Release);
        None
    }

    /// Takes the word out. Owner only.
    #[inline]
    pub(crate) fn take(&self) -> Option<Bits> {
        if self.is_full() { self.exchange(null_mut()) } else { None }
    }

    /// Puts `to` into the place of what is in here, which the owner itself put in. Owner only.
    #[inline]
    fn exchange(&self, to: *mut ()) -> Option<Bits> {
        if PRIVATE {
            let before = NonNull::new(self.word.load(Ordering::Relaxed));
            self.word.store(to, Ordering::Relaxed);
            return before;
        }
        self.busy.store(true, Ordering::Relaxed);
        // Partner: the heavy fence in `steal`.
        fence_light();
        // Ordering: Acquire pairs with the Release that closes the door: what that thief took is gone.
        let before = if self.door.load(Ordering::Acquire) == CLOSED {
            let before = self.word.load(Ordering::Relaxed);
            // Ordering: Release publishes the item, as in `put`.
            self.word.store(to, Ordering::Release);
            before
        } else {
            // Ordering: as above.
            self.word.swap(to, Ordering::Release)
        };
        // Ordering: Release pairs with the thief's Acquire: it sees what was taken.
        self.busy.store(false, Ordering::Release);
        NonNull::new(before)
    }

    /// Takes the word out from any thread. None also if the owner is about to take or replace it: then the
    /// owner is not stuck, and nothing need be taken from it; and if another thief is here.
    pub(crate) fn steal(&self) -> Option<Bits> {
        if PRIVATE || !self.is_full() {
            return None;
        }
        // Ordering: Acquire pairs with the Release below: the owner that finds the door closed after this
        // thief has left sees what all before it have taken, too.
        match self.door.compare_exchange(CLOSED, VISITED, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {}
            Err(OPEN) => return self.take_from_owner(),
            Err(_) => return None,
        }
        // Partner: the light fence in `exchange`. Ordering: Acquire pairs with the Release there.
        let may_take = fence_heavy() && !self.busy.load(Ordering::Acquire);
        let word = if may_take { self.take_from_owner() } else { None };
        // Ordering: Release pairs with the Acquire in `exchange`.
        self.door.store(CLOSED, Ordering::Release);
        word
    }

    fn take_from_owner(&self) -> Option<Bits> {
        let seen = NonNull::new(self.word.load(Ordering::Relaxed))?;
        self.word
            // Ordering: Acquire pairs with the Release in `put`.
            .compare_exchange(seen.as_ptr(), null_mut(), Ordering::Acquire, Ordering::Relaxed)
            .ok()
            .map(|_| seen)
    }
}
