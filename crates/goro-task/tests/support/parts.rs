// Futures and values to make tasks of, and counters to see what became of them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use goro_shim::global::{Arc, Lock};

/// A value that panics when it is dropped, without the panic hook's noise.
#[derive(Debug)]
pub(crate) struct PanicsOnDrop(pub(crate) &'static str);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::resume_unwind(Box::new(self.0));
        }
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Panics without the panic hook's noise.
pub(crate) fn panic_quietly(text: &'static str) -> ! {
    std::panic::resume_unwind(Box::new(text))
}

/// How many clones of a value are alive: a drop counter that also sees double drops.
pub(crate) fn alive(token: &Arc<()>) -> usize {
    Arc::strong_count(token) - 1
}

/// A gate that tasks wait at: pending until it is opened. Keeps the waker of the last poll.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    state: Arc<Lock<GateState>>,
}

#[derive(Default)]
struct GateState {
    open: bool,
    polls: usize,
    waker: Option<Waker>,
}

impl Gate {
    /// Opens the gate and wakes who waits.
    pub(crate) fn open(&self) {
        self.state.lock().open = true;
        if let Some(waker) = self.waker() {
            waker.wake();
        }
    }

    /// Takes the waker of the last poll.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.state.lock().waker.take()
    }

    /// How often the gate was polled.
    pub(crate) fn polls(&self) -> usize {
        self.state.lock().polls
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.state.lock();
        state.polls += 1;
        if state.open {
            return Poll::Ready(());
        }
        let before = state.waker.replace(waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

/// Pending once, having woken its own task.
#[derive(Default)]
pub(crate) struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Polls once with this waker.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}
