//! What the tests of several primitives use.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
#[cfg(test)]
use std::any::Any;
use std::task::Wake;

#[cfg(test)]
use goro_shim::global::Lock;
use goro_shim::global::{Arc, AtomicUsize, Ordering};
#[cfg(test)]
use proptest::prelude::ProptestConfig;

/// How many cases a property test of a primitive runs: 1,000, or what `GORO_CASES` says.
#[cfg(test)]
pub(crate) fn cases() -> ProptestConfig {
    let cases = std::env::var("GORO_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(1_000))
}

#[cfg(test)]
/// A value for ever, as hosts must be: in sight of whoever looks for leaks.
pub(crate) fn for_ever<T: Send + Sync>(value: T) -> &'static T {
    static KEPT: Lock<Vec<&'static (dyn Any + Send + Sync)>> = Lock::new(Vec::new());
    let kept: &'static T = Box::leak(Box::new(value));
    KEPT.lock().push(kept);
    kept
}

/// Counts how often it was woken.
#[derive(Debug, Default)]
pub(crate) struct CountingWaker(Arc<Wakes>);

#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl CountingWaker {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// How often it was woken.
    pub(crate) fn count(&self) -> usize {
        self.0.0.load(Ordering::Relaxed)
    }

    /// How many wakers there are, and this.
    #[cfg(test)]
    pub(crate) fn references(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

/// Polls once.
pub(crate) fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}
