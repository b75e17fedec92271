//! A ring of words: filled by its owner, emptied from the other end by its owner and by thieves.
//!
//! | who | does | price |
//! |---|---|---|
//! | owner | push | slot store, `tail` release store |
//! | owner | pop | one `fetch_add` on `head` |
//! | owner | overflow | one compare-and-swap on `head` for half of the ring |
//! | thief | steal up to half | marks itself in `mark`, compare-and-swap on `head`, copies, unmarks |
//!
//! Positions count up for ever (wrapping) and name the slot `position % N`:
//!
//! ```text
//!          freed        mark       head              tail      freed + N
//!   ---------|-----------|----------|-----------------|-----------|-------
//!    reused  |  free     | a thief  |  standing       |  free     |
//!            | not noted | copies   |                 |           |
//! ```
//!
//! Invariants:
//! 1. `head` only grows, and each position it passes belongs to whoever moved it past: a word
//!    leaves the ring exactly once.
//! 2. `tail` and `freed` are written by the owner alone. At rest `head <= tail <= freed + N`.
//! 3. A thief marks a position at or before `head` *before* it moves `head`, and unmarks after it
//!    has read the slots it claimed. The owner moves `freed` to what it read from `head`, or to the
//!    mark if it finds one after that: no slot is overwritten before it has been read. So no
//!    access to a slot ever races with another (the models watch each slot as a plain cell).
//! 4. While a thief is marked, `freed` does not move past its mark: a thief that sleeps costs the
//!    owner room, and sends other thieves elsewhere, for as long.
//! 5. A `fetch_add` that finds a thief has just taken the last word leaves `head` one past `tail`;
//!    the owner then moves `tail` after it: that position never holds anything. A thief that sees
//!    `head` past `tail` sees an empty ring.
//! 6. No user code runs in here.
//!
//! One thief at a time: a second one finds the mark and goes to another ring. Thieves claim first
//! and copy then. The other way round (copy half a ring, then compare-and-swap, as Go does) a
//! thief that is slower than the owner's next pop never gets anything. When the swap fails, its
//! cache line is here and holds the new `head`, so the second attempt nearly always succeeds.
//!
//! Left out: a pop without any read-modify-write. The owner would have to keep words to itself,
//! which strands them behind a slow poll, or announce itself with a fence, which costs as much.
use core::ptr::NonNull;

use goro_shim::CachePadded;
use goro_shim::atomic::{AtomicU64, Ordering};

mod place;
#[cfg(all(test, not(loom)))]
mod tests;

use place::Place;

/// What waits in a ring.
pub(crate) type Bits = NonNull<()>;

/// No thief is at work. Any mark is odd.
const UNMARKED: u64 = 0;

/// A ring of `N` words, a power of two. See the module.
pub(crate) struct Ring<const N: usize> {
    owners: CachePadded<Owners>,
    shared: CachePadded<Shared>,
    places: [Place; N],
}

/// What only the owner writes.
struct Owners {
    /// Where the next word goes; read by thieves.
    tail: AtomicU64,
    /// Positions before it may be used again. An atomic for the sake of safe code: nobody else
    /// reads it.
    freed: AtomicU64,
}

/// What owner and thieves write.
struct Shared {
    /// The oldest word that stands here.
    head: AtomicU64,
    /// Where the one thief at work may be reading, or [`UNMARKED`].
    mark: AtomicU64,
}

impl<const N: usize> Ring<N> {
    const HALF: usize = N / 2;

    /// An empty ring whose first position is `start`.
    pub(crate) fn starting_at(start: u64) -> Self {
        const { assert!(N.is_power_of_two() && N >= 2) };
        Self {
            owners: CachePadded(Owners {
                tail: AtomicU64::new(start),
                freed: AtomicU64::new(start),
            }),
            shared: CachePadded(Shared {
                head: AtomicU64::new(start),
                mark: AtomicU64::new(UNMARKED),
            }),
            places: core::array::from_fn(|_| Place::vacant()),
        }
    }

