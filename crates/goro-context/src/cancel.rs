//! The ambient cancellation token: whether the code that runs has been asked to stop.
//!
//! The token itself lives on an upper floor. What stands here is its erased handle, inherited by
//! spawned tasks like every other entry of [`inherit`].
//!
//! Who learns of it:
//!
//! | who | how |
//! |---|---|
//! | code that asks ([`check`]) | at once |
//! | an operation that would wait, and can answer with an error | instead of waiting |
//! | a task that inherited the token and is parked | it is polled again, once |
//!
//! Invariants:
//! 1. Where nothing is inherited, [`cause`] costs one thread-local read, and nothing is allocated,
//!    counted or locked.
//! 2. A task stands in line at its token once, not at each of its waits: a token that a thousand
//!    tasks have inherited is not a lock that they all go through.
//!
//! Left out: cancelling. Whoever has only the ambient handle may observe, not cancel.

use core::any::Any;
use core::error::Error;
use core::fmt;
use core::task::Waker;
use std::io;

use goro_shim::global::Arc;

use crate::cause::Cause;
use crate::inherit;

/// What an upper floor's cancellation token does for those below it.
pub trait CancelSource: Send + Sync + 'static {
    /// Why it was cancelled, if it was. Never goes back to `None`, nor changes.
    fn cause(&self) -> Option<Cause>;

    /// Wakes a clone of `waker` once cancelled; at once if it is already. The key is never zero.
    fn register(&self, waker: &Waker) -> u64;

    /// Forgets the waker of this key. Stale keys are ignored.
    fn unregister(&self, key: u64);

    /// Whether it stands for somebody who has asked the very task that runs to end. Whoever runs code under a
    /// token of its own does not hide that.
    fn is_ask(&self) -> bool {
        false
    }

    /// The source as itself, for the crate that made it to recognise its own.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// A handle to the token of the code that runs.
#[derive(Clone)]
pub struct Ambient(Arc<dyn CancelSource>);

impl Ambient {
    /// A handle to `source`.
    pub fn new(source: impl CancelSource) -> Self {
        Self(Arc::new(source))
    }

    /// A handle to a source that is shared already.
    pub fn from_shared(source: Arc<dyn CancelSource>) -> Self {
        Self(source)
    }

    /// One that is never cancelled: it covers those that were inherited before it.
    pub fn never() -> Self {
        Self::new(Settled(None))
    }

    /// One that has been cancelled.
    pub fn cancelled(cause: Cause) -> Self {
        Self::new(Settled(Some(cause)))
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

    /// The source, if it is of this type.
    pub fn downcast<S: CancelSource>(&self) -> Option<Arc<S>> {
        Arc::clone(&self.0).into_any().downcast().ok()
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ambient").field("cause", &self.cause()).finish()
    }
}

/// A source of which it is known what becomes of it.
struct Settled(Option<Cause>);

impl CancelSource for Settled {
    fn cause(&self) -> Option<Cause> {
        self.0.clone()
    }

    fn register(&self, waker: &Waker) -> u64 {
        if self.0.is_some() {
            waker.wake_by_ref();
        }
        1
    }

    fn unregister(&self, _key: u64) {}

