//! Tasks that wait for one event that does not come.
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use goro_shim::lock::Lock;

use crate::mailbox::Countdown;

/// What the tasks wait for: a list of wakers, in memory before the first one comes.
pub(super) struct Event {
    waiters: Lock<Vec<Waker>>,
    everyone: Arc<Countdown>,
}

impl Event {
    /// An event that so many will wait for.
    pub(super) fn for_tasks(tasks: usize) -> Arc<Self> {
        let mut waiters = vec![Waker::noop().clone(); tasks];
        waiters.clear();
        Arc::new(Self { waiters: Lock::new(waiters), everyone: Countdown::of(tasks) })
    }

    /// Waits until all of them do, and says how many they are.
    pub(super) async fn full(&self) -> usize {
        self.everyone.wait().await;
        self.waiters.lock().len()
    }
}

/// Waits for an [`Event`], having said once that it has come. 16 bytes and the payload, which
/// stands for what a task of some size keeps while it waits.
pub(super) struct Wait<const PAYLOAD: usize> {
    event: Arc<Event>,
    arrival: Option<Arc<Countdown>>,
    payload: [u8; PAYLOAD],
}

impl<const PAYLOAD: usize> Wait<PAYLOAD> {
    pub(super) fn new(event: &Arc<Event>) -> Self {
        let arrival = Some(Arc::clone(&event.everyone));
        Self { event: Arc::clone(event), arrival, payload: [1; PAYLOAD] }
    }
}

impl<const PAYLOAD: usize> Future for Wait<PAYLOAD> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        black_box(&self.payload);
        if let Some(arrival) = self.arrival.take() {
            let waker = context.waker().clone();
            self.event.waiters.lock().push(waker);
            arrival.finish();
        }
        Poll::Pending
    }
}
