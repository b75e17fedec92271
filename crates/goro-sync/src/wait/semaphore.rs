//! The smallest primitive there can be, to show how one is written and to try the base with.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::Op;
use goro_shim::lock::Lock;

use super::{Attempt, Left, Line, Offer, Operation, Place};

/// Permits, to be taken and given back one at a time.
#[derive(Debug)]
pub(crate) struct Semaphore(Lock<State>);

#[derive(Debug)]
struct State {
    free: usize,
    line: Line,
}

impl Semaphore {
    pub(crate) fn new(free: usize) -> Self {
        Self(Lock::new(State { free, line: Line::new() }))
    }

    pub(crate) fn acquire(&self) -> Acquire<'_> {
        Acquire { semaphore: self, place: Place::NOWHERE }
    }

    pub(crate) fn release(&self) {
        self.0.lock().free += 1;
        self.pass_on();
    }

    /// How many permits are free, how many wait, how many have a turn.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let state = self.0.lock();
        [state.free, state.line.waiting(), state.line.turned()]
    }

    /// Lets somebody try if there is a permit that nobody was told of.
    fn pass_on(&self) {
        let next = {
            let mut state = self.0.lock();
            if state.line.turned() < state.free { state.line.turn() } else { None }
        };
        if let Some(waiter) = next {
            waiter.wake();
        }
    }
}

/// The future of [`Semaphore::acquire`].
#[derive(Debug)]
pub(crate) struct Acquire<'a> {
    semaphore: &'a Semaphore,
    place: Place,
}

impl Operation for Acquire<'_> {
    type Output = ();
    const OP: Op = Op::Acquire;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
        let mut state = self.semaphore.0.lock();
        let came = state.line.arrive(&mut self.place);
        if state.free > 0 {
            state.free -= 1;
            let free = state.free;
            state.line.settle(free);
            let left = state.line.leave(&mut self.place);
            drop(state);
            drop(left);
            return Attempt::Done(());
        }
        let Some(offer) = offer else {
            let left = state.line.leave(&mut self.place);
            drop(state);
            drop(left);
            return Attempt::Waits;
        };
        match state.line.wait(&mut self.place, offer, came, || ()) {
            true => Attempt::Waits,
            false => Attempt::Unprepared,
        }
    }
}

impl Future for Acquire<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        super::poll(&mut *self, cx)
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if !self.place.is_taken() {
            return;
        }
        let left = self.semaphore.0.lock().line.leave(&mut self.place);
        if matches!(left, Left::Turn) {
            self.semaphore.pass_on();
        }
    }
}
