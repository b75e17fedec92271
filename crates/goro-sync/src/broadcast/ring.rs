//! The values, who has yet to have them, and who waits: what stands behind the channel's lock, and the
//! few numbers beside it.
//!
//! ```text
//!   number      first                                              end
//!               ┌─────────────────┬─────────────────┬─────────────────┐
//!   block       │  a   b   c   d  │  e   f   g   h  │  i   j   ·   ·  │
//!   left        │        1        │        2        │        3        │  receivers that are not past it
//!               └─────────────────┴─────────────────┴─────────────────┘
//!                     ▲               ▲               ▲
//!                     the latest      another         one more: each wants this one next
//! ```
//!
//! A receiver holds the block that it reads: a receive writes to no line that another receiver reads. It
//! takes the lock when it is past a block, and to wait.
//!
//! Invariants:
//! 1. `end` is published after the value below it was written. Both marks change under the lock.
//! 2. `left` of a block is the number of connected receivers that have not taken its last value. So it
//!    never falls from one block to the next, and blocks with nobody left are at the front, from
//!    where they are taken off.
//! 3. `Skip`, `Disconnect`: values below `first` are gone; a receiver that wants one has missed it. How far
//!    it has come is a number of its own that others look at; whoever cuts it off changes that, and it finds out
//!    with its next step.
//! 4. `Wait`: a receiver counts as having had all of the block that it reads, as soon as it holds it, the
//!    values included that are yet to be sent. So it frees places under the lock only, where it sees
//!    who waits for one; and the channel holds as many values more as a block has. `first` is what all
//!    have had by this count, found anew before anybody is refused a place.
//! 5. Values are moved here, and neither dropped nor copied: blocks that leave come out, for the caller
//!    to drop after the lock.
//! 6. `Wait`: a place that is free, with senders in line, is told to one of them, unless as many have
//!    a turn as there are places. A receiver that waits makes one more of use (a sender that has
//!    a turn and is never polled again must not hold up the others).
//! 7. A block has no more than a sixteenth of the places, and no more than [`BYTES`]: so much may be kept
//!    of values that all have had. In a channel of less than 32 places it is one value, and all of the
//!    above is exact.

mod blocks;
mod cursor;

use core::task::Waker;

use goro_shim::Arc;
use goro_shim::atomic::Ordering;
use goro_wait::{Key, WaitList, Wakers};

use super::block::Block;
use super::{Counts, OnLag};
use crate::wait::{Came, Left, Line, Offer, Place, Waiter};
use blocks::Blocks;
pub(super) use blocks::Dropped;
use cursor::Spot;
pub(super) use cursor::{Cursor, Marks};

