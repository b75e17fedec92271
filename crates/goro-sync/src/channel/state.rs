//! What stands behind a channel's lock, and the rules for who may go.
//!
//! | word | is |
//! |---|---|
//! | available | items in the ring, and values of senders who wait at a rendezvous |
//! | places | capacity, and one for each receiver that waits or has a turn |
//! | free | places less what is available, and less the permits that are out |
//!
//! Invariants, whenever the lock is free:
//! 1. Receivers wait in line only while as many others have a turn as items are available: no item
//!    is there for which nobody was told to come.
//! 2. Senders wait in line only while as many others have a turn as places are free.
//! 3. Turns are at most as many as what they are for. So one that is never used (its future is kept,
//!    or forgotten, without being polled) counts only until somebody else takes what it was for.
//! 4. Senders are served in order: one who comes later waits while others stand in line. Receivers
//!    are called in order, but one that comes while an item is there takes it.
//! 5. While nothing is available and there is room, receivers and senders do not both stand in line
//!    and sleep: a receiver calls one sender after the other, and looks again in between. (Those
//!    called before may never come.)
//! 6. `limit` and `floor` say what follows from the rest, so that most operations need not look there.
//! 7. Once closed, nothing is added. Once the last receiver has gone, nothing is left.

use core::mem;
use std::collections::VecDeque;

use goro_context::Cause;
use goro_shim::global::Arc;
use goro_wait::Wakers;

use super::builder::Overflow as Policy;
use super::errors::Why;
use super::items::{Overflow, Ring};
use crate::names::Name;
use crate::wait::{Came, Left, Line, Place, Waiter};

/// What to do with an item that nobody will receive.
pub(crate) type Undelivered<T> = Arc<dyn Fn(T) + Send + Sync>;

/// See the module.
///
/// What an operation needs that has nobody to think of comes first, together with the lock on one
/// cache line or two: each line more has to travel from core to core with every message.
#[repr(C)]
pub(crate) struct State<T> {
    /// Below that length of the ring a send is a push: nobody is in line, or to be called. It goes behind
    /// the blocks if this is [`SPILLS`].
    limit: u16,
    /// Above that length of the ring a receive is a pop, likewise; unless it is [`NEVER`].
    floor: u8,
    pub(crate) closed: bool,
    /// Permits that are out.
    pub(crate) reserved: u32,
    ring: Ring<T>,
    pub(crate) capacity: usize,
    pub(crate) senders: u32,
    pub(crate) receivers: u32,
    pub(crate) rare: Option<Box<Rare<T>>>,
    pub(crate) rx: Line,
    pub(crate) tx: Line,
}

/// A send is a push behind what stands in blocks: there is no limit to them.
const SPILLS: u16 = u16::MAX;

/// No receive is a mere pop.
const NEVER: u8 = u8::MAX;

/// What most channels never need.
pub(crate) struct Rare<T> {
    overflow: Overflow<T>,
    /// Senders at a rendezvous, with their values.
    pub(crate) meeting: Line<T>,
    /// Those who wait for the channel to be closed.
    pub(crate) ending: Line,
    pub(crate) cause: Option<Cause>,
    pub(crate) undelivered: Option<Undelivered<T>>,
    pub(crate) name: Option<Name>,
    /// Items that were lent, and may come back.
    pub(crate) leased: usize,
    pub(crate) policy: Policy,
}

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self {
            overflow: Overflow::new(),
            meeting: Line::new(),
            ending: Line::new(),
            cause: None,
            undelivered: None,
            name: None,
            leased: 0,
            policy: Policy::Wait,
        }
    }
}

/// An item, and who is to be woken once the lock is gone: its sender, if that waited with it.
pub(crate) struct Taken<T> {
    pub(crate) item: T,
    pub(crate) sender: Option<Waiter>,
}

/// Items taken out of a channel, to be dropped once the lock is gone.
pub(crate) struct Remains<T> {
    ring: Ring<T>,
    overflow: Overflow<T>,
}

impl<T> Iterator for Remains<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.ring.pop_front().or_else(|| self.overflow.next())
    }
}

