//! Notifications, without a value.
//!
//! # The word
//!
//! | bits | what | changed by |
//! |---|---|---|
//! | 0 `PERMIT` | a notification that came while nobody waited | everybody |
//! | 1 `WAITING` | somebody stands in line | the line's lock |
//! | 2.. | how often all were notified; it wraps | everybody |
//!
//! # A waiter
//!
//! ```text
//!                   notify_one: the first in line
//!  in line ──────────────────────────────────────▶ told by one ── dropped ──▶ the next is told
//!     │                                                 │ poll
//!     │ notify_waiters                                  ▼
//!     └──────────────────────▶ told with all ── poll ▶ ready
//!                                    └── dropped ▶ nothing: that one was for nobody else
//! ```
//!
//! Invariants:
//! 1. `PERMIT` and `WAITING` are never set together: a notification goes to who waits, or is kept.
//! 2. A notification is used by one poll that returned, or passed on, or is the kept one. The kept one
//!    is one, however many came.
//! 3. Every notification is a Release, also one that finds another kept: what was written before it
//!    is seen by whoever is served.
//!
//! Left out: taking a notification from a waiter that does not poll. It was told something, as by a
//! message; what others wait for is told to them. Locks, which must not stand still for such a waiter,
//! are built on [`permits`](crate::permits).

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use goro_context::Op;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::global::OnceLock;
use goro_shim::lock::Lock;
use goro_wait::{Key, WaitList};

use crate::block::block;
use crate::wait::{self, Attempt, Offer, Operation, wake};

const PERMIT: usize = 1;
const WAITING: usize = 2;
const ROUND: usize = 4;

/// Wakes tasks that wait for something to happen.
///
/// A notification that comes while nobody waits is kept for the next one who does: one, however many
/// came. So a task that waits in a loop, and looks at the state each time before it waits, misses
/// nothing.
///
/// # Example
/// ```
/// use goro_sync::Notify;
///
/// # futures::executor::block_on(async {
/// let arrived = Notify::new();
/// arrived.notify_one();
/// arrived.notified().await;
/// # });
/// ```
///
/// ```
/// let notify = goro_sync::Notify::new();
/// notify.notify_one();
/// notify.blocking_notified();
/// // Nobody waits: it is not kept.
/// notify.notify_waiters();
/// ```
pub struct Notify {
    word: AtomicUsize,
    line: OnceLock<Box<Lock<Waiters>>>,
}

/// Those who wait or have been told and do not know it yet, and the order of the former.
struct Waiters {
    all: WaitList<Waiter>,
    in_line: WaitList<Key>,
}

struct Waiter {
    state: State,
    waker: Option<Waker>,
}

enum State {
    InLine(Key),
    ToldByOne,
    ToldWithAll,
}

impl Notify {
    constant! {
        /// With no notification kept; also in a `static`.
        pub fn new() -> Self {
            Self { word: AtomicUsize::new(0), line: OnceLock::new() }
        }
    }

