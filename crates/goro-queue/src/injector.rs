//! Work from outside, and what rings had no room for: one list under one short lock.
//!
//! Batches under a lock cost 1.5 to 4 ns an item, a lock-free queue 45 to 125. The list is made of
//! segments, so that growing moves no items and a burst's memory goes back as it is drained.
//!
//! Invariants:
//! 1. First in, first out, but for who asks for the newest; a batch stays together.
//! 2. No segment but the last is empty. At most one spare is kept.
//! 3. Under the lock items are moved and nothing else: items are collected from the caller's
//!    iterator before it, segments are allocated before it and freed after it. (The list of
//!    segments itself, 24 bytes for each [`SEGMENT`] items, grows and shrinks inside.)
//! 4. `len` is written under the lock only; each push and pop has written it when it returns.
//!
//! Left out: any wake-up; and a bound, since what is pushed here has been accepted already.

use core::fmt;
use std::collections::VecDeque;

use goro_shim::CachePadded;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::lock::Lock;
use goro_shim::word::Word;

use crate::local::{Claim, Overflow};

#[cfg(all(test, not(loom)))]
mod tests;

/// How many items a segment has room for: with items of one word, 1 KiB.
const SEGMENT: usize = 128;

/// A list of segments this long or shorter is never shrunk.
const SMALL_LIST: usize = 16;

/// The queue that all workers share. See the [crate] for the order it keeps.
pub struct Injector<T> {
    list: CachePadded<Lock<Segments<T>>>,
    len: CachePadded<AtomicUsize>,
}

/// Items in order, in pieces.
struct Segments<T> {
    pieces: VecDeque<VecDeque<T>>,
    spare: Option<VecDeque<T>>,
    len: usize,
}

impl<T> Injector<T> {
    /// An empty queue; allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        let segments = Segments { pieces: VecDeque::new(), spare: None, len: 0 };
        Self { list: CachePadded(Lock::new(segments)), len: CachePadded(AtomicUsize::new(0)) }
    }

    /// Puts `item` last.
    pub fn push(&self, item: T) {
        let mut item = item;
        let mut fresh = None;
        loop {
            let mut list = self.list.lock();
            match list.push(item, &mut fresh) {
                Ok(()) => {
                    self.len.store(list.len, Ordering::Relaxed);
                    drop(list);
                    // Another thread may have brought a segment while this one allocated.
                    drop(fresh);
                    return;
                }
                Err(back) => item = back,
            }
            drop(list);
            fresh = Some(VecDeque::with_capacity(SEGMENT));
        }
    }

    /// Puts all of `items` last, with nothing in between them.
    ///
    /// # Panics
    /// If the iterator does; then nothing was pushed, and what it had yielded is dropped.
    pub fn push_batch(&self, items: impl IntoIterator<Item = T>) {
        let items = items.into_iter();
        let expected = items.size_hint().0;
        let mut pieces: VecDeque<VecDeque<T>> = VecDeque::new();
        // Panic: the caller's iterator; only `pieces` is dropped.
        for (count, item) in items.enumerate() {
            match pieces.back_mut() {
                Some(last) if last.len() < last.capacity() => last.push_back(item),
                _ => {
                    let capacity = if count == 0 { expected.clamp(4, SEGMENT) } else { SEGMENT };
                    let mut piece = VecDeque::with_capacity(capacity);
                    piece.push_back(item);
                    pieces.push_back(piece);
                }
            }
        }
        self.append(pieces);
    }

    /// Puts last what a full ring has handed out.
    pub fn push_overflow(&self, overflow: Overflow<T>) {
        let piece = overflow.into_items();
        if !piece.is_empty() {
            self.append(VecDeque::from([piece]));
        }
    }

    /// Takes the oldest item.
    pub fn pop(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let mut emptied = None;
        let mut list = self.list.lock();
        let item = list.pop(&mut emptied);
        self.len.store(list.len, Ordering::Relaxed);
        drop(list);
        item
    }

    /// Takes the newest item: for who waits for what it has just pushed, and runs others meanwhile.
    pub fn pop_newest(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let mut emptied = None;
        let mut list = self.list.lock();
        let item = list.pop_newest(&mut emptied);
        self.len.store(list.len, Ordering::Relaxed);
        drop(list);
        item
    }

    /// Takes up to `max` of the oldest items: the first is handed back to be run at once, the
    /// others go to the back of `into`, as far as they fill it to half.
    pub fn pop_batch(&self, into: &Claim<'_, T>, max: usize) -> Option<T>
    where
        T: Word + Send,
    {
        if max == 0 || self.is_empty() {
            return None;
        }
        let room = into.room().min(max - 1);
        let mut emptied = None;
        let mut moved = 0;
        let mut list = self.list.lock();
        let first = list.pop(&mut emptied);
        list.pop_each(room, &mut emptied, |item| {
            into.stage(moved, item);
            moved += 1;
        });
        self.len.store(list.len, Ordering::Relaxed);
        drop(list);
        into.publish(moved);
        first
    }

    /// How many items stand here: one relaxed load.
    ///
    /// For a decision to sleep, put a [fence](goro_shim::atomic::fence_seqcst) before it, and one
    /// after the push on the other side.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether nothing stands here; see [`len`](Self::len).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn append(&self, pieces: VecDeque<VecDeque<T>>) {
        if pieces.is_empty() {
            return;
        }
        let mut pieces = pieces;
        let mut fresh = None;
        loop {
            let mut list = self.list.lock();
            if list.append(&mut pieces, &mut fresh) {
                self.len.store(list.len, Ordering::Relaxed);
                return;
            }
            drop(list);
            fresh = Some(VecDeque::with_capacity(SEGMENT));
        }
    }
}

