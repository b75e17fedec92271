//! Operations for a thread that would rather sleep than be a task.
//!
//! Blocking is legal anywhere. On a worker it is declared to the runtime first, which lets others
//! take what stands in the worker's queue; an operation that is ready at once declares nothing.
//!
//! Invariants:
//! 1. A wake given is never lost: it stands in `woken` until the thread takes it, and what was
//!    written before the wake is seen after.
//! 2. The thread's waker is kept for its next call, so that blocking allocates once per thread. A
//!    late wake, meant for an earlier call, costs the next one a poll for nothing.
//!
//! 3. Who is asked to stop is woken once, so that an operation which observes that gives up.
//!
//! Left out: a time limit of the parker's own. Timed operations have a deadline, which wakes.

#[cfg(not(loom))]
use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::task::Wake;

use goro_context::cancel::{self, Ambient};
use goro_context::{budget, host, trust};
use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::global::Arc;
#[cfg(not(loom))]
use goro_shim::thread::thread_local;
use goro_shim::thread::{self, Thread};

/// A thread's place to sleep.
#[derive(Debug)]
struct Bed {
    woken: AtomicBool,
    thread: Thread,
}

impl Bed {
    /// Sleeps until woken, or not at all if that has happened.
    fn sleep(&self) {
        let waited = host::current().is_some_and(|host| host.wait_until(&mut || self.is_woken()));
        while !waited && !self.is_woken() {
            thread::park();
        }
    }

    /// Takes a wake that has come.
    fn is_woken(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `wake_by_ref`.
        self.woken.swap(false, Ordering::Acquire)
    }
}

impl Wake for Bed {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: Release pairs with the Acquire in `is_woken`.
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

/// A bed with its waker, lent to one call at a time.
struct Lodging {
    bed: Arc<Bed>,
    waker: Waker,
}

#[cfg(not(loom))]
thread_local! {
    static KEPT: Cell<Option<Lodging>> = const { Cell::new(None) };
}

impl Lodging {
    fn new() -> Self {
        let bed = Arc::new(Bed { woken: AtomicBool::new(false), thread: thread::current() });
        let waker = Waker::from(Arc::clone(&bed));
        // Its clone counts up and its drop frees a bed: no lock of goro's, nobody's code.
        trust::trust(waker.vtable());
        Self { bed, waker }
    }

    /// The one kept since the last call; a fresh one inside another call, or as the thread ends.
    #[cfg(not(loom))]
    fn take() -> Self {
        KEPT.try_with(Cell::take).ok().flatten().unwrap_or_else(Self::new)
    }

    #[cfg(not(loom))]
    fn keep(self) {
        // As the thread ends there is no next call.
        let _ended = KEPT.try_with(|kept| kept.set(Some(self)));
    }

    /// A model's threads are not to outlive it in what they kept.
    #[cfg(loom)]
    fn take() -> Self {
        Self::new()
    }

    #[cfg(loom)]
    fn keep(self) {}
}

/// Waits for `future` on this thread, which sleeps meanwhile.
///
/// # Panics
/// When the future does.
pub(crate) fn block<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let lodging = Lodging::take();
    let mut cx = Context::from_waker(&lodging.waker);
    // Panic: the future's own passes through; nothing is held, and the lodging is not kept.
    let mut polled = poll(future.as_mut(), &mut cx);
    if polled.is_pending() {
        let _asked = Asked::listen(&lodging.waker);
        let mut wait = || {
            while polled.is_pending() {
                lodging.bed.sleep();
                polled = poll(future.as_mut(), &mut cx);
            }
        };
        match host::current() {
            Some(host) => host.blocking(&mut wait),
            None => wait(),
        }
    }
    match polled {
        Poll::Ready(output) => {
            lodging.keep();
            output
        }
        Poll::Pending => unreachable!("a host runs a blocking job to its end"),
    }
}

/// Stands in line at the token of the code that runs: a task does that itself, a thread has nobody to.
struct Asked(Ambient, u64);

impl Asked {
    fn listen(waker: &Waker) -> Option<Self> {
        let token = cancel::current()?;
        let key = token.register(waker);
        Some(Self(token, key))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.unregister(self.1);
    }
}

/// A thread that blocks has no turn to give to others: its operations are not cut short.
fn poll<F: Future>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
    budget::with(budget::UNLIMITED, || future.poll(cx))
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
