//! A worker's own queue: a ring, a next slot, and who owns them.
//!
//! Invariants:
//! 1. `owner` holds the token of the one thread that may put things in, or zero. It goes from zero
//!    to a token by that thread's claim, and back when the [`Claim`] is dropped, which cannot leave
//!    its thread. Tokens are never used twice, so a claim that is leaked keeps the queue for good,
//!    and nobody else passes for its owner.
//! 2. Whatever acts as the owner is a [`Claim`], or has found its own thread's token in `owner`, or
//!    has the queue to itself (`Drop`). All of these are on one thread, and none calls anything
//!    while a step of ring or slot is half done (`Word`'s conversions apart, which only move).
//! 3. Ring and slot hold words of `T` only, and each word leaves once: it is turned back there.
//!
//! Left out: any notion of when to steal, of fairness between slot and ring, and of wake-ups.
#![allow(unsafe_code, reason = "words are turned back into items here, and nowhere else")]

use core::fmt;
use core::marker::PhantomData;
use std::collections::{VecDeque, vec_deque};

use goro_shim::CachePadded;
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::thread;
use goro_shim::word::Word;

use crate::ring::{Bits, Ring};
use crate::slot::Slot;
use crate::{CAPACITY, HALF};

/// Nobody owns the queue. No thread's token is zero.
const NOBODY: u64 = 0;

/// Where a ring's positions start: close to where they wrap, unless in a release.
const START: u64 = if cfg!(any(debug_assertions, loom)) { u64::MAX - HALF as u64 } else { 0 };

/// One worker's queue. See the [crate] for the order it keeps.
///
/// Filled by the one thread that has [claimed](Self::claim) it; robbed by any. All methods return
/// without waiting for another thread.
pub struct LocalQueue<T: Word + Send> {
    desk: CachePadded<Desk>,
    ring: Ring<CAPACITY>,
    /// Items pass through by value only; `T: Send` above is what lets threads share the queue.
    items: PhantomData<fn(T) -> T>,
}

/// What is the owner's to write, thieves' visits to the slot apart.
struct Desk {
    owner: AtomicU64,
    next: Slot,
}

/// The right to put things into one [`LocalQueue`], and to take from it in order. Dropping it gives
/// the right back; items stay where they are.
///
/// It never leaves its thread:
///
/// ```compile_fail,E0277
/// fn assert_send<T: Send>(_: T) {}
/// let queue = goro_queue::LocalQueue::<Box<u32>>::new();
/// assert_send(queue.claim());
/// ```
pub struct Claim<'a, T: Word + Send> {
    queue: &'a LocalQueue<T>,
    /// A claim stands for this thread: neither sent nor shared.
    here: PhantomData<*const ()>,
}

/// Why an item was not put into a queue, and the item.
pub enum Refused<T> {
    /// This thread does not own the queue.
    NotOwner(T),
    /// The ring is full: [`Claim::overflow`] makes room.
    Full(T),
}

/// What a full ring has handed out, to be put into an [`Injector`](crate::Injector), oldest first.
#[must_use = "dropping it drops the items"]
pub struct Overflow<T> {
    items: VecDeque<T>,
}

