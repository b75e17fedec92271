//! A closure that was not taken, given back.

use core::fmt;
use std::io;

use crate::driver::Refusal;
use crate::spawn::THREE_FIXES;

/// A closure that no thread of a blocking pool will run, given back.
///
/// ```
/// use goro_runtime::Builder;
/// use goro_runtime::blocking::Config;
///
/// let disk = Config::new("disk").least(0).most(1).queue(0).waited_for(false);
/// let runtime = Builder::new().workers(1).blocking_pool(disk).build().unwrap();
/// let pool = runtime.handle().blocking_pool("disk").unwrap();
/// assert_eq!((pool.name(), pool.metrics().queued), ("disk", 0));
/// let (go_on, waits) = std::sync::mpsc::channel::<()>();
/// let job = pool.spawn(move || waits.recv().is_err());
/// let refused = pool.try_spawn(|| 7).unwrap_err();
/// assert!(refused.is_full() && !refused.is_shutting_down() && refused.thread_error().is_none());
/// assert_eq!(refused.into_closure()(), 7, "it comes back");
/// drop(go_on);
/// assert!(runtime.block_on(job).unwrap());
/// ```
pub struct Refused<F> {
    closure: F,
    why: Why,
}

#[derive(Debug)]
enum Why {
    NoRuntime,
    Pool(Refusal),
}

impl<F> Refused<F> {
    pub(crate) fn new(closure: F, refusal: Refusal) -> Self {
        Self { closure, why: Why::Pool(refusal) }
    }

    pub(crate) fn without_runtime(closure: F) -> Self {
        Self { closure, why: Why::NoRuntime }
    }

    /// The closure, uncalled.
    pub fn into_closure(self) -> F {
        self.closure
    }

    /// Whether as many jobs wait as may; when one is begun there is room again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.why, Why::Pool(Refusal::Full))
    }

    /// Whether a runtime is entered, but shutting down.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        matches!(self.why, Why::Pool(Refusal::Closed(_)))
    }

    /// What the system said, if it refused the thread.
    #[must_use]
    pub fn thread_error(&self) -> Option<&io::Error> {
        match &self.why {
            Why::Pool(Refusal::NoThread(error)) => Some(error),
            Why::Pool(Refusal::Full | Refusal::Closed(_)) | Why::NoRuntime => None,
        }
    }
}

impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::NoRuntime => {
                write!(f, "a blocking job needs a runtime, and none is entered here: {THREE_FIXES}")
            }
            Why::Pool(Refusal::Full) => f.write_str(
                "as many jobs wait as this pool allows: try again later, or raise its Config::queue \
                 or Config::most",
            ),
            Why::Pool(refusal @ (Refusal::Closed(_) | Refusal::NoThread(_))) => {
                write!(f, "the blocking job was not taken: {refusal}")
            }
        }
    }
}

impl<F> std::error::Error for Refused<F> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.thread_error().map(|error| error as _)
    }
}