    fn is_ask(&self) -> bool {
        self.0.is_some()
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The token that the code which runs has inherited, if any.
pub fn current() -> Option<Ambient> {
    inherit::find()
}

/// Why the code that runs was asked to stop, if it was. For leaf operations that would wait.
#[inline]
pub fn cause() -> Option<Cause> {
    if inherit::is_empty() { None } else { inherited_cause() }
}

#[cold]
fn inherited_cause() -> Option<Cause> {
    inherit::look(|head| head.get::<Ambient>().and_then(Ambient::cause))
}

/// Why the task that runs was asked to end, by its handle or its runtime, unless it was shielded from that. For
/// whoever covers what was inherited with another token.
#[inline]
pub fn asked() -> Option<Cause> {
    if inherit::is_empty() { None } else { inherited_ask() }
}

#[cold]
fn inherited_ask() -> Option<Cause> {
    let ask = |ambient: &Ambient| if ambient.0.is_ask() { ambient.cause() } else { None };
    inherit::look(|head| head.get::<Ambient>().and_then(ask))
}

/// Errs if the code that runs was asked to stop. For loops that have no other leaf to ask.
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
#[inline]
pub fn check() -> Result<(), Cause> {
    cause().map_or(Ok(()), Err)
}

/// The error of an operation on a socket that would have waited, and was given up for `cause`.
///
/// Its kind is [`Other`](io::ErrorKind::Other), whatever the cause: code repeats what was interrupted,
/// connects again after what was reset or timed out, and accepts again after what was aborted. Here it is to
/// stop.
pub fn io_error(cause: Cause) -> io::Error {
    io::Error::other(GivenUp(cause))
}

/// Why the code that ran was asked to stop, if that is what `error` comes from: itself, or one of those that it
/// was made of. All errors of operations that were given up have it as their source.
///
/// ```
/// use goro_context::{Cause, cancel};
/// let given_up = cancel::io_error(Cause::Shutdown);
/// assert_eq!(given_up.to_string(), "cancelled: the runtime is shutting down");
/// assert_eq!(cancel::cause_of(&given_up), Some(&Cause::Shutdown));
/// assert_eq!(cancel::cause_of(&std::io::Error::other("broken")), None);
/// ```
pub fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Cause> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(cause) = error.downcast_ref() {
            return Some(cause);
        }
        next = match error.downcast_ref::<io::Error>() {
            // Its `source` is that of what it was made of, which would be passed over.
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// What an `io::Error` is made of where an operation was given up.
#[derive(Debug)]
struct GivenUp(Cause);

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.0)
    }
}

impl Error for GivenUp {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::inherit::Head;

    /// As errors of others are made of ours.
    #[derive(Debug)]
    struct Around(io::Error);

    impl fmt::Display for Around {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("around")
        }
    }

    impl Error for Around {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    /// As errors of others share ours.
    #[derive(Debug)]
    struct Sharing(Arc<io::Error>);

    impl fmt::Display for Sharing {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("sharing")
        }
    }

    impl Error for Sharing {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_cause_is_found_however_deep_it_lies() {
        let cause = Cause::new("enough");
        let deep = Around(io::Error::other(Around(io_error(cause.clone()))));
        assert_eq!(cause_of(&deep), Some(&cause));
        let shared = Sharing(Arc::new(io_error(cause.clone())));
        assert_eq!(cause_of(&shared), Some(&cause));
        let boxed: Box<dyn Error> = Box::new(Box::new(io_error(cause.clone())));
        assert_eq!(cause_of(&*boxed), Some(&cause));
        assert_eq!(cause_of(&cause), Some(&cause));
        assert_eq!(cause_of(&io::Error::other(cause.clone())), Some(&cause));
        assert_eq!(cause_of(&io::Error::from(io::ErrorKind::TimedOut)), None);
        assert_eq!(cause_of(&io::Error::from_raw_os_error(4)), None);
    }

    /// A kind for which code tries again would have it go on for ever.
    #[test]
    fn nobody_takes_it_for_an_error_after_which_to_try_again() {
        let causes = [Cause::Deadline, Cause::Shutdown, Cause::Aborted, Cause::new("enough")];
        assert!(causes.map(io_error).iter().all(|error| error.kind() == io::ErrorKind::Other));
    }

    #[test]
    fn the_innermost_token_is_the_ambient_one() {
        assert!(current().is_none());
        assert_eq!(check(), Ok(()));
        let outer = Head::EMPTY.push(Ambient::cancelled(Cause::Shutdown));
        let mut inner = outer.clone().push(Ambient::never());
        let mut outer = outer;
        inherit::with(&mut outer, || {
            assert_eq!(check(), Err(Cause::Shutdown));
            assert_eq!(asked(), Some(Cause::Shutdown));
            inherit::with(&mut inner, || {
                assert_eq!(check(), Ok(()));
                assert_eq!(asked(), None);
                assert!(!inherit::is_empty());
            });
            assert_eq!(check(), Err(Cause::Shutdown));
        });
        assert!(current().is_none());
    }

    #[test]
    fn other_entries_ask_nobody_to_stop() {
        let mut head = Head::EMPTY.push(7_u8);
        inherit::with(&mut head, || assert_eq!(cause(), None));
    }

    #[test]
    fn a_source_is_known_by_its_type() {
        struct Other;
        impl CancelSource for Other {
            fn cause(&self) -> Option<Cause> {
                None
            }
            fn register(&self, _waker: &Waker) -> u64 {
                1
            }
            fn unregister(&self, _key: u64) {}
            fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
                self
            }
        }
        assert!(Ambient::new(Other).downcast::<Other>().is_some());
        assert!(Ambient::never().downcast::<Other>().is_none());
    }
}