impl<T: Word + Send> LocalQueue<T> {
    /// An empty queue that nobody owns.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Slot::empty(false))
    }

    /// One whose next slot is stolen from often: a theft costs no [fence] that stops all threads, and the owner's
    /// taking a read-modify-write.
    ///
    /// [fence]: goro_shim::atomic::fence_heavy
    #[must_use]
    pub fn with_open_slot() -> Self {
        Self::with(Slot::empty(true))
    }

    fn with(next: Slot) -> Self {
        Self {
            desk: CachePadded(Desk { owner: AtomicU64::new(NOBODY), next }),
            ring: Ring::starting_at(START),
            items: PhantomData,
        }
    }

    /// Makes this thread the owner. None while the queue has an owner, this thread included.
    pub fn claim(&self) -> Option<Claim<'_, T>> {
        let token = thread::token().get();
        self.desk
            .owner
            // Ordering: Acquire pairs with the Release in `Claim::drop`: this thread goes on where
            // the last owner stopped.
            .compare_exchange(NOBODY, token, Ordering::Acquire, Ordering::Relaxed)
            .ok()
            .map(|_| Claim { queue: self, here: PhantomData })
    }

    /// Whether this thread is the owner.
    #[inline]
    pub fn is_owned_here(&self) -> bool {
        // Relaxed: only this thread writes its token here or replaces it.
        self.desk.owner.load(Ordering::Relaxed) == thread::token().get()
    }

    /// Puts `item` last in the ring, if this thread is the owner.
    ///
    /// # Errors
    /// Hands `item` back when this thread is not the owner or the ring is full.
    #[inline]
    pub fn push_here(&self, item: T) -> Result<(), Refused<T>> {
        if !self.is_owned_here() {
            return Err(Refused::NotOwner(item));
        }
        self.push(item).map_err(Refused::Full)
    }

    /// [`Claim::overflow`], if this thread is the owner.
    ///
    /// # Errors
    /// Hands `item` back when this thread is not the owner.
    pub fn overflow_here(&self, item: T) -> Result<Overflow<T>, T> {
        if self.is_owned_here() { Ok(self.overflow(item)) } else { Err(item) }
    }

    /// Puts `item` into the next slot, if this thread is the owner, and hands back what it
    /// displaced.
    ///
    /// # Errors
    /// Hands `item` back when this thread is not the owner.
    #[inline]
    pub fn put_next_here(&self, item: T) -> Result<Option<T>, T> {
        if self.is_owned_here() { Ok(self.put_next(item)) } else { Err(item) }
    }

    /// How many items stand in the ring; the next slot is not counted.
    ///
    /// Two relaxed loads: a glance that may be out of date, and zero for some hundred nanoseconds
    /// while the owner makes room in a full ring. For a decision to sleep, put a
    /// [fence](goro_shim::atomic::fence_seqcst) before it.
    #[inline]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether the ring looks empty; as dated as [`len`](Self::len).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many have left the ring since it was made, wrapping, from any number on; as dated as
    /// [`len`](Self::len). The owner may count one too many when a thief comes before it.
    #[inline]
    pub fn left(&self) -> u64 {
        self.ring.left()
    }

    /// Whether something is in the next slot; as dated as [`len`](Self::len).
    #[inline]
    pub fn has_next(&self) -> bool {
        self.desk.next.is_full()
    }

    /// Moves half of this ring (rounded up, at most half a ring, and at most what fills `into` to
    /// half) to the back of `into`, and hands back the oldest of these to be run at once.
    ///
    /// None when there is nothing to take, when another thief is at work here (then
    /// [`len`](Self::len) may stay above zero), and when `into` is this very queue.
    pub fn steal_half(&self, into: &Claim<'_, T>) -> Option<T> {
        if core::ptr::eq(self, into.queue) {
            return None;
        }
        let word = self.ring.steal_into(&into.queue.ring)?;
        // SAFETY: the word has just left the ring, for the first time (invariant 3).
        Some(unsafe { T::from_word(word) })
    }

    /// Takes what is in the next slot, for a few microseconds, unless it is an
    /// [open](Self::with_open_slot) one. None also if the owner takes or replaces it meanwhile, or another thief is
    /// there.
    pub fn steal_next(&self) -> Option<T> {
        let word = self.desk.next.steal()?;
        // SAFETY: the word has just left the slot, for the first time (invariant 3).
        Some(unsafe { T::from_word(word) })
    }

    // From here on: owner only (invariant 2).

    #[inline]
    fn push(&self, item: T) -> Result<(), T> {
        self.ring.push(item.into_word()).map_err(|word| {
            // SAFETY: the word was made above and was not put anywhere.
            unsafe { T::from_word(word) }
        })
    }

    #[inline]
    fn pop(&self) -> Option<T> {
        let word = self.ring.pop()?;
        // SAFETY: the word has just left the ring, for the first time (invariant 3).
        Some(unsafe { T::from_word(word) })
    }

    #[inline]
    fn put_next(&self, item: T) -> Option<T> {
        let word = self.desk.next.put(item.into_word())?;
        // SAFETY: the word has just left the slot, for the first time (invariant 3).
        Some(unsafe { T::from_word(word) })
    }

    #[inline]
    fn take_next(&self) -> Option<T> {
        let word = self.desk.next.take()?;
        // SAFETY: the word has just left the slot, for the first time (invariant 3).
        Some(unsafe { T::from_word(word) })
    }

    #[cold]
    fn overflow(&self, item: T) -> Overflow<T> {
        let mut items = VecDeque::new();
        let Err(item) = self.push(item) else {
            return Overflow { items };
        };
        items.reserve_exact(HALF + 1);
        self.ring.shed(|word| {
            // SAFETY: the word has just left the ring, for the first time (invariant 3).
            items.push_back(unsafe { T::from_word(word) });
        });
        items.push_back(item);
        Overflow { items }
    }
}

