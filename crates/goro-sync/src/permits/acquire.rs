//! Taking permits, at once or in line; and permits that are held.
//!
//! Left out: a share of what is wanted, taken early. A request takes all of its permits in one step
//! or none, so that one which is dropped has none to give back.

use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use goro_context::time::Duration;
#[cfg(not(loom))]
use goro_context::time::{self, Instant};
use goro_context::{Op, budget};

use super::queue::{Settled, Wants};
use super::{Permits, Rank, Refusal};
use crate::wait::{self, Attempt, Came, Left, Offer, Operation, Place};

/// How often the first in line is passed by before newcomers keep behind it.
pub(crate) const MOST_LOSSES: u8 = if cfg!(loom) { 1 } else { 4 };

/// For how long it is passed by at most, from its first loss on.
#[cfg_attr(loom, allow(dead_code, reason = "a model has no clock"))]
pub(crate) const LONGEST: Duration = Duration::from_millis(1);

/// How permits are waited for.
pub(crate) trait Manner: Unpin {
    /// What a waiting task is noted to wait in.
    const OP: Op;
    /// Whether newcomers always keep behind the line.
    const FAIR: bool;
    /// Whether there is one permit in all.
    const ONLY_ONE: bool = false;
}

/// For a mutex; newcomers may pass.
#[derive(Debug)]
pub(crate) struct Barging;

/// For a mutex, first come first served.
#[derive(Debug)]
pub(crate) struct Fair;

/// For a lock of several; newcomers may pass.
#[derive(Debug)]
pub(crate) struct Sharing;

impl Manner for Sharing {
    const OP: Op = Op::Lock;
    const FAIR: bool = false;
}

impl Manner for Barging {
    const OP: Op = Op::Lock;
    const FAIR: bool = false;
    const ONLY_ONE: bool = true;
}

impl Manner for Fair {
    const OP: Op = Op::Lock;
    const FAIR: bool = true;
    const ONLY_ONE: bool = true;
}

/// The future of permits.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Acquire<'a, M, const QUORUM: usize = 1> {
    permits: &'a Permits,
    count: usize,
    place: Place,
    losses: u8,
    #[cfg(not(loom))]
    lost_at: Option<Instant>,
    _manner: PhantomData<M>,
}

/// There is nothing to be had any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl Permits {
    #[inline]
    pub(crate) fn acquire<M: Manner, const QUORUM: usize>(
        &self,
        count: usize,
    ) -> Acquire<'_, M, QUORUM> {
        debug_assert!(!M::ONLY_ONE || count == 1, "there is one");
        Acquire {
            permits: self,
            count,
            place: Place::NOWHERE,
            losses: 0,
            #[cfg(not(loom))]
            lost_at: None,
            _manner: PhantomData,
        }
    }
}