impl<T> Segments<T> {
    /// Puts `item` last, using `fresh` if it needs a segment; hands it back if there is none.
    fn push(&mut self, item: T, fresh: &mut Option<VecDeque<T>>) -> Result<(), T> {
        match self.pieces.back_mut() {
            Some(last) if last.len() < last.capacity() => last.push_back(item),
            _ => {
                let Some(mut piece) = self.spare.take().or_else(|| fresh.take()) else {
                    return Err(item);
                };
                piece.push_back(item);
                self.pieces.push_back(piece);
            }
        }
        self.len += 1;
        Ok(())
    }

    /// Puts all items last: a few by moving them into the last segment or, if they do not fit, a
    /// whole one (`fresh` if there is no spare; false if it is needed and there is none). What
    /// remains in `pieces` is empty, and the caller's to free.
    fn append(
        &mut self,
        pieces: &mut VecDeque<VecDeque<T>>,
        fresh: &mut Option<VecDeque<T>>,
    ) -> bool {
        let count = pieces.iter().map(VecDeque::len).sum::<usize>();
        let free = self.pieces.back().map_or(0, |last| last.capacity() - last.len());
        let few = count <= SEGMENT / 2;
        if count > free {
            if few && self.spare.is_none() && fresh.is_none() {
                return false;
            }
            // Invariant 2.
            let last_is_empty = self.pieces.back().is_some_and(VecDeque::is_empty);
            let emptied = if last_is_empty { self.pieces.pop_back() } else { None };
            if few {
                self.pieces.extend(self.spare.take().or_else(|| fresh.take()));
            } else {
                self.pieces.append(pieces);
            }
            pieces.extend(emptied);
        }
        if let Some(last) = self.pieces.back_mut() {
            pieces.iter_mut().for_each(|batch| last.append(batch));
        }
        self.len += count;
        true
    }

    /// Takes the oldest item. A segment that is not needed any more goes to `emptied`, for the
    /// caller to free (at once, in the rare case that one batch empties three).
    fn pop(&mut self, emptied: &mut Option<VecDeque<T>>) -> Option<T> {
        let item = self.pieces.front_mut()?.pop_front()?;
        self.len -= 1;
        self.retire(emptied);
        Some(item)
    }

    /// Takes the newest item; `emptied` as for [`pop`](Self::pop).
    fn pop_newest(&mut self, emptied: &mut Option<VecDeque<T>>) -> Option<T> {
        let item = self.pieces.back_mut()?.pop_back()?;
        self.len -= 1;
        if self.pieces.len() > 1 && self.pieces.back().is_some_and(VecDeque::is_empty) {
            let piece = self.pieces.pop_back();
            if self.spare.is_none() {
                self.spare = piece;
            } else {
                *emptied = piece;
            }
        }
        Some(item)
    }

    /// Takes up to `count` of the oldest items, a segment's at a time.
    fn pop_each(
        &mut self,
        mut count: usize,
        emptied: &mut Option<VecDeque<T>>,
        mut sink: impl FnMut(T),
    ) {
        while let Some(piece) = self.pieces.front_mut() {
            let taken = count.min(piece.len());
            if taken == 0 {
                break;
            }
            piece.drain(..taken).for_each(&mut sink);
            self.len -= taken;
            count -= taken;
            self.retire(emptied);
        }
    }

    /// Removes the first segment if it is empty and not the last.
    #[inline]
    fn retire(&mut self, emptied: &mut Option<VecDeque<T>>) {
        if self.pieces.len() > 1 && self.pieces[0].is_empty() {
            let piece = self.pieces.pop_front();
            if self.spare.is_none() {
                self.spare = piece;
            } else {
                *emptied = piece;
            }
            if self.pieces.len() == 1 && self.pieces.capacity() > SMALL_LIST {
                self.pieces.shrink_to(SMALL_LIST);
            }
        }
    }
}

impl<T> Default for Injector<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Injector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("len", &self.len()).finish_non_exhaustive()
    }
}
