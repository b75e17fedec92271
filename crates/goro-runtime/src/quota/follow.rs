//! Following the quota while the runtime runs.
//!
//! The monitor asks now and then, while it looks in any case: a runtime in which everybody sleeps
//! needs no other size. Asking is reading some small files, on the monitor's own thread.

use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::lock::Lock;
use goro_shim::time::{Duration, Instant};
use std::path::PathBuf;

use super::Allowance;
use crate::ground::Ground;
use crate::hub::MAX_WORKERS;

/// What a runtime knows about its quota, and whether its size follows it.
#[derive(Debug)]
pub(crate) struct Follows {
    root: PathBuf,
    every: Duration,
    /// The size follows; otherwise somebody has said what it is.
    size: AtomicBool,
    /// What was read last.
    allowance: Lock<Allowance>,
}

impl Follows {
    pub(crate) fn new(root: PathBuf, every: Duration, size: bool, now: Allowance) -> Self {
        Self { root, every, size: AtomicBool::new(size), allowance: Lock::new(now) }
    }

    /// Somebody has said what the size is.
    pub(crate) fn stop(&self) {
        self.size.store(false, Ordering::Relaxed);
    }

    /// The most spares for stalls beside so many workers, if the quota limits them.
    pub(crate) fn spares(&self, workers: u32) -> Option<u32> {
        let allowance = *self.allowance.lock();
        allowance.spares(workers)
    }

    /// Whether it is time to ask again; never, with a period of zero.
    pub(crate) fn is_due(&self, asked: Instant, now: Instant) -> bool {
        !self.every.is_zero() && now.saturating_duration_since(asked) >= self.every
    }
}

impl Ground {
    /// Reads the quota, and changes the size if it follows it and has to.
    pub(crate) fn follow_quota(self: &Arc<Self>) {
        let allowance = Allowance::read(&self.follows.root);
        *self.follows.allowance.lock() = allowance;
        let Some(workers) = allowance.workers() else { return };
        let workers = workers.clamp(1, MAX_WORKERS as u32);
        if !self.follows.size.load(Ordering::Relaxed) || workers == self.hub.workers() {
            return;
        }
        let before = self.hub.workers();
        match self.resize(workers) {
            Ok(()) => crate::observe::resized(&self.name, before, workers, &allowance),
            Err(error) => crate::observe::resize_refused(&self.name, &error),
        }
    }
}
