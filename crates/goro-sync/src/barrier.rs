//! A place where tasks wait for each other.
//!
//! Invariants:
//! 1. `arrived` is the number of those in line: one that is dropped there takes its arrival back. So
//!    nobody is let go by somebody who is no longer there, and nobody waits for a number that
//!    cannot be reached any more.
//! 2. The last to arrive lets everybody go in the same critical section, and `arrived` starts again.
//!
//! Left out: `blocking_wait` with a time limit, and a barrier whose number changes.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::Op;
use goro_shim::lock::Lock;
use goro_wait::Drain;

use crate::block::block;
use crate::wait::{self, Attempt, Came, Left, Line, Offer, Operation, Place, Waiter};

/// Lets tasks go on once so many have arrived; again and again.
///
/// # Example
/// ```
/// use goro_sync::Barrier;
/// use futures::future::join;
///
/// # futures::executor::block_on(async {
/// let start = Barrier::new(2);
/// let (one, two) = join(start.wait(), start.wait()).await;
/// assert!(one.is_leader() != two.is_leader());
/// # });
/// ```
///
/// ```
/// let barrier = goro_sync::Barrier::new(1);
/// assert!(barrier.blocking_wait().is_leader());
/// ```
pub struct Barrier {
    number: usize,
    arrivals: Lock<Arrivals>,
}

struct Arrivals {
    arrived: usize,
    /// Made when somebody waits for the first time.
    line: Option<Box<Line>>,
}

/// What [`Barrier::wait`] gives: exactly one of those who are let go together is the leader.
///
/// ```
/// let barrier = goro_sync::Barrier::new(2);
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.blocking_wait().is_leader());
///     let this = barrier.blocking_wait().is_leader();
///     assert!(this != other.join().unwrap(), "one of them leads");
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWait {
    leader: bool,
}

impl BarrierWait {
    /// Whether this is the one that arrived last.
    pub fn is_leader(self) -> bool {
        self.leader
    }
}

impl Barrier {
    constant! {
        /// A barrier for so many tasks.
        ///
        /// # Panics
        /// With 0: that would let nobody through; with 1 everybody passes at once.
        pub fn new(number: usize) -> Self {
            assert!(number > 0, "a barrier of 0 lets nobody through: use Barrier::new(1), or none");
            Self { number, arrivals: Lock::new(Arrivals { arrived: 0, line: None }) }
        }
    }

    /// Arrives, with the first poll, and waits for the others.
    ///
    /// # Cancel safety
    /// A future that is dropped before the last one has arrived has not arrived: the barrier waits
    /// for another one in its place.
    pub fn wait(&self) -> WaitAtBarrier<'_> {
        WaitAtBarrier { barrier: self, place: Place::NOWHERE }
    }

    /// [`wait`](Self::wait), and lets this thread sleep until then. Legal anywhere; on a worker of
    /// goro's the runtime is told first.
    pub fn blocking_wait(&self) -> BarrierWait {
        block(self.wait())
    }
}

impl Arrivals {
    fn line(&mut self) -> &mut Line {
        self.line.get_or_insert_with(|| Box::new(Line::new()))
    }

    /// All who have arrived, to be woken.
    fn let_go(&mut self) -> Option<Drain<Waiter>> {
        self.arrived = 0;
        let line = self.line.as_mut()?;
        let all = line.turn_all();
        line.settle(0);
        Some(all)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = self.arrivals.lock().arrived;
        f.debug_struct("Barrier").field("number", &self.number).field("arrived", &arrived).finish()
    }
}

/// The future of [`Barrier::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct WaitAtBarrier<'a> {
    barrier: &'a Barrier,
    place: Place,
}

impl Operation for WaitAtBarrier<'_> {
    type Output = BarrierWait;
    const OP: Op = Op::Barrier;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<BarrierWait> {
        let mut arrivals = self.barrier.arrivals.lock();
        let new = !self.place.is_taken();
        if new && arrivals.arrived + 1 == self.barrier.number {
            let all = arrivals.let_go();
            drop(arrivals);
            all.into_iter().flatten().for_each(Waiter::wake);
            return Attempt::Done(BarrierWait { leader: true });
        }
        let came = arrivals.line().arrive(&mut self.place);
        if came == Came::Turned {
            return Attempt::Done(BarrierWait { leader: false });
        }
        let Some(offer) = offer else { return Attempt::Waits };
        if !arrivals.line().wait(&mut self.place, offer, came, || ()) {
            return Attempt::Unprepared;
        }
        arrivals.arrived += usize::from(new);
        Attempt::Waits
    }
}

impl Future for WaitAtBarrier<'_> {
    type Output = BarrierWait;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BarrierWait> {
        wait::poll(&mut *self, cx)
    }
}

impl Drop for WaitAtBarrier<'_> {
    fn drop(&mut self) {
        if !self.place.is_taken() {
            return;
        }
        let left = {
            let mut arrivals = self.barrier.arrivals.lock();
            let left = arrivals.line().leave(&mut self.place);
            arrivals.arrived -= usize::from(matches!(left, Left::Waiter(_)));
            left
        };
        drop(left);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