    /// How many words stand here, by a glance that may be out of date.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        let head = self.shared.head.load(Ordering::Relaxed);
        let tail = self.owners.tail.load(Ordering::Relaxed);
        standing(head, tail).min(N)
    }

    /// The position of the oldest word, by a glance that may be out of date.
    #[inline]
    pub(crate) fn left(&self) -> u64 {
        self.shared.head.load(Ordering::Relaxed)
    }

    /// Puts a word last. Owner only.
    #[inline]
    pub(crate) fn push(&self, word: Bits) -> Result<(), Bits> {
        let tail = self.owners.tail.load(Ordering::Relaxed);
        let freed = self.owners.freed.load(Ordering::Relaxed);
        if tail.wrapping_sub(freed) >= N as u64 && self.free_more() == 0 {
            return Err(word);
        }
        self.place(tail).fill(word);
        // Ordering: Release publishes the slot and the item; pairs with the thieves' Acquire.
        self.owners.tail.store(tail.wrapping_add(1), Ordering::Release);
        Ok(())
    }

    /// Takes the oldest word. Owner only.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Bits> {
        let tail = self.owners.tail.load(Ordering::Relaxed);
        if self.shared.head.load(Ordering::Relaxed) == tail {
            return None;
        }
        // Relaxed, since the owner itself wrote whatever it takes; as a read-modify-write it keeps
        // the release sequence of a thief's claim alive.
        let head = self.shared.head.fetch_add(1, Ordering::Relaxed);
        if head == tail {
            // Ordering: Release keeps invariant 5: who sees this tail finds head moved already. (The
            // one ordering no model can miss: loom's swaps always meet the newest head.)
            self.owners.tail.store(tail.wrapping_add(1), Ordering::Release);
            return None;
        }
        Some(self.place(head).read())
    }

    /// How many words may be [staged](Self::stage) now: up to half of the ring. Owner only.
    pub(crate) fn room(&self) -> usize {
        let tail = self.owners.tail.load(Ordering::Relaxed);
        let head = self.shared.head.load(Ordering::Relaxed);
        let to_half = Self::HALF.saturating_sub(standing(head, tail));
        let freed = self.owners.freed.load(Ordering::Relaxed);
        let free = N - tail.wrapping_sub(freed) as usize;
        if free >= to_half { to_half } else { to_half.min(self.free_more()) }
    }

    /// Writes the word that will stand `ahead` places behind the last one; `ahead` is less than
    /// [`room`](Self::room) said, and nothing was pushed since. Owner only.
    #[inline]
    pub(crate) fn stage(&self, ahead: usize, word: Bits) {
        let tail = self.owners.tail.load(Ordering::Relaxed);
        self.place(tail.wrapping_add(ahead as u64)).fill(word);
    }

    /// Makes `count` staged words stand. Owner only.
    #[inline]
    pub(crate) fn publish(&self, count: usize) {
        let tail = self.owners.tail.load(Ordering::Relaxed);
        // Ordering: Release publishes the slots and the items; pairs with the thieves' Acquire.
        self.owners.tail.store(tail.wrapping_add(count as u64), Ordering::Release);
    }

    /// Makes room in a full ring: gives its newer half to `sink`, oldest first, and keeps the
    /// older half. False, with nothing done, when the ring is not full or a thief is at work.
    /// Owner only. `sink` is this crate's and only moves words.
    pub(crate) fn shed(&self, mut sink: impl FnMut(Bits)) -> bool {
        self.free_more();
        let tail = self.owners.tail.load(Ordering::Relaxed);
        let freed = self.owners.freed.load(Ordering::Relaxed);
        if tail.wrapping_sub(freed) != N as u64 {
            return false;
        }
        // With `head` still at `freed`, no thief holds a claim: take everything. Relaxed, since
        // the owner itself wrote what it takes.
        let head = &self.shared.head;
        if head.compare_exchange(freed, tail, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        for position in Self::HALF..N {
            sink(self.place(freed.wrapping_add(position as u64)).read());
        }
        self.owners.freed.store(tail, Ordering::Relaxed);
        // The older half is where it must be already: position `tail + i` has the slot of
        // `tail - N + i`.
        self.publish(Self::HALF);
        true
    }

    /// Moves half of what stands here, rounded up and at most half of a ring, to `into`, whose
    /// owner calls; of these the oldest is handed back. None when nothing stands here, or another
    /// thief is at work.
    pub(crate) fn steal_into(&self, into: &Self) -> Option<Bits> {
        let most = into.room() + 1;
        let (first, count) = self.begin_steal(most)?;
        let oldest = self.claimed(first, 0);
        for i in 1..count {
            into.stage(i - 1, self.claimed(first, i));
        }
        self.end_steal();
        into.publish(count - 1);
        Some(oldest)
    }

    /// Claims at most `most` words: the first one's position, and how many. None if there are none
    /// or another thief is at work; otherwise the caller reads them, then calls
    /// [`end_steal`](Self::end_steal).
    pub(crate) fn begin_steal(&self, most: usize) -> Option<(u64, usize)> {
        let Shared { head: shared_head, mark } = &*self.shared;
        let mut head = shared_head.load(Ordering::Relaxed);
        // Ordering: Acquire pairs with the Release stores of `tail`: slots and items are visible.
        let mut tail = self.owners.tail.load(Ordering::Acquire);
        if standing(head, tail) == 0 {
            return None;
        }
        // Ordering: Acquire pairs with the Release in `end_steal`: this thief's end is the earlier
        // thieves' end too for an owner that sees it.
        mark.compare_exchange(UNMARKED, marking(head), Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        loop {
            let mut stands = standing(head, tail);
            if stands == 0 {
                // Ordering: Acquire, as above.
                tail = self.owners.tail.load(Ordering::Acquire);
                stands = standing(head, tail);
            }
            if stands == 0 {
                self.end_steal();
                return None;
            }
            let count = stands.div_ceil(2).min(most);
            let end = head.wrapping_add(count as u64);
            // Ordering: Release pairs with the Acquire in `free_more`: an owner that sees the
            // claim sees the mark.
            match shared_head.compare_exchange(head, end, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Some((head, count)),
                Err(now) => head = now,
            }
        }
    }

    /// The `i`th word of a claim that begins at `first`.
    #[inline]
    pub(crate) fn claimed(&self, first: u64, i: usize) -> Bits {
        self.place(first.wrapping_add(i as u64)).read()
    }

    /// Gives the slots of a claim back to the owner.
    pub(crate) fn end_steal(&self) {
        // Ordering: Release pairs with the Acquire in `free_more`: the slots have been read.
        self.shared.mark.store(UNMARKED, Ordering::Release);
    }

    /// Notes which positions are free again, and says how many are in all. Owner only.
    #[cold]
    fn free_more(&self) -> usize {
        // Ordering: Acquire pairs with the thief's Release claim: its mark is seen below, or its
        // end is.
        let head = self.shared.head.load(Ordering::Acquire);
        // Ordering: Acquire pairs with the Release in `end_steal`.
        let mark = self.shared.mark.load(Ordering::Acquire);
        let safe = if mark == UNMARKED { head } else { marked(mark, head) };
        let freed = self.owners.freed.load(Ordering::Relaxed);
        let tail = self.owners.tail.load(Ordering::Relaxed);
        if (safe.wrapping_sub(freed) as i64) > 0 {
            self.owners.freed.store(safe, Ordering::Relaxed);
            return N - tail.wrapping_sub(safe) as usize;
        }
        N - tail.wrapping_sub(freed) as usize
    }

    #[inline]
    fn place(&self, position: u64) -> &Place {
        &self.places[position as usize % N]
    }
}

/// How many stand between the two; none if `head` has been read after what follows `tail`.
#[inline]
fn standing(head: u64, tail: u64) -> usize {
    (tail.wrapping_sub(head) as i64).max(0) as usize
}

/// The mark of a thief that reads no position before `head`: one bit is spent on being marked, so
/// marks know positions up to a multiple of 2^63.
#[inline]
fn marking(head: u64) -> u64 {
    (head << 1) | 1
}

/// The position that bears this mark; of the two that do, the one closer to `near`.
#[inline]
fn marked(mark: u64, near: u64) -> u64 {
    let ahead = ((mark & !1).wrapping_sub(near << 1) as i64) >> 1;
    near.wrapping_add_signed(ahead)
}