/// See the file.
pub(super) struct Ring<T> {
    blocks: Blocks<T>,
    capacity: usize,
    on_lag: OnLag,
    /// Connected ones.
    receivers: WaitList<Spot>,
    senders: usize,
    readers: Line,
    writers: Line,
    counts: Counts,
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

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize, on_lag: OnLag) -> Self {
        Self::with_blocks_of(Blocks::<T>::len_for(capacity), capacity, on_lag)
    }

    pub(super) fn with_blocks_of(len: usize, capacity: usize, on_lag: OnLag) -> Self {
        Self {
            blocks: Blocks::of(len),
            capacity,
            on_lag,
            receivers: WaitList::new(),
            senders: 1,
            readers: Line::new(),
            writers: Line::new(),
            counts: Counts::default(),
        }
    }

    /// How many values the latest receiver has not had.
    pub(super) fn len(&self, marks: &Marks) -> usize {
        marks.end().saturating_sub(self.latest(marks).max(marks.first())) as usize
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn counts(&self, marks: &Marks) -> Counts {
        let mut counts = self.counts;
        if self.on_lag == OnLag::Skip {
            counts.skipped +=
                self.receivers.iter().map(|(_, spot)| spot.missed(marks)).sum::<u64>();
        }
        counts
    }

    pub(super) fn receivers(&self) -> usize {
        self.receivers.len()
    }

    pub(super) fn senders(&self) -> usize {
        self.senders
    }

    /// The number that the latest receiver wants next.
    fn latest(&self, marks: &Marks) -> u64 {
        if self.blocks.len() == 1 {
            // Asked for each value here: by invariant 2 it is the first block that the latest wants.
            return self.blocks.start().unwrap_or(marks.end());
        }
        self.receivers.iter().map(|(_, spot)| spot.at()).min().unwrap_or(marks.end())
    }

    /// Finds out what the latest receiver has had; see invariant 4.
    fn settle_first(&self, marks: &Marks) {
        if self.on_lag != OnLag::Skip {
            marks.set_first(self.latest(marks));
        }
    }

    fn free(&self, marks: &Marks) -> usize {
        self.capacity.saturating_sub(marks.end().saturating_sub(marks.first()) as usize)
    }

    // --- Sending ------------------------------------------------------------------------------

    /// Whether one who comes so may put a value in, of `free` places.
    fn has_place(&self, came: Came, free: usize) -> bool {
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

    /// Whether a value needs memory that is not here: whoever wants to put it in brings a block along.
    pub(super) fn needs_block(&self, marks: &Marks) -> Option<usize> {
        let needs_one = self.receivers() > 0 && self.blocks.needs_one(marks.end());
        needs_one.then(|| self.blocks.len())
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
    /// Without memory: see [`needs_block`](Self::needs_block).
    pub(super) fn put(
        &mut self,
        marks: &Marks,
        value: T,
        memory: &mut Option<Arc<Block<T>>>,
        came: Came,
        wakers: &mut Wakers,
        dropped: &mut Dropped<T>,
    ) -> Result<usize, Refused<T>> {
        if self.free(marks) == 0 || !self.has_place(came, self.free(marks)) {
            self.settle_first(marks);
        }
        if self.receivers() > 0 && !self.has_place(came, self.free(marks)) {
            return Err(Refused::Full(value));
        }
        if self.free(marks) == 0 {
            self.evict(marks, dropped);
        }
        let receivers = self.receivers();
        if receivers == 0 {
            return Err(Refused::NoReceiver(value));
        }
        let number = marks.end();
        self.blocks.write(number, value, receivers, memory);
        // Ordering: Release pairs with the Acquire load of a receiver, which then reads the value.
        marks.end.store(number + 1, Ordering::Release);
        self.counts.sent += 1;
        self.writers.settle(self.free(marks));
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
    fn evict(&mut self, marks: &Marks, dropped: &mut Dropped<T>) {
        let first = marks.first() + 1;
        if self.on_lag == OnLag::Disconnect {
            let late =
                self.receivers.iter().filter_map(|(key, spot)| Some((key, spot.cut_off(first)?)));
            let late: Vec<(Key, u64)> = late.collect();
            self.counts.disconnected += late.len() as u64;
            for (key, at) in late {
                self.disconnect(key, at, dropped);
            }
            return self.settle_first(marks);
        }
        marks.set_first(first);
        self.blocks.take_off_below(first, dropped);
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
    fn next_writer(&mut self, marks: &Marks) -> Option<Waker> {
        if self.writers.turned() >= self.free(marks) {
            return None;
        }
        self.writers.turn()?.into_waker()
    }

    /// As many turns as there are places that nobody was told of, since a receiver has gone on.
    fn relieve(&mut self, marks: &Marks, wakers: &mut Wakers) {
        if self.writers.waiting() == 0 {
            return;
        }
        self.settle_first(marks);
        while let Some(writer) = self.next_writer(marks) {
            wakers.extend(Some(writer));
        }
    }

    /// A sender's future goes, done or not; says which sender to wake.
    pub(super) fn writer_leaves(
        &mut self,
        marks: &Marks,
        place: &mut Place,
    ) -> (Left<()>, Option<Waker>) {
        let left = self.writers.leave(place);
        (left, self.next_writer(marks))
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

    // --- Receiving ----------------------------------------------------------------------------

    /// Takes the value that a receiver wants next: its number, and the block that has it, out of the cursor's
    /// hands if it was the last one of that.
    pub(super) fn take(
        &mut self,
        marks: &Marks,
        cursor: &mut Cursor<T>,
        wakers: &mut Wakers,
        dropped: &mut Dropped<T>,
    ) -> Result<(u64, Arc<Block<T>>), Nothing> {
        if let Some(spare) = cursor.spare.take() {
            self.blocks.keep(spare, dropped);
        }
        let Some(spot) = cursor.key.and_then(|key| self.receivers.get(key)) else {
            dropped.extend(cursor.block.take());
            return Err(Nothing::Disconnected);
        };
        let (number, first) = (cursor.next, marks.first());
        if number < first && self.on_lag != OnLag::Wait {
            self.counts.skipped += spot.missed(marks);
            dropped.extend(cursor.block.take());
            cursor.next = first;
            cursor.tell(first);
            return Err(Nothing::Missed(first - number));
        }
        if number == marks.end() {
            return Err(if self.senders == 0 { Nothing::Closed } else { Nothing::Yet });
        }
        cursor.next = number + 1;
        let held = self.blocks.of_value(number).expect("a value that is here has a block");
        let block = match cursor.block.take() {
            Some(block) if number < block.end() => block,
            _ => Arc::clone(&held.block),
        };
        if number + 1 < block.end() {
            cursor.block = Some(Arc::clone(&block));
        } else {
            held.left -= 1;
            let next = self.blocks.of_value(number + 1).filter(|held| held.block.holds_several());
            cursor.block = next.map(|held| Arc::clone(&held.block));
            self.blocks.take_off_read(dropped);
        }
        cursor.tell(match (self.on_lag, &cursor.block) {
            (OnLag::Wait, Some(block)) => block.end(),
            _ => cursor.next,
        });
        self.relieve(marks, wakers);
        Ok((number, block))
    }

    /// Stands in line for the next value, and says which sender to wake; invariant 6. False if no
    /// waker could be had.
    pub(super) fn reader_waits(
        &mut self,
        marks: &Marks,
        place: &mut Place,
        offer: &mut Offer<'_>,
    ) -> (bool, Option<Waker>) {
        let came = self.readers.arrive(place);
        if !self.readers.wait(place, offer, came, || ()) {
            return (false, None);
        }
        if self.writers.waiting() == 0 {
            return (true, None);
        }
        self.settle_first(marks);
        let writer = if self.free(marks) > 0 { self.writers.turn() } else { None };
        (true, writer.and_then(Waiter::into_waker))
    }

    /// A receiver's future goes.
    pub(super) fn reader_leaves(&mut self, place: &mut Place) -> Left<()> {
        self.readers.leave(place)
    }

    /// Another receiver, for what is sent from here on.
    pub(super) fn add_receiver(&mut self, marks: &Marks) -> Cursor<T> {
        self.add_receiver_at(marks, marks.end())
    }

    /// Another receiver that wants what that one wants; cut off if that one is.
    pub(super) fn clone_receiver(&mut self, marks: &Marks, cursor: &Cursor<T>) -> Cursor<T> {
        match cursor.key.is_some_and(|key| self.receivers.get(key).is_some()) {
            true => self.add_receiver_at(marks, cursor.next),
            false => Cursor::at(cursor.next),
        }
    }

    fn add_receiver_at(&mut self, marks: &Marks, next: u64) -> Cursor<T> {
        let mut cursor = Cursor::at(next);
        let at = Arc::clone(&cursor.at);
        cursor.key = Some(self.receivers.push_back(Spot { at, from: marks.first() }));
        for held in self.blocks.since(next) {
            held.left += 1;
        }
        cursor
    }

    pub(super) fn drop_receiver(
        &mut self,
        marks: &Marks,
        cursor: &Cursor<T>,
        wakers: &mut Wakers,
        dropped: &mut Dropped<T>,
    ) {
        let Some((key, spot)) = cursor.key.and_then(|key| Some((key, self.receivers.get(key)?)))
        else {
            return;
        };
        self.counts.skipped += spot.missed(marks);
        self.disconnect(key, cursor.next, dropped);
        self.settle_first(marks);
        // With no receiver left there is nothing to wait for: each gets its value back.
        while self.receivers() == 0 || self.writers.turned() < self.free(marks) {
            let Some(writer) = self.writers.turn() else { break };
            wakers.extend(writer.into_waker());
        }
        self.writers.settle(self.free(marks));
    }

    /// A receiver goes that wants value `next`, of its own will or not.
    fn disconnect(&mut self, key: Key, next: u64, dropped: &mut Dropped<T>) {
        self.receivers.remove(key);
        for held in self.blocks.since(next) {
            held.left -= 1;
        }
        self.blocks.take_off_read(dropped);
    }
}
