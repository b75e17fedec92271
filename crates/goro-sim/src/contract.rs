//! What a future owes whoever polls it.

use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use goro_context::random;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, AtomicU64, Ordering};
use goro_shim::lock::Lock;
use std::task::Wake;

use crate::here;
use crate::world::World;

/// Runs `future` and sees to it that it keeps the rules of polling; panics where it does not.
///
/// - Whoever returns `Pending` has kept the waker of this poll, or has woken it: otherwise nothing
///   would ever poll it again. Every poll is given another waker, so one of an earlier poll will not
///   do.
/// - The waker of the last poll is the one that counts. That an earlier one was woken and the last
///   one was not is noticed when everything has come to rest.
/// - Being polled for no reason is harmless: it happens now and then.
///
/// # Panics
/// In the poll that shows a rule broken; and outside of a simulation.
///
/// # Cancel safety
/// That of `future`.
///
/// ```
/// use goro_runtime::time::{Duration, sleep};
/// let kept = goro_sim::Sim::new(1).run(goro_sim::poll_contract(sleep(Duration::from_secs(1))));
/// assert!(kept.is_ok());
/// ```
#[track_caller]
pub fn poll_contract<F: Future>(future: F) -> PollContract<F> {
    PollContract { future: Box::pin(future), place: Location::caller(), shared: None }
}

/// The future of [`poll_contract`].
#[must_use = "futures do nothing unless awaited"]
pub struct PollContract<F> {
    future: Pin<Box<F>>,
    place: &'static Location<'static>,
    shared: Option<Arc<Shared>>,
}

/// What the wakers of all polls know.
struct Shared {
    world: Arc<World>,
    /// The number of the last poll.
    last: AtomicU64,
    /// Who polls.
    caller: Lock<Option<Waker>>,
    /// A waker of an earlier poll was woken since the last one.
    stale: AtomicBool,
    /// Everything has come to rest after that.
    rested: Arc<AtomicBool>,
}

/// The waker of one poll.
struct Call {
    shared: Arc<Shared>,
    number: u64,
    woken: AtomicBool,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        let Shared { world, last, stale, rested, .. } = &*self.shared;
        let is_last = last.load(Ordering::Relaxed) == self.number;
        self.shared.with_caller(|caller| {
            if is_last {
                stale.store(false, Ordering::Relaxed);
                caller.wake_by_ref();
            } else {
                stale.store(true, Ordering::Relaxed);
                world.when_quiet(rested, caller);
            }
        });
    }
}

impl Shared {
    /// Calls `f` with the waker of whoever polls, without the lock.
    fn with_caller(&self, f: impl FnOnce(&Waker)) {
        let caller = self.caller.lock().take();
        if let Some(caller) = caller {
            f(&caller);
            let back = self.set_caller(caller);
            drop(back);
        }
    }

    /// Puts a waker in its place, unless there is one; hands back the one that goes.
    fn set_caller(&self, caller: Waker) -> Option<Waker> {
        let mut place = self.caller.lock();
        if place.is_some() {
            return Some(caller);
        }
        *place = Some(caller);
        None
    }

    /// The next poll begins, for `caller`.
    fn begin(self: &Arc<Self>, caller: &Waker) -> Arc<Call> {
        let fresh = caller.clone();
        let before = self.caller.lock().replace(fresh);
        drop(before);
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(Call { shared: Arc::clone(self), number, woken: AtomicBool::new(false) })
    }
}

/// In so many polls that leave the future pending, one is followed by a poll for no reason.
const FOR_NO_REASON_ONCE_IN: u32 = 4;

impl<F: Future> Future for PollContract<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self { future, place, shared } = &mut *self;
        let shared = shared.get_or_insert_with(|| {
            Arc::new(Shared {
                world: here::world("poll_contract"),
                last: AtomicU64::new(0),
                caller: Lock::new(None),
                stale: AtomicBool::new(false),
                rested: Arc::default(),
            })
        });
        let poll = shared.last.load(Ordering::Relaxed);
        if shared.rested.swap(false, Ordering::Relaxed) && shared.stale.load(Ordering::Relaxed) {
            panic!(
                "the future at {place} woke a waker of an earlier poll, and not that of the last, \
                 its poll {poll}"
            );
        }
        shared.stale.store(false, Ordering::Relaxed);
        let call = shared.begin(cx.waker());
        let waker = Waker::from(Arc::clone(&call));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        drop(waker);
        if polled.is_pending() {
            if Arc::strong_count(&call) == 1 && !call.woken.load(Ordering::Relaxed) {
                panic!(
                    "the future at {place} returned Pending from its poll {} and has neither kept \
                     that poll's waker nor woken it: nothing would ever poll it again",
                    poll + 1
                );
            }
            if random::below(FOR_NO_REASON_ONCE_IN) == 0 {
                cx.waker().wake_by_ref();
            }
        }
        polled
    }
}

impl<F> fmt::Debug for PollContract<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollContract").field("place", &self.place).finish_non_exhaustive()
    }
}
