//! Who keeps deadlines where no runtime is entered: one timer thread, for the whole process.
//!
//! It is started by the first deadline that needs it, and then stays, asleep unless a deadline is
//! near. Sleeps and timeouts thereby work on plain threads and under any executor.
//!
//! Wakers run on that thread; one that blocks delays the deadlines behind it.
//!
//! Left out: a wheel. It lives on the floor above; a heap is fast enough for what comes here.

#[cfg(not(loom))]
use crate::host::Host;

#[cfg(not(loom))]
mod timers;

#[cfg(not(loom))]
static TIMERS: timers::Timers = timers::Timers::new(timers::start);

/// The host that keeps deadlines with the timer thread. It runs no tasks and no jobs.
#[cfg(not(loom))]
pub fn host() -> &'static dyn Host {
    &TIMERS
}

/// How many deadlines the timer thread keeps.
#[cfg(not(loom))]
pub fn armed() -> usize {
    TIMERS.armed()
}

#[cfg(loom)]
pub use model::{armed, host};

#[cfg(loom)]
mod model;
