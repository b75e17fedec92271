//! The ambient cancellation token: whether the current task has been asked to stop.
//!
//! The token itself lives on an upper floor. What stands here is its erased handle, inherited by
//! spawned tasks like every other entry of [`inherit`].
//!
//! Left out: cancelling. Whoever has only the ambient handle may observe, not cancel.

use core::fmt;
use core::task::Waker;

use goro_shim::global::Arc;

use crate::cause::Cause;
use crate::inherit;

/// What an upper floor's cancellation token does for those below it.
pub trait CancelSource: Send + Sync {
    /// Why it was cancelled, if it was. Never goes back to `None`, nor changes.
    fn cause(&self) -> Option<Cause>;

    /// Wakes `waker` once cancelled; at once if it is already. The key is never zero.
    fn register(&self, waker: &Waker) -> u64;

    /// Forgets the waker of this key. Stale keys are ignored.
    fn unregister(&self, key: u64);
}

/// A handle to the token of the task that runs.
#[derive(Clone)]
pub struct Ambient(Arc<dyn CancelSource>);

impl Ambient {
    /// A handle to `source`.
    pub fn new(source: impl CancelSource + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// A handle to a source that is shared already.
    pub fn from_shared(source: Arc<dyn CancelSource>) -> Self {
        Self(source)
    }

    /// Why the token was cancelled, if it was.
    pub fn cause(&self) -> Option<Cause> {
        self.0.cause()
    }

    /// Wakes `waker` once cancelled; see [`CancelSource::register`].
    pub fn register(&self, waker: &Waker) -> u64 {
        self.0.register(waker)
    }

    /// Takes a registration back; see [`CancelSource::unregister`].
    pub fn unregister(&self, key: u64) {
        self.0.unregister(key);
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ambient").field("cause", &self.cause()).finish()
    }
}

/// The token that the current task has inherited, if any.
pub fn current() -> Option<Ambient> {
    inherit::find()
}

/// Errs if the current task's token was cancelled. For loops that have no other leaf to ask.
///
/// # Errors
/// The token's cause.
///
/// ```
/// fn crunch(rounds: u32) -> Result<u32, goro_context::Cause> {
///     for _ in 0..rounds {
///         goro_context::cancel::check()?;
///     }
///     Ok(rounds)
/// }
/// assert_eq!(crunch(3), Ok(3));
/// ```
pub fn check() -> Result<(), Cause> {
    current().and_then(|token| token.cause()).map_or(Ok(()), Err)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::inherit::Head;

    struct Cancelled(Option<Cause>);

    impl CancelSource for Cancelled {
        fn cause(&self) -> Option<Cause> {
            self.0.clone()
        }
        fn register(&self, waker: &Waker) -> u64 {
            waker.wake_by_ref();
            1
        }
        fn unregister(&self, _key: u64) {}
    }

    #[test]
    fn the_innermost_token_is_the_ambient_one() {
        assert!(current().is_none());
        assert_eq!(check(), Ok(()));
        let outer = Head::EMPTY.push(Ambient::new(Cancelled(Some(Cause::Shutdown))));
        let mut inner = outer.clone().push(Ambient::new(Cancelled(None)));
        let mut outer = outer;
        inherit::with(&mut outer, || {
            assert_eq!(check(), Err(Cause::Shutdown));
            inherit::with(&mut inner, || assert_eq!(check(), Ok(())));
            assert_eq!(check(), Err(Cause::Shutdown));
        });
        assert!(current().is_none());
    }
}
