//! A runtime that is to end, and things to see it by.
#![allow(dead_code, reason = "each test uses a part")]

use goro_runtime::time::Duration;
use goro_runtime::{Builder, DrainPolicy, Runtime, ShutdownHandle};

/// Calls, when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Longer than any machine stands still.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3600);

/// With nothing that comes by itself: no end of a drain, and none of a grace.
pub(crate) fn two_workers() -> (Runtime, ShutdownHandle) {
    let runtime = Builder::new().workers(2).build().unwrap();
    let shutdown = runtime.handle().shutdown();
    shutdown.set_policy(DrainPolicy::fixed(PATIENCE));
    shutdown.set_grace(PATIENCE);
    (runtime, shutdown)
}

/// Waits until so many have parked.
pub(crate) fn park(runtime: &Runtime, tasks: usize) {
    while runtime.metrics().tasks_parked < tasks {
        std::thread::yield_now();
    }
}
