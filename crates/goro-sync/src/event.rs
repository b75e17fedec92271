//! Something that has happened, or has not yet.
//!
//! | bits of the word | what | changed by |
//! |---|---|---|
//! | 0 `SET` | it has happened | everybody |
//! | 1 `WAITING` | somebody stands in line | the line's lock |
//!
//! Invariants:
//! 1. Whoever stood in line when it was set is let go, even if it is reset before they are polled.
//! 2. `WAITING` is set at a moment when `SET` was not: whoever sets it sees the line, or is seen.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::Op;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::global::OnceLock;
use goro_shim::lock::Lock;

use crate::block::block;
use crate::wait::{self, Attempt, Came, Left, Line, Offer, Operation, Place, Waiter};

const SET: usize = 1;
const WAITING: usize = 2;

/// A flag that tasks can wait for: once set, all who wait are let go, and all who come pass, until it
/// is reset.
///
/// # Example
/// ```
/// use goro_sync::Event;
///
/// # futures::executor::block_on(async {
/// let ready = Event::new();
/// assert!(ready.set(), "it was not set before");
/// ready.wait().await;
/// ready.wait().await;
/// # });
/// ```
///
/// ```
/// let event = goro_sync::Event::new();
/// assert!(!event.is_set());
/// event.set();
/// event.blocking_wait();
/// event.reset();
/// assert!(!event.is_set());
/// ```
pub struct Event {
    word: AtomicUsize,
    line: OnceLock<Box<Lock<Line>>>,
}

impl Event {
    constant! {
        /// One that is not set; also in a `static`.
        pub fn new() -> Self {
            Self { word: AtomicUsize::new(0), line: OnceLock::new() }
        }
    }

    /// Waits until it is set.
    ///
    /// # Cancel safety
    /// Safe: waiting changes nothing.
    #[inline]
    pub fn wait(&self) -> WaitForEvent<'_> {
        WaitForEvent { event: self, place: Place::NOWHERE }
    }

    /// [`wait`](Self::wait), and lets this thread sleep until then. Legal anywhere; on a worker of
    /// goro's the runtime is told first.
    pub fn blocking_wait(&self) {
        block(self.wait());
    }

    /// Sets it. False if it was set.
    pub fn set(&self) -> bool {
        // Ordering: Release pairs with the Acquire in `try_pass`.
        let before = self.word.fetch_or(SET, Ordering::Release);
        if before & WAITING != 0 {
            self.let_go();
        }
        before & SET == 0
    }

    #[cold]
    fn let_go(&self) {
        let all = {
            let mut line = self.line().lock();
            let all = line.turn_all();
            line.settle(0);
            self.word.fetch_and(!WAITING, Ordering::Relaxed);
            all
        };
        all.for_each(Waiter::wake);
    }

    /// Resets it. False if it was not set.
    pub fn reset(&self) -> bool {
        // Ordering: Acquire, so that who resets it has what was written before it was set.
        self.word.fetch_and(!SET, Ordering::Acquire) & SET != 0
    }

    /// Whether it is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `set`.
        self.word.load(Ordering::Acquire) & SET != 0
    }

    /// Whether it is set; if not, somebody is in line from now on.
    fn pass_or_stay(&self) -> bool {
        let mut now = self.word.load(Ordering::Relaxed);
        loop {
            let next = if now & SET == 0 { now | WAITING } else { now };
            // Ordering: Acquire pairs with the Release in `set`.
            match self.word.compare_exchange_weak(now, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return now & SET != 0,
                Err(seen) => now = seen,
            }
        }
    }

    fn line(&self) -> &Lock<Line> {
        self.line.get_or_init(|| Box::new(Lock::new(Line::new())))
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).finish_non_exhaustive()
    }
}

/// The future of [`Event::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct WaitForEvent<'a> {
    event: &'a Event,
    place: Place,
}

impl Operation for WaitForEvent<'_> {
    type Output = ();
    const OP: Op = Op::Notified;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
        if !self.place.is_taken() && self.event.is_set() {
            return Attempt::Done(());
        }
        let Some(offer) = offer else { return Attempt::Waits };
        self.attempt_in_line(offer)
    }
}

impl WaitForEvent<'_> {
    #[cold]
    fn attempt_in_line(&mut self, offer: &mut Offer<'_>) -> Attempt<()> {
        let mut line = self.event.line().lock();
        let came = line.arrive(&mut self.place);
        if came == Came::Turned || self.event.pass_or_stay() {
            let left = line.leave(&mut self.place);
            drop(line);
            drop(left);
            return Attempt::Done(());
        }
        match line.wait(&mut self.place, offer, came, || ()) {
            true => Attempt::Waits,
            false => Attempt::Unprepared,
        }
    }
}

impl Future for WaitForEvent<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        wait::poll(&mut *self, cx)
    }
}

impl Drop for WaitForEvent<'_> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            let left: Left<()> = self.event.line().lock().leave(&mut self.place);
            drop(left);
        }
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