impl<'a, M: Manner, const QUORUM: usize> Acquire<'a, M, QUORUM> {
    /// What is free, for one who does not stand in line; closed permits are the line's business.
    #[inline]
    fn take_at_once(&self) -> Option<Held<'a, QUORUM>> {
        if self.place.is_taken() {
            return None;
        }
        let taken = match M::ONLY_ONE {
            true => self.permits.try_take_only(),
            false => self.permits.try_take(self.count),
        };
        taken.ok()
    }

    /// What is free, paid for; or nothing, and nothing paid: then it is to be waited for. What is free is
    /// had without what waiting takes: that is as much again as the taking.
    #[inline]
    pub(crate) fn poll_at_once(&self, cx: &mut Context<'_>) -> Poll<Option<Held<'a, QUORUM>>> {
        let spent = ready!(budget::poll_spend(cx));
        let taken = self.take_at_once();
        if taken.is_none() {
            spent.refund();
        }
        Poll::Ready(taken)
    }

    /// In line, or with a turn, or about to stand in line.
    #[cold]
    fn attempt_in_line(
        &mut self,
        offer: Option<&mut Offer<'_>>,
    ) -> Attempt<Result<Held<'a, QUORUM>, Closed>> {
        let permits = self.permits;
        let queue = permits.queue();
        let mut waiting = queue.waiting();
        let came = waiting.line.arrive(&mut self.place);
        let rank = if came == Came::Turned { Rank::Turned } else { Rank::Newcomer };
        let (mut left, mut attempt) = (Left::Nothing, Attempt::Waits);
        match (permits.take(self.count, rank), offer) {
            (Ok(()), _) => {
                left = waiting.line.leave(&mut self.place);
                attempt = Attempt::Done(Ok(Held::new(permits, self.count)));
            }
            (Err(Refusal::Closed), _) => attempt = Attempt::Done(Err(Closed)),
            (Err(Refusal::TooFew), None) => left = waiting.line.leave(&mut self.place),
            (Err(Refusal::TooFew), Some(offer)) => {
                offer.object = permits.number();
                let first = self.is_first(came);
                let wants = Wants { count: self.count, first, sharing: !M::ONLY_ONE };
                if !waiting.line.wait(&mut self.place, offer, came, || wants) {
                    attempt = Attempt::Unprepared;
                }
            }
        }
        let settled = waiting.settle(&permits.word);
        if settled.closed && !matches!(attempt, Attempt::Done(Ok(_))) {
            left = waiting.line.leave(&mut self.place);
            attempt = Attempt::Done(Err(Closed));
        }
        drop(waiting);
        drop(left);
        queue.act(settled);
        attempt
    }

    /// Whether newcomers are to keep behind it, who has come so and has got nothing.
    fn is_first(&mut self, came: Came) -> bool {
        if came == Came::Turned {
            self.losses = self.losses.saturating_add(1);
        }
        M::FAIR || self.losses >= MOST_LOSSES || self.loses_for_long()
    }

    #[cfg(not(loom))]
    fn loses_for_long(&mut self) -> bool {
        if self.losses == 0 {
            return false;
        }
        let now = time::now();
        now - *self.lost_at.get_or_insert(now) >= LONGEST
    }

    #[cfg(loom)]
    fn loses_for_long(&mut self) -> bool {
        // A model has no clock.
        false
    }
}

impl<'a, M: Manner, const QUORUM: usize> Operation for Acquire<'a, M, QUORUM> {
    type Output = Result<Held<'a, QUORUM>, Closed>;
    const OP: Op = M::OP;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        match self.take_at_once() {
            Some(held) => Attempt::Done(Ok(held)),
            None => self.attempt_in_line(offer),
        }
    }
}

impl<'a, M: Manner, const QUORUM: usize> Future for Acquire<'a, M, QUORUM> {
    type Output = Result<Held<'a, QUORUM>, Closed>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match ready!(self.poll_at_once(cx)) {
            Some(held) => Poll::Ready(Ok(held)),
            None => poll_in_line(&mut self, cx),
        }
    }
}

#[cold]
#[inline(never)]
fn poll_in_line<'a, M: Manner, const QUORUM: usize>(
    acquire: &mut Acquire<'a, M, QUORUM>,
    cx: &mut Context<'_>,
) -> Poll<Result<Held<'a, QUORUM>, Closed>> {
    wait::poll(acquire, cx)
}

impl<M, const QUORUM: usize> Drop for Acquire<'_, M, QUORUM> {
    #[inline]
    fn drop(&mut self) {
        if self.place.is_taken() {
            leave(self.permits, &mut self.place);
        }
    }
}

/// Takes a waiter out that is given up on; its turn, if it had one, goes to the next in line.
#[cold]
fn leave(permits: &Permits, place: &mut Place) {
    let queue = permits.queue();
    let (left, settled): (_, Settled);
    {
        let mut waiting = queue.waiting();
        left = waiting.line.leave(place);
        settled = waiting.settle(&permits.word);
    }
    drop(left);
    queue.act(settled);
}

/// Permits that are held, given back when this is dropped.
#[derive(Debug)]
#[must_use = "dropped, it gives the permits back at once"]
pub(crate) struct Held<'a, const QUORUM: usize = 1> {
    permits: &'a Permits,
    count: usize,
}

impl<'a, const QUORUM: usize> Held<'a, QUORUM> {
    #[inline]
    pub(super) fn new(permits: &'a Permits, count: usize) -> Self {
        Self { permits, count }
    }

    pub(crate) fn permits(&self) -> &'a Permits {
        self.permits
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Gives nothing back: somebody else will, or nobody. Says how many it were.
    #[inline]
    pub(crate) fn keep(mut self) -> usize {
        core::mem::take(&mut self.count)
    }
}

impl<const QUORUM: usize> Drop for Held<'_, QUORUM> {
    #[inline]
    fn drop(&mut self) {
        if self.count > 0 {
            self.permits.give(self.count, QUORUM);
        }
    }
}
