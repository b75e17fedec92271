//! What a task of the fuzzer's is made of: a future that does at each poll what it was told to, an
//! output, and wakers that count.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use goro_context::{Cause, cancel};
use goro_shim::global::{Arc, AtomicUsize, Lock, Ordering};
use goro_task::AbortHandle;

/// What a future does when it is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Keeps the waker and waits.
    Wait,
    /// Waits, and leaves nobody who could wake it.
    WaitForNobody,
    /// Wakes itself so often, and waits.
    Yield(u8),
    /// Aborts itself, and waits.
    AbortItself,
    /// Asks itself to end, and waits.
    AskItself,
    /// Aborts itself, and is done all the same.
    AbortItselfAndEnd,
    End,
    Panic,
}

/// What a task and whoever judges it both see.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) wakers: Vec<Waker>,
    pub(crate) next: Option<Act>,
    pub(crate) own: Option<AbortHandle>,
    pub(crate) polls: usize,
    /// What the last poll was told of why it should end.
    pub(crate) asked: Option<Cause>,
}

pub(crate) type Shared = Arc<Lock<Seen>>;

/// The future; the token says that it is alive.
pub(crate) struct Life {
    pub(crate) seen: Shared,
    pub(crate) token: Arc<()>,
}

/// What a task gives.
#[derive(Debug)]
pub(crate) struct Output(pub(crate) Arc<()>);

impl Future for Life {
    type Output = Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        let (act, own) = {
            let mut seen = self.seen.lock();
            seen.polls += 1;
            seen.asked = cancel::cause();
            (seen.next.take().expect("polled when nobody ran it"), seen.own.clone())
        };
        match act {
            Act::Wait => self.seen.lock().wakers.push(cx.waker().clone()),
            Act::WaitForNobody => {}
            Act::Yield(times) => (0..times).for_each(|_| cx.waker().wake_by_ref()),
            Act::AbortItself => own.iter().for_each(AbortHandle::abort),
            Act::AskItself => own.iter().for_each(|own| own.ask(Cause::new("by itself"))),
            Act::AbortItselfAndEnd => {
                own.iter().for_each(AbortHandle::abort);
                return Poll::Ready(Output(self.token.clone()));
            }
            Act::End => return Poll::Ready(Output(self.token.clone())),
            Act::Panic => std::panic::resume_unwind(Box::new("as it was told")),
        }
        Poll::Pending
    }
}

/// A waker of somebody who waits for a task's end.
#[derive(Default)]
pub(crate) struct Joiner(AtomicUsize);

impl Wake for Joiner {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Joiner {
    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
