//! Waiting: standing in a line, being given a turn, leaving; and operations made of that.
//!
//! # How a primitive is written
//!
//! Its state stands behind one `Lock`, with a [`Line`] for each thing that can be waited for. Each
//! future keeps a [`Place`] and is an [`Operation`]: one function, [`attempt`](Operation::attempt),
//! which locks, tries, and stands in line if there is nothing to be had. [`poll`] makes a future's
//! `poll` of it (budget, wait note, the waker's clone), [`Timed`] one that gives up at a deadline,
//! and [`block`](crate::block) a call that blocks a thread.
//!
//! ```text
//! fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
//!     let mut state = self.semaphore.state.lock();
//!     let came = state.line.arrive(&mut self.place);       // uses up its turn, if it had one
//!     if state.free > 0 {
//!         state.free -= 1;
//!         let left = state.line.leave(&mut self.place);    // served before its turn: still in line
//!         drop(state);                                     // `left` drops a waker: after the lock
//!         return Attempt::Done(());
//!     }
//!     let Some(offer) = offer else { leave and pass on as on drop; return Attempt::Waits };
//!     match state.line.wait(&mut self.place, offer, came, || ()) { .. }
//! }
//! ```
//!
//! # A waiter's life
//!
//! ```text
//!              wait                turn (its waker is handed out)
//!  (nowhere) ───────▶ in line ───────────────────────────────────▶ turned
//!      ▲                 │ leave                                     │ arrive: tries, alone or
//!      ├─────────────────┘                                           │ against newcomers; if it
//!      └─────────────────────────────────────────────────────────────┘ lost, waits at the front
//! ```
//!
//! Invariants:
//! 1. A place's key is in line, or stands for one turn that was given and is not used up: `turn`
//!    takes the waiter out, so that a key which finds nothing *is* the turn.
//! 2. `turned` is at most the number of turns out. It may be less ([`Line::settle`]), never more: it
//!    serves to spare wakes, and a count too low costs a wake for nothing, one too high loses one.
//! 3. Whoever leaves with a turn hands it on: the primitive looks whether somebody else should try.
//! 4. A waker that a line gives back is woken or dropped by the caller once the lock is gone.
//!
//! Left out: values handed to waiters (they would be lost or have to be given back when a future is
//! dropped), and a promise that the one who has the turn gets what it came for (one that is never
//! polled again would block all others). Instead, a loser goes back to the front.

mod seat;
mod timed;

use core::task::{Context, Poll, Waker, ready};

use goro_context::{Cause, Op, budget, cancel, contain, host, note, trust};
use goro_wait::{Drain, Key, WaitList, Wakers};

pub(crate) use seat::Seat;
pub(crate) use timed::{Elapsed, Timed};

/// Those who wait for one thing, first come first; and how many have been given a turn to try.
///
/// `X` is what each of them has beside its waker.
#[derive(Debug)]
pub(crate) struct Line<X = ()> {
    waiting: WaitList<Waiter<X>>,
    turned: u32,
}

/// One in line.
#[derive(Debug)]
pub(crate) struct Waiter<X = ()> {
    /// None once it was woken where it stands; see [`Line::call_all`].
    waker: Option<Waker>,
    /// What the primitive keeps with it.
    pub(crate) extra: X,
}

/// Where a future stands, kept by the future; at first nowhere.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<Key>);

/// How somebody comes to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// For the first time.
    New,
    /// Polled though not called; still in line.
    Early,
    /// With a turn, which is hereby used up.
    Turned,
}

/// What a future that is done, or dropped, leaves behind. Drop it after the lock.
#[derive(Debug)]
#[must_use = "a turn is to be handed on, a waiter to be dropped after the lock"]
pub(crate) enum Left<X> {
    Nothing,
    Waiter(Waiter<X>),
    Turn,
}

impl<X> Line<X> {
    pub(crate) const fn new() -> Self {
        Self { waiting: WaitList::new(), turned: 0 }
    }

    /// How many stand in line; those who have a turn do not.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many have a turn, as far as that matters; see [`settle`](Self::settle).
    #[inline]
    pub(crate) fn turned(&self) -> usize {
        self.turned as usize
    }

    /// Says that no more than `most` turns are of use: what the others were for has been taken by
    /// somebody else. Without this, a future that is kept but not polled would hold up the others
    /// for ever: its turn would seem to take care of what comes later.
    #[inline]
    pub(crate) fn settle(&mut self, most: usize) {
        if self.turned() > most {
            // Smaller than a u32.
            self.turned = most as u32;
        }
    }

    /// Says how the owner of `place` comes; the first thing in every attempt. A turn is used up.
    #[inline]
    pub(crate) fn arrive(&mut self, place: &mut Place) -> Came {
        match place.0 {
            None => Came::New,
            Some(key) if self.waiting.get(key).is_some() => Came::Early,
            Some(_) => {
                place.0 = None;
                self.turned = self.turned.saturating_sub(1);
                Came::Turned
            }
        }
    }

