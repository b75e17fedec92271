//! Why a task gave no value: [`JoinError`].
//!
//! Invariants:
//! 1. Whatever the payload of a panic is, reading its text touches strings only, so an error may be
//!    shared between threads although payloads need only be `Send`.
//! 2. Formatting works for every error and runs no code of the payload's.
#![allow(unsafe_code, reason = "a payload is shared by its text only")]

use core::any::Any;
use core::fmt;

use goro_context::{Cause, Kind, TaskId, contain};

/// What stands in the stage of a task that has ended. The rare failure is boxed, so that the stage of a
/// small future is not as large as a failure.
pub(crate) type Outcome<T> = Result<T, Box<Failure>>;

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Failure {
    Cancelled(Cause),
    Panicked(Payload),
}

/// The error of a task that gave no value: it was cancelled, or it panicked.
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let (runnable, handle) = goro_task::spawn(async { 1 }, home, goro_task::Meta::OTHER);
/// handle.abort();
/// let _ = runnable.run(home);
/// let error = home.block_on(handle).unwrap_err();
/// assert!(error.is_cancelled());
/// ```
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// use goro_task::Meta;
///
/// let (runnable, handle) = goro_task::spawn(std::future::pending::<()>(), home, Meta::OTHER);
/// let (id, kind) = (handle.id(), handle.kind());
/// handle.abort_with("enough".into());
/// let _ = runnable.run(home);
/// let error = home.block_on(handle).unwrap_err();
/// assert_eq!((error.id(), error.kind(), error.cause()), (id, kind, Some(&"enough".into())));
/// assert!(error.try_into_panic().is_err(), "it did not panic");
///
/// let panics = async { std::panic::resume_unwind(Box::new(7)) };
/// let (runnable, handle) = goro_task::spawn::<_, _>(panics, home, Meta::OTHER);
/// let _ = runnable.run(home);
/// let outcome: Result<(), _> = home.block_on(handle);
/// let error = outcome.unwrap_err();
/// assert!(error.is_panic());
/// assert_eq!(error.into_panic().downcast_ref(), Some(&7));
/// ```
pub struct JoinError {
    id: TaskId,
    kind: Kind,
    failure: Box<Failure>,
}

impl JoinError {
    pub(crate) fn new(id: TaskId, kind: Kind, failure: Box<Failure>) -> Self {
        Self { id, kind, failure }
    }

    /// Whether the task was cancelled: aborted, or dropped with its runtime.
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.failure, Failure::Cancelled(_))
    }

    /// Whether the task panicked, in a poll or in the destructor of its future.
    pub fn is_panic(&self) -> bool {
        matches!(*self.failure, Failure::Panicked(_))
    }

    /// Why the task was cancelled; `None` if it panicked.
    pub fn cause(&self) -> Option<&Cause> {
        match &*self.failure {
            Failure::Cancelled(cause) => Some(cause),
            Failure::Panicked(_) => None,
        }
    }

    /// The payload of the panic, to be looked at or resumed.
    ///
    /// # Panics
    /// If the task was cancelled; [`try_into_panic`](Self::try_into_panic) gives the error back.
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!("{error}: it has no panic payload; ask `is_panic` first"),
        }
    }

    /// The payload of the panic, to be looked at or resumed.
    ///
    /// # Errors
    /// This error, if the task was cancelled.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match *self.failure {
            Failure::Panicked(payload) => Ok(payload.0),
            failure @ Failure::Cancelled(_) => Err(Self { failure: Box::new(failure), ..self }),
        }
    }

    /// The id of the task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The kind the task belongs to.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} ({}) ", self.id, self.kind.name())?;
        match &*self.failure {
            Failure::Cancelled(cause) => write!(f, "was cancelled: {cause}"),
            Failure::Panicked(payload) => match payload.text() {
                Some(text) => write!(f, "panicked: {text}"),
                None => f.write_str("panicked"),
            },
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinError")
            .field("id", &self.id)
            .field("kind", &self.kind.name())
            .field("failure", &self.failure)
            .finish()
    }
}

impl std::error::Error for JoinError {}

/// What a panic carried.
pub(crate) struct Payload(pub(crate) Box<dyn Any + Send>);

// SAFETY: a shared `Payload` gives nothing but `text`, which looks at the payload's type and, when
// that is one of two string types, at the string; both are `Sync`. Names no type parameter.
unsafe impl Sync for Payload {}

impl Payload {
    /// The message, if the panic had one.
    fn text(&self) -> Option<&str> {
        match self.0.downcast_ref::<&'static str>() {
            Some(text) => Some(text),
            None => self.0.downcast_ref::<String>().map(String::as_str),
        }
    }

    /// Drops the payload; what panics there is contained.
    pub(crate) fn discard(self) {
        contain::discard(self.0);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panicked").field(&self.text()).finish()
    }
}