impl<T> State<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            limit: 0,
            floor: NEVER,
            closed: false,
            reserved: 0,
            ring: VecDeque::new(),
            capacity,
            senders: 1,
            receivers: 1,
            rare: None,
            rx: Line::new(),
            tx: Line::new(),
        }
    }

    pub(crate) fn policy(&self) -> Policy {
        self.rare.as_ref().map_or(Policy::Wait, |rare| rare.policy)
    }

    pub(crate) fn rare(&mut self) -> &mut Rare<T> {
        self.rare.get_or_insert_with(Box::default)
    }

    /// The number for wait notes.
    #[inline]
    pub(crate) fn number(&self) -> u64 {
        match &self.rare {
            None => 0,
            Some(rare) => rare.name.as_ref().map_or(0, Name::number),
        }
    }

    // --- Items --------------------------------------------------------------------------------

    /// Items that were sent and not received.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ring.len() + self.spilled()
    }

    /// Items in blocks.
    #[inline]
    fn spilled(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.overflow.len())
    }

    /// What a receiver could take now.
    #[inline]
    pub(crate) fn available(&self) -> usize {
        self.len() + if self.capacity == 0 { self.offered() } else { 0 }
    }

    fn offered(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.meeting.waiting())
    }

    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        if self.ring.len() >= Overflow::<T>::BLOCK || self.spilled() > 0 {
            self.rare().overflow.push(item);
        } else {
            self.ring.push_back(item);
        }
    }

    /// Pushes the first `some` of `items`.
    #[inline]
    pub(crate) fn push_some(&mut self, items: &mut VecDeque<T>, some: usize) {
        if self.ring.len() + some > Overflow::<T>::BLOCK || self.spilled() > 0 {
            items.drain(..some).for_each(|item| self.push(item));
        } else if some == items.len() {
            self.ring.append(items);
        } else {
            self.ring.extend(items.drain(..some));
        }
    }

    /// Takes items from the ring, up to so many, into memory that is there; says how many. The last one
    /// before the blocks stays.
    #[inline]
    pub(crate) fn pop_some(&mut self, into: &mut Vec<T>, most: usize) -> usize {
        let some = self.ring.len().saturating_sub(usize::from(self.spilled() > 0)).min(most);
        into.extend(self.ring.drain(..some));
        some
    }

    /// Sends with no more thought, if that is enough.
    #[inline]
    pub(crate) fn push_easily(&mut self, item: &mut Option<T>) -> bool {
        if self.ring.len() >= usize::from(self.limit) {
            return false;
        }
        if self.limit == SPILLS {
            return self.spill(item);
        }
        let Some(item) = item.take() else { return false };
        self.ring.push_back(item);
        true
    }

    fn spill(&mut self, item: &mut Option<T>) -> bool {
        let Some(rare) = &mut self.rare else { return false };
        let Some(item) = item.take() else { return false };
        rare.overflow.push(item);
        true
    }

    /// Receives with no more thought.
    #[inline]
    pub(crate) fn pop_easily(&mut self) -> Option<T> {
        if self.floor == NEVER || self.ring.len() <= usize::from(self.floor) {
            return None;
        }
        self.ring.pop_front()
    }

    /// Whether no item stands in the ring, and so none anywhere.
    #[inline]
    pub(crate) fn is_drained(&self) -> bool {
        self.ring.is_empty()
    }

    /// Whether a look at it is all that there is to receiving: there is nothing, no sender to be called, and
    /// more may come.
    #[inline]
    pub(crate) fn has_nothing(&self) -> bool {
        self.is_drained() && self.capacity > 0 && !self.closed && self.tx.waiting() == 0
    }

    /// Finds out when sending and receiving need no thought; whoever changed anything but the ring
    /// does so before it gives the lock back.
    pub(crate) fn settle_ease(&mut self) {
        let spilled = self.spilled() > 0;
        let in_line = self.tx.waiting() > 0;
        // A place that somebody has a turn for is given away with care.
        let places = self.capacity.saturating_sub(self.reserved as usize + self.tx.turned());
        let with_care = self.closed || in_line || self.rx.waiting() > 0;
        self.limit = match (with_care, spilled) {
            (true, _) => 0,
            // A block is shorter than that.
            (false, false) => places.min(Overflow::<T>::BLOCK) as u16,
            (false, true) if self.capacity == usize::MAX => SPILLS,
            (false, true) => 0,
        };
        // So is an item, and the last one before the blocks.
        let kept = self.rx.turned().max(usize::from(spilled));
        self.floor = match in_line || self.capacity == 0 {
            true => NEVER,
            false => u8::try_from(kept).unwrap_or(NEVER),
        };
    }

    /// Puts an item before all others: it had been taken out, and comes back.
    pub(crate) fn push_front(&mut self, item: T) {
        self.ring.push_front(item);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.ring.pop_front();
        if let (true, Some(rare)) = (self.ring.is_empty(), &mut self.rare) {
            if rare.overflow.len() > 0 {
                rare.overflow.refill(&mut self.ring);
            }
        }
        item
    }

    /// What a receiver gets: the first item, or else the value of the first sender who waits.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Taken<T>> {
        match self.pop() {
            Some(item) => Some(Taken { item, sender: None }),
            None if self.capacity == 0 => self.meet(),
            None => None,
        }
    }

    /// The commit of a rendezvous: the sender's key goes stale with this, which says "delivered".
    fn meet(&mut self) -> Option<Taken<T>> {
        let (sender, item) = self.rare.as_mut()?.meeting.turn()?.split();
        Some(Taken { item, sender: Some(sender) })
    }

    /// Takes a sender out of the meeting, and its value with it if nobody has taken that. There is
    /// less to receive then, and more for those who wait to reserve: the first of them is called.
    pub(crate) fn leave_meeting(&mut self, place: &mut Place) -> (Left<T>, Option<Waiter>) {
        let left = self.rare().meeting.leave(place);
        self.settle_receivers();
        (left, self.call_sender())
    }

    /// All items, when there is nobody left to receive them.
    pub(crate) fn remains(&mut self) -> Remains<T> {
        let overflow = match &mut self.rare {
            Some(rare) => mem::take(&mut rare.overflow),
            None => Overflow::new(),
        };
        Remains { ring: mem::take(&mut self.ring), overflow }
    }

    // --- Who may go ---------------------------------------------------------------------------

    /// Places that nothing stands in and nobody has reserved.
    #[inline]
    pub(crate) fn free(&self) -> usize {
        let places = self.capacity.saturating_add(self.rx.waiting() + self.rx.turned());
        places.saturating_sub(self.available() + self.reserved as usize)
    }

    /// Whether a sender, or one who reserves, may go: there is room, and nobody before it in line.
    #[inline]
    pub(crate) fn may_go(&mut self, came: Came, place: &Place) -> bool {
        self.free() > 0
            && match came {
                Came::New => self.tx.waiting() == 0 || self.policy() != Policy::Wait,
                Came::Turned => true,
                Came::Early => self.tx.is_first(place),
            }
    }

    /// Forgets turns for which no place is left.
    #[inline]
    pub(crate) fn settle_senders(&mut self) {
        if self.tx.turned() > 0 {
            let free = self.free();
            self.tx.settle(free);
        }
    }

    /// Forgets turns for which no item is left.
    #[inline]
    pub(crate) fn settle_receivers(&mut self) {
        if self.rx.turned() > 0 {
            let available = self.available();
            self.rx.settle(available);
        }
    }

    /// Keeps a place for a permit. At a rendezvous there is none to keep.
    pub(crate) fn keep_place(&mut self) {
        if self.capacity > 0 {
            let more = self.reserved.checked_add(1);
            self.reserved = more.expect("a channel has fewer than 2^32 permits out");
        }
    }

    /// Gives a permit's place back.
    pub(crate) fn release_place(&mut self) {
        if self.capacity > 0 {
            self.reserved -= 1;
        }
    }

    /// The receiver to be woken, if there is an item that nobody was told of.
    #[inline]
    pub(crate) fn call_receiver(&mut self) -> Option<Waiter> {
        if self.rx.waiting() > 0 && self.rx.turned() < self.available() {
            return self.rx.turn();
        }
        None
    }

    /// The sender to be woken, if there is a place that nobody was told of.
    #[inline]
    pub(crate) fn call_sender(&mut self) -> Option<Waiter> {
        if self.tx.waiting() > 0 && self.tx.turned() < self.free() {
            return self.tx.turn();
        }
        None
    }

    /// The next sender in line, if there is room: those who were told of it seem not to come.
    pub(crate) fn call_another_sender(&mut self) -> Option<Waiter> {
        if self.free() > 0 { self.tx.turn() } else { None }
    }

    /// The receiver to be woken, if one sleeps that had better look after those who want to send.
    #[inline]
    pub(crate) fn call_caller(&mut self) -> Option<Waiter> {
        if self.rx.waiting() == 0 || !self.has_room_for_those_in_line() || self.available() > 0 {
            return None;
        }
        let receiver = self.rx.turn();
        // It is called for no item.
        self.settle_receivers();
        receiver
    }

    /// Whether a receiver that found nothing must not sleep yet.
    #[inline]
    pub(crate) fn has_room_for_those_in_line(&self) -> bool {
        self.tx.waiting() > 0 && self.free() > 0
    }

    // --- The end ------------------------------------------------------------------------------

    /// Why the channel is closed, for errors.
    pub(crate) fn cause(&self) -> Option<Box<Why>> {
        self.rare.as_ref()?.cause.clone().map(|cause| Box::new(Why::Closed(cause)))
    }

    /// Whether nothing will ever be received any more.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.closed && self.rare.as_ref().is_none_or(|rare| rare.leased == 0)
    }

    /// Closes; those in `wakers` are to be woken. False if it was closed already.
    pub(crate) fn close(&mut self, wakers: &mut Wakers) -> bool {
        if self.closed {
            return false;
        }
        self.closed = true;
        self.rx.call_all(wakers);
        self.tx.call_all(wakers);
        if let Some(rare) = &mut self.rare {
            rare.meeting.call_all(wakers);
            rare.ending.call_all(wakers);
        }
        true
    }
}
