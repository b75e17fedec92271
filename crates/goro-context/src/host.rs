//! Whoever runs this thread's code, as far as code may ask.
//!
//! A runtime (or the simulator, or a test) installs itself per thread; leaf futures find it here
//! and nowhere else. Without one, [`current`] is `None` and each caller has its documented way out.
//!
//! Invariants:
//! 1. A host is immortal (`&'static`): a deadline may outlive the runtime that it was armed with,
//!    and gets [`Gone`] or `false` for an answer instead of a dangling pointer.
//! 2. Guards of [`enter`] may be dropped in any order (pitfall 63); the youngest living one decides.
//!
//! Left out: the reactor. Its type lives above; sockets find it through their runtime's handle.

use core::any::Any;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::Waker;
use std::io;

use goro_shim::time::Instant;

use crate::kind::Kind;
use crate::layers::{Layers, Ticket};
use crate::task::TaskId;

/// A task's future before it is a task.
pub type BoxedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A job for a thread that may block.
pub type Job = Box<dyn FnOnce() + Send>;

/// What a runtime answers to the code that it runs.
///
/// Every method may be called from any thread, at any time, also after the runtime has stopped.
/// None may call wakers, destructors or closures of the user's under a lock.
pub trait Host: Sync {
    /// The time that this host's deadlines are measured in.
    fn now(&self) -> Instant;

    /// Wakes a clone of `waker` at `at` or later, never earlier by [`now`](Host::now). A past `at`
    /// fires as soon as may be, any far one is accepted.
    ///
    /// A host that stops wakes every waker still armed, so that their deadlines arm anew elsewhere.
    ///
    /// # Errors
    /// [`Gone`] if no timer can be armed (any more).
    fn arm(&'static self, at: Instant, waker: &Waker) -> Result<TimerKey, Gone>;

    /// Wakes `waker` instead of the one armed under `key`. False if nothing is armed there any
    /// more: it has fired, or the host has stopped.
    fn rearm(&'static self, key: TimerKey, waker: &Waker) -> bool;

    /// Forgets what is armed under `key`. Stale keys are ignored.
    fn disarm(&'static self, key: TimerKey);

    /// Whether all that was armed for `at` or earlier is known to have fired, so that `at` is past
    /// and there is nothing left to disarm. Takes no lock and reads no clock; false says nothing.
    fn has_fired(&self, at: Instant) -> bool {
        let _ = at;
        false
    }

    /// Runs `future` as a task of this kind.
    ///
    /// # Errors
    /// The future back, if no task is accepted (any more).
    fn spawn(&'static self, future: BoxedFuture, kind: Kind) -> Result<TaskId, BoxedFuture>;

    /// Runs `job` here, exactly once, having declared that this thread is about to block; a panic
    /// of the job's passes through.
    fn blocking(&'static self, job: &mut dyn FnMut());

    /// Waits here until `ready` says so, while others go on; false if this thread may as well sleep.
    /// For a simulation, whose one thread is everybody's: asleep, it would never be woken.
    fn wait_until(&'static self, ready: &mut dyn FnMut() -> bool) -> bool {
        let _ = ready;
        false
    }

    /// Runs `job` on a thread that may block.
    ///
    /// # Errors
    /// The job back, with the reason.
    fn spawn_blocking(&'static self, job: Job, kind: Kind) -> Result<(), Refused>;

    /// Wakes `waker`, whose task may as well run after all that is ready now. Otherwise it may come
    /// next.
    fn wake_behind(&'static self, waker: Waker) {
        waker.wake();
    }

    /// The host itself, for the crate that made it to recognise its own; `()` otherwise.
    fn as_any(&'static self) -> &'static dyn Any {
        &()
    }
}

/// Names one armed timer of a host. The host chooses the number, with a generation in it, so that
/// a stale key is told apart from the slot's next owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerKey(pub u64);

/// No timer can be armed: the host has stopped, or the fallback's thread was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no timer can be armed: nothing is left to fire it")
    }
}

impl core::error::Error for Gone {}

impl From<Gone> for io::Error {
    fn from(gone: Gone) -> Self {
        io::Error::other(gone)
    }
}

/// A job that was not accepted, and why.
pub struct Refused(pub Job, pub io::Error);

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&self.1).finish_non_exhaustive()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the blocking job was refused: {}", self.1)
    }
}

impl core::error::Error for Refused {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.1)
    }
}

local! {
    static CURRENT: Layers<Option<&'static dyn Host>> = Layers::new(None)
}

/// The host entered last on this thread, and not left.
#[inline]
pub fn current() -> Option<&'static dyn Host> {
    CURRENT.with(Layers::get)
}

/// Wakes `waker` behind all that is ready: for one who is to try against others, and who loses if it
/// tries at once. Without a host as any other wake.
pub fn wake_behind(waker: Waker) {
    match current() {
        Some(host) => host.wake_behind(waker),
        None => waker.wake(),
    }
}

/// Makes `host` this thread's, until the guard is dropped.
#[must_use = "the host is current until the guard is dropped"]
pub fn enter(host: &'static dyn Host) -> Entered {
    Entered { ticket: CURRENT.with(|layers| layers.enter(Some(host))), _here: PhantomData }
}

/// A host is current on this thread until this is dropped; made by [`enter`].
pub struct Entered {
    ticket: Ticket<Option<&'static dyn Host>>,
    _here: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with(|layers| layers.leave(&self.ticket));
    }
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