impl<T: Word + Send> Claim<'_, T> {
    /// Puts `item` last in the ring: two stores.
    ///
    /// # Errors
    /// Hands `item` back when the ring is full, or looks so because a thief has not done copying.
    #[inline]
    pub fn push(&self, item: T) -> Result<(), T> {
        self.queue.push(item)
    }

    /// Takes the oldest item of the ring: one read-modify-write, none if the ring is empty.
    #[inline]
    pub fn pop(&self) -> Option<T> {
        self.queue.pop()
    }

    /// Deals with an `item` for which there was no room, and returns what must go elsewhere: the
    /// ring's newer half, then `item`. `item` alone while a thief is at work here; nothing, if
    /// there is room for it by now.
    pub fn overflow(&self, item: T) -> Overflow<T> {
        self.queue.overflow(item)
    }

    /// Puts `item` into the next slot and hands back what it displaced: one store if the slot was
    /// empty, else four; a read-modify-write where thieves come at any time.
    #[inline]
    pub fn put_next(&self, item: T) -> Option<T> {
        self.queue.put_next(item)
    }

    /// Takes what is in the next slot: three stores, or a read-modify-write where thieves come at any time.
    #[inline]
    pub fn take_next(&self) -> Option<T> {
        self.queue.take_next()
    }

    /// The queue this claim is for.
    #[inline]
    pub fn queue(&self) -> &LocalQueue<T> {
        self.queue
    }

    pub(crate) fn room(&self) -> usize {
        self.queue.ring.room()
    }

    pub(crate) fn stage(&self, ahead: usize, item: T) {
        let word: Bits = item.into_word();
        self.queue.ring.stage(ahead, word);
    }

    pub(crate) fn publish(&self, count: usize) {
        self.queue.ring.publish(count);
    }
}

impl<T: Word + Send> Drop for Claim<'_, T> {
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire of the next claim.
        self.queue.desk.owner.store(NOBODY, Ordering::Release);
    }
}

impl<T: Word + Send> Drop for LocalQueue<T> {
    fn drop(&mut self) {
        /// Goes on emptying while an item's destructor unwinds.
        struct Rest<'a, T: Word + Send>(&'a LocalQueue<T>);
        impl<T: Word + Send> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                while let Some(item) = self.0.take_next().or_else(|| self.0.pop()) {
                    drop(item);
                }
            }
        }
        let rest = Rest(self);
        while let Some(item) = rest.0.take_next().or_else(|| rest.0.pop()) {
            // Panic: may come from here; the item has left, and `rest` drops the others.
            drop(item);
        }
    }
}

impl<T: Word + Send> Default for LocalQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Word + Send> fmt::Debug for LocalQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalQueue")
            .field("len", &self.len())
            .field("has_next", &self.has_next())
            .field("owned", &(self.desk.owner.load(Ordering::Relaxed) != NOBODY))
            .finish_non_exhaustive()
    }
}

impl<T: Word + Send> fmt::Debug for Claim<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(self.queue).finish()
    }
}

impl<T> Refused<T> {
    /// The item.
    pub fn into_inner(self) -> T {
        match self {
            Self::NotOwner(item) | Self::Full(item) => item,
        }
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOwner(_) => "NotOwner(..)",
            Self::Full(_) => "Full(..)",
        })
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOwner(_) => "this thread does not own the queue",
            Self::Full(_) => "the ring is full",
        })
    }
}

impl<T> std::error::Error for Refused<T> {}

impl<T> Overflow<T> {
    /// How many items must go elsewhere.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there was room after all.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn into_items(self) -> VecDeque<T> {
        self.items
    }
}

impl<T> IntoIterator for Overflow<T> {
    type Item = T;
    type IntoIter = vec_deque::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<T> fmt::Debug for Overflow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overflow").field("len", &self.len()).finish_non_exhaustive()
    }
}