    /// Stands in line with the waker offered: where it stands already, or behind everybody, but for
    /// one who had a turn and lost what it was for to another: that one stands before all.
    ///
    /// False if no waker could be had under the lock: the line has not changed, and `extra`, which
    /// says what somebody who joins brings along, was not called.
    #[inline]
    #[must_use]
    pub(crate) fn wait(
        &mut self,
        place: &mut Place,
        offer: &mut Offer<'_>,
        came: Came,
        extra: impl FnOnce() -> X,
    ) -> bool {
        offer.lost |= came == Came::Turned;
        if let Some(waiter) = place.0.and_then(|key| self.waiting.get_mut(key)) {
            if waiter.waker.as_ref().is_some_and(|waker| waker.will_wake(offer.theirs)) {
                return true;
            }
            let Some(waker) = offer.take() else { return false };
            offer.replaced = waiter.waker.replace(waker);
            return true;
        }
        let Some(waker) = offer.take() else { return false };
        let waiter = Waiter { waker: Some(waker), extra: extra() };
        place.0 = Some(match offer.lost {
            true => self.waiting.push_front(waiter),
            false => self.waiting.push_back(waiter),
        });
        true
    }

    /// Gives the first in line a turn: the caller wakes it once the lock is gone.
    #[inline]
    pub(crate) fn turn(&mut self) -> Option<Waiter<X>> {
        let waiter = self.waiting.pop_front()?;
        self.turned = self.turned.saturating_add(1);
        Some(waiter)
    }

    /// Gives everybody a turn.
    pub(crate) fn turn_all(&mut self) -> Drain<Waiter<X>> {
        let all = self.waiting.drain();
        self.turned = self.turned.saturating_add(u32::try_from(all.len()).unwrap_or(u32::MAX));
        all
    }

    /// Has everybody woken where they stand, with what they brought along. They come early.
    pub(crate) fn call_all(&mut self, wakers: &mut Wakers) {
        self.waiting.for_each_mut(|waiter| wakers.extend(waiter.waker.take()));
    }

    /// Takes the owner of `place` out, wherever it is: it is done, or given up on.
    #[inline]
    pub(crate) fn leave(&mut self, place: &mut Place) -> Left<X> {
        let Some(key) = place.0.take() else { return Left::Nothing };
        if let Some(waiter) = self.waiting.remove(key) {
            return Left::Waiter(waiter);
        }
        self.turned = self.turned.saturating_sub(1);
        Left::Turn
    }

    /// Whether the owner of `place` is the first in line.
    #[inline]
    pub(crate) fn is_first(&mut self, place: &Place) -> bool {
        self.waiting.front_mut().is_some_and(|(key, _)| place.0 == Some(key))
    }

    /// The first in line.
    #[inline]
    pub(crate) fn front_mut(&mut self) -> Option<&mut Waiter<X>> {
        self.waiting.front_mut().map(|(_, waiter)| waiter)
    }
}

impl<X> Waiter<X> {
    /// What to wake it by; none if that has happened.
    #[inline]
    pub(crate) fn into_waker(self) -> Option<Waker> {
        self.waker
    }

    /// The waiter without what it brought along.
    pub(crate) fn split(self) -> (Waiter, X) {
        (Waiter { waker: self.waker, extra: () }, self.extra)
    }

    /// Wakes it. Never panics; call it with no lock held.
    #[inline]
    pub(crate) fn wake(self) {
        if let Some(waker) = self.waker {
            wake(waker);
        }
    }

    /// As [`wake`](Self::wake), behind all that is ready.
    pub(crate) fn wake_behind(self) {
        if let Some(waker) = self.waker {
            contain::quietly(move || host::wake_behind(waker));
        }
    }
}

impl<X> Left<X> {
    /// Drops a waiter whose line gives no turns, whatever its waker's destructor does. With no lock
    /// held.
    #[inline]
    pub(crate) fn let_go(self) {
        if let Self::Waiter(waiter) = self {
            let_go(waiter.waker);
        }
    }
}

impl Place {
    /// Nowhere.
    pub(crate) const NOWHERE: Self = Self(None);

    /// Whether the future comes for the first time.
    #[inline]
    pub(crate) fn is_nowhere(&self) -> bool {
        self.0.is_none()
    }

    /// Whether there is something to leave: a place in line, or a turn.
    #[inline]
    pub(crate) fn is_taken(&self) -> bool {
        self.0.is_some()
    }
}

/// Wakes `waker`, whatever it does. Call it with no lock held.
#[inline]
pub(crate) fn wake(waker: Waker) {
    // Panic: a waker's panic is its maker's; it is reported by the panic hook, and goes no further.
    contain::quietly(move || waker.wake());
}

/// As [`wake`], if there is somebody.
#[inline]
pub(crate) fn wake_some(waker: Option<Waker>) {
    if let Some(waker) = waker {
        wake(waker);
    }
}

/// Drops a waker that nobody is to be woken by, whatever its destructor does. With no lock held.
#[inline]
pub(crate) fn let_go(waker: Option<Waker>) {
    if let Some(waker) = waker {
        // Panic: the destructor's panic is its maker's, as with `wake`.
        contain::quietly(move || drop(waker));
    }
}

