//! Driving a future on the calling thread, which blocks in between.
//!
//! Invariants:
//! 1. While the future is polled the thread is what it was before the call; only on a worker it
//!    stands aside, so that nobody waits for what stands in its queue.
//! 2. The thread's waker is kept for the next call. A wake that comes late, meant for an earlier
//!    future, costs the next one a poll for nothing.

use core::cell::Cell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use goro_context::budget;
use goro_shim::Arc;
use goro_shim::thread::thread_local;
use std::task::Wake;

use crate::current;
use crate::handle::Handle;
use crate::parker::{Nudge, Parker};

/// Wakes the thread that waits in [`block_on`].
#[derive(Debug)]
struct Unpark(Parker);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.0.give() == Nudge::Thread {
            self.0.wake_thread();
        }
    }
}

/// Runs a future to its end on this thread, which sleeps while the future waits.
///
/// Legal anywhere. Inside a task, the worker is blocked until the future is done: what else stood
/// in its queue is offered to the other workers. With nothing entered, the future runs all the
/// same: deadlines work, sockets and spawning report that they need a runtime.
///
/// # Panics
/// When the future does.
///
/// # Example
/// ```
/// assert_eq!(goro_runtime::block_on(async { 6 * 7 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let _aside = stand_aside();
    drive(future)
}

/// As [`block_on`], with the runtime of `handle` entered. A worker stands aside first: once inside
/// another runtime, the thread would not look like a worker.
pub(crate) fn inside<F: Future>(handle: &Handle, future: F) -> F::Output {
    let _aside = stand_aside();
    let _inside = handle.enter();
    drive(future)
}

fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let seat = Seat::take();
    let mut cx = Context::from_waker(&seat.waker);
    loop {
        // Panic: the future's own passes through; nothing is held, and the seat is not kept.
        let polled = budget::with(budget::LIMIT, || future.as_mut().poll(&mut cx));
        if let Poll::Ready(output) = polled {
            seat.keep();
            return output;
        }
        wait(&seat.unpark.0);
    }
}

/// Sleeps until the token comes. Inside a script's runtime there is nobody else to give it: the
/// script goes on meanwhile.
fn wait(parker: &Parker) {
    let ground = current::entered()
        .filter(|foreign| foreign.hub.is_scripted())
        .and_then(|foreign| foreign.hub.ground());
    match ground {
        Some(ground) => ground.driver.wait(parker),
        None => {
            parker.sleep(None);
        }
    }
}

/// This thread's place to sleep, and what wakes it there.
struct Seat {
    unpark: Arc<Unpark>,
    waker: Waker,
}

thread_local! {
    static KEPT: Cell<Option<Seat>> = const { Cell::new(None) };
}

impl Seat {
    /// The one kept since the last call; a fresh one inside another call, or as the thread ends.
    fn take() -> Self {
        KEPT.try_with(Cell::take).ok().flatten().unwrap_or_else(|| {
            let unpark = Arc::new(Unpark(Parker::new()));
            unpark.0.adopt();
            Self { waker: Waker::from(Arc::clone(&unpark)), unpark }
        })
    }

    fn keep(self) {
        // As the thread ends there is no next call.
        let _ended = KEPT.try_with(|kept| kept.set(Some(self)));
    }
}

/// Runs `job`, which will block, on this thread, having told the others.
pub(crate) fn blocking(job: &mut dyn FnMut()) {
    let _aside = stand_aside();
    job();
}

/// On a worker: lets the others take what stands in its queue, next slot included, and stops being
/// a worker until the guard drops, unless it has entered another runtime and is none already.
fn stand_aside() -> Option<current::Scope> {
    let shard = current::own()?;
    let hub = shard.hub;
    shard.published.set_stuck();
    let aside = current::worker().map(|_| current::step_aside(hub.foreign()));
    if shard.has_work() {
        hub.announce();
    }
    aside
}
