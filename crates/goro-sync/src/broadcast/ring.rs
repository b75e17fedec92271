//! The values, who has yet to have them, and who waits: what stands behind the channel's lock.
//!
//! ```text
//!   number     first                                first + len
//!              ┌──────┬──────┬──────┬──────┬──────┐
//!   value      │  a   │  b   │  c   │  d   │  e   │
//!   left       │  1   │  1   │  2   │  2   │  3   │  receivers that have yet to have it
//!              └──────┴──────┴──────┴──────┴──────┘
//!              ▲             ▲             ▲
//!              the latest    another       one more: each wants this one next
//! ```
//!
//! Each receiver keeps the number of the value that it wants next.
//!
//! Invariants:
//! 1. `left` of a slot is the number of connected receivers whose next number is at most its own. So
//!    it never falls from one slot to the next, and slots that have nobody left are at the front.
//! 2. The first slot has somebody left: those that have not are taken off. So a receiver whose next
//!    number is below `first` has missed something: its slot was taken away.
//! 3. Values are moved here, and neither dropped nor copied: what leaves comes out, for the caller to
//!    drop or copy after the lock.
//! 4. `Wait`: a place that is free, with senders in line, is told to one of them, unless as many have
//!    a turn as there are places. A receiver that waits makes one more of use (a sender that has
//!    a turn and is never polled again must not hold up the others).
//! 5. Memory of values that nobody has any more is kept for later ones, but of no more than [`KEPT`].

use core::task::Waker;
use std::collections::VecDeque;

use goro_context::contain;
use goro_wait::Wakers;

use super::{Counts, OnLag};
use crate::seen::{Blank, Seen};
use crate::wait::{Came, Left, Line, Offer, Place, Waiter};

/// So many values' memory, and so many slots, are kept when they are not in use.
const KEPT: usize = 64;

/// See the file.
pub(super) struct Ring<T> {
    slots: VecDeque<Slot<T>>,
    first: u64,
    capacity: usize,
    on_lag: OnLag,
    /// Connected ones.
    receivers: usize,
    senders: usize,
    readers: Line,
    writers: Line,
    blanks: Vec<Blank<T>>,
    counts: Counts,
}

struct Slot<T> {
    value: Seen<T>,
    left: usize,
}

/// What a receiver gets.
pub(super) enum Taken<T> {
    /// The value itself: nobody else has it.
    Own(T),
    /// Others are copying it, or have yet to have it.
    Copy(Seen<T>),
}

/// Why a value was not put in.
pub(super) enum Refused<T> {
    Full(T),
    NoReceiver(T),
}

/// Why a receiver gets nothing now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    Yet,
    Missed(u64),
    Disconnected,
    Closed,
}

/// Values that leave the ring unreceived, to be dropped after the lock.
pub(super) struct Dropped<T> {
    /// The one that another took the place of; mostly there is no other.
    replaced: Option<T>,
    rest: Vec<Seen<T>>,
}

impl<T> Dropped<T> {
    pub(super) const fn nothing() -> Self {
        Self { replaced: None, rest: Vec::new() }
    }