/// A task's waker on its way into a line.
///
/// Made before the lock and dropped after it, so that what it holds never drops under the lock.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    theirs: &'a Waker,
    own: Option<Waker>,
    replaced: Option<Waker>,
    /// It came with a turn, in this attempt or in the one before the waker was prepared.
    lost: bool,
    /// The [number](crate::names) of what is waited for, for the wait note; 0 if it has none.
    pub(crate) object: u64,
}

impl<'a> Offer<'a> {
    #[inline]
    pub(crate) fn new(theirs: &'a Waker) -> Self {
        Self { theirs, own: None, replaced: None, lost: false, object: 0 }
    }

    /// Clones the waker, with no lock held; after this [`Line::wait`] takes it.
    #[cold]
    pub(crate) fn prepare(&mut self) {
        // Panic: the clone may; nothing has changed, the operation can be polled again.
        self.own = Some(self.theirs.clone());
    }

    /// Has the task polled again when others have run. Call it with no lock held.
    pub(crate) fn yield_now(&self) {
        // Panic: the waker may; the operation stands in line all the same.
        self.theirs.wake_by_ref();
    }

    /// Puts the waker into `place`, if it can be had under a lock; says whether it is there now. For
    /// lines of another kind than [`Line`].
    #[must_use]
    pub(crate) fn put(&mut self, place: &mut Option<Waker>) -> bool {
        if place.as_ref().is_some_and(|waker| waker.will_wake(self.theirs)) {
            return true;
        }
        let Some(waker) = self.take() else { return false };
        self.replaced = place.replace(waker);
        true
    }

    /// Puts the waker in the place of another one, if it can be had under a lock; says whether it is
    /// there now.
    #[must_use]
    pub(crate) fn renew(&mut self, place: &mut Waker) -> bool {
        if place.will_wake(self.theirs) {
            return true;
        }
        let Some(waker) = self.take() else { return false };
        self.replaced = Some(core::mem::replace(place, waker));
        true
    }

    /// The waker, if it can be had under a lock.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Waker> {
        match self.own.take() {
            None if trust::is_trusted(self.theirs) => Some(self.theirs.clone()),
            own => own,
        }
    }
}

/// Something that can be had at once, or waited for.
pub(crate) trait Operation {
    /// What is had.
    type Output;

    /// What a task that waits for it is noted to wait in.
    const OP: Op;
    /// Whether it answers with an error, instead of waiting, where the code that runs was asked to stop.
    const OBSERVES: bool = false;

    /// Locks, and tries.
    ///
    /// With an offer it stands in line when it answers [`Attempt::Waits`]. Without one this is the
    /// last attempt: in the same critical section it gives up its place (and, once the lock is gone,
    /// hands on its turn), so that the answer is final.
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output>;

    /// Whether it may have a place in line, or a turn, which an attempt without an offer would give up.
    #[inline]
    fn stands(&self) -> bool {
        true
    }

    /// Whether an attempt seems to be of no use now; it may turn out otherwise.
    #[inline]
    fn seems_idle(&self) -> bool {
        false
    }

    /// Its answer then, after a last attempt that has come to nothing.
    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        unreachable!("asked to stop for {cause}: an operation that observes that has an answer")
    }
}

impl<O: Operation> Operation for &mut O {
    type Output = O::Output;
    const OP: Op = O::OP;
    const OBSERVES: bool = O::OBSERVES;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<O::Output> {
        O::attempt(self, offer)
    }

    fn cancelled(&mut self, cause: Cause) -> O::Output {
        O::cancelled(self, cause)
    }
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attempt<T> {
    Done(T),
    Waits,
    /// Nothing to be had, and [`Line::wait`] was refused: [`prepare`](Offer::prepare), try again.
    Unprepared,
}

impl<T> Attempt<T> {
    #[inline]
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Attempt<U> {
        match self {
            Self::Done(output) => Attempt::Done(f(output)),
            Self::Waits => Attempt::Waits,
            Self::Unprepared => Attempt::Unprepared,
        }
    }
}

/// A future's `poll` out of attempts.
#[inline]
pub(crate) fn poll<O: Operation>(operation: &mut O, cx: &mut Context<'_>) -> Poll<O::Output> {
    let spent = ready!(budget::poll_spend(cx));
    let mut offer = Offer::new(cx.waker());
    loop {
        match operation.attempt(Some(&mut offer)) {
            Attempt::Done(output) => return Poll::Ready(output),
            Attempt::Waits => {
                if O::OBSERVES {
                    if let Some(cause) = cancel::cause() {
                        return Poll::Ready(give_up(operation, cause));
                    }
                }
                spent.refund();
                note::leave(O::OP, offer.object);
                return Poll::Pending;
            }
            Attempt::Unprepared => offer.prepare(),
        }
    }
}

/// What an operation answers that stands in line and is not to wait any more.
#[cold]
fn give_up<O: Operation>(operation: &mut O, cause: Cause) -> O::Output {
    match operation.attempt(None) {
        Attempt::Done(output) => output,
        Attempt::Waits | Attempt::Unprepared => operation.cancelled(cause),
    }
}

#[cfg(test)]
pub(crate) mod semaphore;

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