    /// Waits for a notification.
    ///
    /// The future takes part in [`notify_waiters`](Self::notify_waiters) from this call on, and in
    /// [`notify_one`](Self::notify_one) from its first poll on.
    ///
    /// # Cancel safety
    /// Safe: a notification that a dropped future has not seen goes to the next one, or is kept.
    #[inline]
    pub fn notified(&self) -> Notified<'_> {
        // Ordering: Acquire pairs with the Release in `notify_waiters`.
        let round = self.word.load(Ordering::Acquire) / ROUND;
        Notified { notify: self, round, key: None }
    }

    /// [`notified`](Self::notified), and lets this thread sleep until then. Legal anywhere; on a worker
    /// of goro's the runtime is told first.
    pub fn blocking_notified(&self) {
        block(self.notified());
    }

    /// Notifies the one who has waited longest, or keeps the notification.
    #[inline]
    pub fn notify_one(&self) {
        let mut now = self.word.load(Ordering::Relaxed);
        while now & WAITING == 0 {
            // Ordering: Release pairs with the Acquire of whoever takes it, also if one was kept.
            let set = now | PERMIT;
            match self.word.compare_exchange_weak(now, set, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => now = seen,
            }
        }
        self.tell_one();
    }

    #[cold]
    fn tell_one(&self) {
        let waker = {
            let mut waiters = self.line().lock();
            self.pass_on(&mut waiters)
        };
        waker.into_iter().for_each(wake);
    }

    /// Tells the first in line, or keeps the notification; under the lock, so that nobody comes.
    fn pass_on(&self, waiters: &mut Waiters) -> Option<Waker> {
        match waiters.in_line.pop_front() {
            Some(key) => {
                self.publish(waiters);
                let waiter = waiters.all.get_mut(key).expect("who is in line is there");
                waiter.state = State::ToldByOne;
                waiter.waker.take()
            }
            None => {
                // Ordering: Release pairs with the Acquire of whoever takes it.
                self.word.fetch_or(PERMIT, Ordering::Release);
                None
            }
        }
    }

    /// Notifies all whose futures were made before. Nothing is kept for others.
    pub fn notify_waiters(&self) {
        let mut now = self.word.load(Ordering::Relaxed);
        while now & WAITING == 0 {
            let next = now.wrapping_add(ROUND);
            // Ordering: Release pairs with the Acquire in `notified` and in `try_ready`.
            match self.word.compare_exchange_weak(now, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => now = seen,
            }
        }
        self.tell_all();
    }

    #[cold]
    fn tell_all(&self) {
        let mut told = Vec::new();
        {
            let mut waiters = self.line().lock();
            told.reserve(waiters.in_line.len());
            while let Some(key) = waiters.in_line.pop_front() {
                let waiter = waiters.all.get_mut(key).expect("who is in line is there");
                waiter.state = State::ToldWithAll;
                told.extend(waiter.waker.take());
            }
            // Ordering: Release pairs with the Acquire in `notified` and in `try_ready`.
            self.word.fetch_add(ROUND, Ordering::Release);
            self.publish(&waiters);
        }
        told.into_iter().for_each(wake);
    }

    /// Says in the word whether anybody is in line, after somebody has left it.
    fn publish(&self, waiters: &Waiters) {
        if waiters.in_line.is_empty() {
            // The lock orders what stands behind it; the word says no more than that.
            self.word.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }

    /// Whether a notification is there for a future of this round: all have been told since, or the
    /// one that was kept, which is hereby used up. If not, and `stay`, somebody is in line from now on.
    #[inline]
    fn try_ready(&self, round: usize, stay: bool) -> bool {
        let mut now = self.word.load(Ordering::Relaxed);
        loop {
            let ready = now / ROUND != round || now & PERMIT != 0;
            let next = match now / ROUND == round {
                true if ready => now & !PERMIT,
                true if stay => now | WAITING,
                _ => now,
            };
            if next == now && !ready {
                return false;
            }
            // Ordering: Acquire pairs with the Release of whoever notifies.
            match self.word.compare_exchange_weak(now, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return ready,
                Err(seen) => now = seen,
            }
        }
    }

    fn line(&self) -> &Lock<Waiters> {
        self.line.get_or_init(|| {
            Box::new(Lock::new(Waiters { all: WaitList::new(), in_line: WaitList::new() }))
        })
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.load(Ordering::Relaxed);
        f.debug_struct("Notify")
            .field("kept", &(word & PERMIT != 0))
            .field("waited_for", &(word & WAITING != 0))
            .finish()
    }
}

/// The future of [`Notify::notified`].
#[must_use = "futures do nothing unless polled"]
pub struct Notified<'a> {
    notify: &'a Notify,
    round: usize,
    key: Option<Key>,
}

impl Operation for Notified<'_> {
    type Output = ();
    const OP: Op = Op::Notified;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
        if self.key.is_none() && self.notify.try_ready(self.round, false) {
            return Attempt::Done(());
        }
        let Some(offer) = offer else { return Attempt::Waits };
        self.attempt_in_line(offer)
    }

    #[inline]
    fn stands(&self) -> bool {
        self.key.is_some()
    }
}

impl Notified<'_> {
    #[cold]
    fn attempt_in_line(&mut self, offer: &mut Offer<'_>) -> Attempt<()> {
        let notify = self.notify;
        let mut waiters = notify.line().lock();
        let Some(key) = self.key else {
            let mut waker = None;
            if !offer.put(&mut waker) {
                return Attempt::Unprepared;
            }
            if notify.try_ready(self.round, true) {
                // Dropped after the lock.
                drop(waiters);
                drop(waker);
                return Attempt::Done(());
            }
            let key = waiters.all.push_back(Waiter { state: State::ToldWithAll, waker });
            let place = waiters.in_line.push_back(key);
            if let Some(waiter) = waiters.all.get_mut(key) {
                waiter.state = State::InLine(place);
            }
            self.key = Some(key);
            return Attempt::Waits;
        };
        let waiter = waiters.all.get_mut(key).expect("it stands there until it leaves");
        if matches!(waiter.state, State::InLine(_)) {
            return match offer.put(&mut waiter.waker) {
                true => Attempt::Waits,
                false => Attempt::Unprepared,
            };
        }
        // It was told; its waker was taken then.
        let told = waiters.all.remove(key);
        self.key = None;
        drop(waiters);
        drop(told);
        Attempt::Done(())
    }
}

impl Future for Notified<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        wait::poll(&mut *self, cx)
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let (left, mut next) = (None::<Waiter>, None);
        let left = {
            let mut waiters = self.notify.line().lock();
            let left = waiters.all.remove(key).or(left);
            match &left {
                Some(Waiter { state: State::InLine(place), .. }) => {
                    waiters.in_line.remove(*place);
                    self.notify.publish(&waiters);
                }
                Some(Waiter { state: State::ToldByOne, .. }) => {
                    next = self.notify.pass_on(&mut waiters);
                }
                Some(Waiter { state: State::ToldWithAll, .. }) | None => {}
            }
            left
        };
        next.into_iter().for_each(wake);
        drop(left);
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified").field("in_line", &self.key.is_some()).finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
