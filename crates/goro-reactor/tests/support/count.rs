//! Wakers that can be counted, and polling by hand.
#![allow(dead_code, reason = "each test file uses a part")]

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::task::Wake;

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};

/// Counts its wake-ups.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls `future` once for the task that `count` stands for.
pub(crate) fn poll<F: Future + Unpin>(count: &Arc<Count>, future: &mut F) -> Poll<F::Output> {
    let waker = count.waker();
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

/// Panics when it is woken.
#[derive(Debug)]
pub(crate) struct Explosive;

impl Wake for Explosive {
    fn wake(self: Arc<Self>) {
        panic!("woken");
    }
}