    /// Drops them, with no lock held.
    pub(super) fn drop_each(self) {
        // Panic: a value's destructor may; the others are dropped all the same.
        if self.replaced.is_some() {
            contain::quietly(|| drop(self.replaced));
        }
        for value in self.rest {
            contain::quietly(|| drop(value));
        }
    }
}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize, on_lag: OnLag) -> Self {
        Self {
            slots: VecDeque::new(),
            first: 0,
            capacity,
            on_lag,
            receivers: 1,
            senders: 1,
            readers: Line::new(),
            writers: Line::new(),
            blanks: Vec::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn receivers(&self) -> usize {
        self.receivers
    }

    pub(super) fn senders(&self) -> usize {
        self.senders
    }

    /// The number of the value that is sent next.
    pub(super) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    fn free(&self) -> usize {
        self.capacity - self.slots.len()
    }

    /// Whether one who comes so may put a value in.
    fn has_place(&self, came: Came) -> bool {
        let free = self.free();
        if self.on_lag != OnLag::Wait || free == 0 {
            return self.on_lag != OnLag::Wait;
        }
        let spare = free > self.writers.turned() || self.readers.waiting() > 0;
        match came {
            Came::Turned => true,
            // Free places have been told to those who stand in front.
            Came::Early => false,
            Came::New => self.writers.waiting() == 0 && spare,
        }
    }

    /// Whether there is memory for a value. If not, whoever wants to put one in brings some along:
    /// nothing is allocated under the lock, but for the slots.
    pub(super) fn has_blank(&self) -> bool {
        !self.blanks.is_empty()
    }

    /// How the owner of a sender's place comes.
    pub(super) fn sender_comes(&mut self, place: &mut Place) -> Came {
        self.writers.arrive(place)
    }

    /// Puts a value in, and tells those who wait. Says how many are to have it.
    ///
    /// # Errors
    /// The value: nobody is connected (with `Disconnect` that may turn out here), there is no place
    /// for one who comes so.
    ///
    /// # Panics
    /// Without memory: see [`has_blank`](Self::has_blank).
    pub(super) fn put(
        &mut self,
        value: T,
        memory: &mut Option<Blank<T>>,
        came: Came,
        wakers: &mut Wakers,
        dropped: &mut Dropped<T>,
    ) -> Result<usize, Refused<T>> {
        if self.receivers > 0 && !self.has_place(came) {
            return Err(Refused::Full(value));
        }
        if self.free() == 0 {
            self.evict(dropped);
        }
        let receivers = self.receivers;
        if receivers == 0 {
            return Err(Refused::NoReceiver(value));
        }
        let blank = self.blanks.pop().or_else(|| memory.take()).expect("it was asked for before");
        self.counts.sent += 1;
        self.slots.push_back(Slot { value: blank.fill(value), left: receivers });
        let free = self.free();
        self.writers.settle(free);
        self.call_readers(wakers);
        Ok(receivers)
    }

    fn call_readers(&mut self, wakers: &mut Wakers) {
        while let Some(waiter) = self.readers.turn() {
            wakers.extend(waiter.into_waker());
        }
        // Turns to read stand for nothing that could run out.
        self.readers.settle(0);
    }

    /// Takes the oldest value away from those who have not had it.
    fn evict(&mut self, dropped: &mut Dropped<T>) {
        let Some(slot) = self.slots.pop_front() else { return };
        self.first += 1;
        match slot.value.clear() {
            Ok((value, blank)) => {
                dropped.replaced = Some(value);
                self.keep(blank);
            }
            Err(being_copied) => dropped.rest.push(being_copied),
        }
        if self.on_lag == OnLag::Disconnect {
            self.counts.disconnected += slot.left as u64;
            self.disconnect(slot.left, 0, dropped);
        } else {
            self.counts.skipped += slot.left as u64;
        }
    }

    /// So many receivers go that have not had the slots from `index` on.
    fn disconnect(&mut self, receivers: usize, index: usize, dropped: &mut Dropped<T>) {
        self.receivers -= receivers;
        for slot in self.slots.range_mut(index..) {
            slot.left -= receivers;
        }
        while self.slots.front().is_some_and(|slot| slot.left == 0) {
            dropped.rest.extend(self.pop());
        }
    }

    fn keep(&mut self, blank: Blank<T>) {
        if self.blanks.len() < self.capacity.min(KEPT) {
            self.blanks.push(blank);
        }
    }

    fn pop(&mut self) -> Option<Seen<T>> {
        let slot = self.slots.pop_front()?;
        self.first += 1;
        let (len, capacity) = (self.slots.len(), self.slots.capacity());
        if capacity > KEPT && len <= capacity / 4 {
            self.slots.shrink_to((len * 2).max(KEPT));
        }
        Some(slot.value)
    }

    /// Takes the value that a receiver wants next, and says which sender to wake.
    pub(super) fn take(&mut self, next: &mut u64) -> Result<(Taken<T>, Option<Waker>), Nothing> {
        if *next < self.first {
            if self.on_lag == OnLag::Disconnect {
                return Err(Nothing::Disconnected);
            }
            let missed = self.first - *next;
            *next = self.first;
            return Err(Nothing::Missed(missed));
        }
        let Some(slot) = self.slots.get_mut((*next - self.first) as usize) else {
            return Err(if self.senders == 0 { Nothing::Closed } else { Nothing::Yet });
        };
        *next += 1;
        slot.left -= 1;
        if slot.left > 0 {
            return Ok((Taken::Copy(slot.value.clone()), None));
        }
        let last = self.pop().expect("a slot with nobody left is the first");
        let taken = match last.clear() {
            Ok((value, blank)) => {
                self.keep(blank);
                Taken::Own(value)
            }
            Err(others_copy_it) => Taken::Copy(others_copy_it),
        };
        Ok((taken, self.next_writer()))
    }

    /// Stands in line for the next value, and says which sender to wake; invariant 4. False if no
    /// waker could be had.
    pub(super) fn reader_waits(
        &mut self,
        place: &mut Place,
        offer: &mut Offer<'_>,
    ) -> (bool, Option<Waker>) {
        let came = self.readers.arrive(place);
        if !self.readers.wait(place, offer, came, || ()) {
            return (false, None);
        }
        let writer = if self.free() > 0 { self.writers.turn() } else { None };
        (true, writer.and_then(Waiter::into_waker))
    }

    /// Stands in line for a place.
    pub(super) fn writer_waits(
        &mut self,
        place: &mut Place,
        offer: &mut Offer<'_>,
        came: Came,
    ) -> bool {
        let waits = self.writers.wait(place, offer, came, || ());
        self.counts.waited += u64::from(waits && came == Came::New);
        waits
    }

    /// Gives a turn for a free place that nobody was told of.
    fn next_writer(&mut self) -> Option<Waker> {
        if self.writers.turned() >= self.free() {
            return None;
        }
        self.writers.turn()?.into_waker()
    }

    /// A sender's future goes, done or not; says which sender to wake.
    pub(super) fn writer_leaves(&mut self, place: &mut Place) -> (Left<()>, Option<Waker>) {
        let left = self.writers.leave(place);
        (left, self.next_writer())
    }

    /// A receiver's future goes.
    pub(super) fn reader_leaves(&mut self, place: &mut Place) -> Left<()> {
        self.readers.leave(place)
    }

    pub(super) fn add_sender(&mut self) {
        self.senders += 1;
    }

    pub(super) fn drop_sender(&mut self, wakers: &mut Wakers) {
        self.senders -= 1;
        if self.senders == 0 {
            self.call_readers(wakers);
        }
    }

    /// Another receiver that wants value `next` first.
    pub(super) fn add_receiver(&mut self, next: u64) {
        if self.is_cut_off(next) {
            return;
        }
        self.receivers += 1;
        for slot in self.slots.range_mut(self.index_of(next)..) {
            slot.left += 1;
        }
    }

    pub(super) fn drop_receiver(
        &mut self,
        next: u64,
        wakers: &mut Wakers,
        dropped: &mut Dropped<T>,
    ) {
        if self.is_cut_off(next) {
            return;
        }
        self.disconnect(1, self.index_of(next), dropped);
        // With no receiver left there is nothing to wait for: each gets its value back.
        while self.receivers == 0 || self.writers.turned() < self.free() {
            let Some(writer) = self.writers.turn() else { break };
            wakers.extend(writer.into_waker());
        }
        let free = self.free();
        self.writers.settle(free);
    }

    /// Whether a receiver that wants `next` was disconnected.
    fn is_cut_off(&self, next: u64) -> bool {
        next < self.first && self.on_lag == OnLag::Disconnect
    }

    /// The slot of the first value that a receiver can still have.
    fn index_of(&self, next: u64) -> usize {
        (next.max(self.first) - self.first) as usize
    }
}
