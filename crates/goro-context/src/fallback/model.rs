//! The fallback inside a model: there is no clock to wait for, so nothing can be armed.

use core::task::Waker;
use std::io;

use goro_shim::time::Instant;

use crate::host::{BoxedFuture, Gone, Host, Job, Refused, TimerKey};
use crate::kind::Kind;
use crate::task::TaskId;

struct Timeless;

/// A host that arms nothing.
pub fn host() -> &'static dyn Host {
    &Timeless
}

/// None.
pub fn armed() -> usize {
    0
}

impl Host for Timeless {
    fn now(&self) -> Instant {
        goro_shim::time::now()
    }
    fn arm(&'static self, _at: Instant, _waker: &Waker) -> Result<TimerKey, Gone> {
        Err(Gone)
    }
    fn rearm(&'static self, _key: TimerKey, _waker: &Waker) -> bool {
        false
    }
    fn disarm(&'static self, _key: TimerKey) {}
    fn spawn(&'static self, future: BoxedFuture, _kind: Kind) -> Result<TaskId, BoxedFuture> {
        Err(future)
    }
    fn blocking(&'static self, job: &mut dyn FnMut()) {
        job();
    }
    fn spawn_blocking(&'static self, job: Job, _kind: Kind) -> Result<(), Refused> {
        Err(Refused(job, io::ErrorKind::Unsupported.into()))
    }
}
