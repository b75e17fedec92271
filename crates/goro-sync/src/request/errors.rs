//! Why a call has no answer.

use core::error::Error;
use core::fmt;

use goro_context::Cause;

/// Why [`call`](super::Client::call) has no answer.
///
/// ```
/// let (client, server) = goro_sync::request::channel::<_, u8>(1);
/// drop(server);
/// let error = client.blocking_call("why", goro_context::time::now()).unwrap_err();
/// assert_eq!(error.into_question(), Some("why"), "it comes back");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum CallError<Q> {
    /// All servers are gone, and none has taken the question, which comes back.
    Closed(Q),
    /// At the deadline there was no place for the question, which comes back.
    NotTaken(Q),
    /// At the deadline there was no answer. The question was passed on; whoever answers it is told
    /// that nobody waits any more.
    Timeout,
    /// The question was passed on, and whoever had it has dropped its [`Reply`](super::Reply).
    NoReply,
    /// It would have waited, and the code that runs was asked to stop ([`cancel`](crate::cancel)). The
    /// question comes back, unless it was passed on.
    Cancelled(Option<Q>, Cause),
}

/// The caller has given up; the answer comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Unwanted<A>(pub A);

impl<Q> CallError<Q> {
    /// The question, if nobody can have seen it.
    pub fn into_question(self) -> Option<Q> {
        match self {
            Self::Closed(question) | Self::NotTaken(question) => Some(question),
            Self::Cancelled(question, _) => question,
            Self::Timeout | Self::NoReply => None,
        }
    }
}

impl<Q> fmt::Debug for CallError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::NotTaken(_) => "NotTaken(..)",
            Self::Timeout => "Timeout",
            Self::NoReply => "NoReply",
            Self::Cancelled(..) => "Cancelled(..)",
        })
    }
}

impl<Q> fmt::Display for CallError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("nobody answers questions any more"),
            Self::NotTaken(_) => f.write_str("nobody took the question in time"),
            Self::Timeout => f.write_str("nobody answered in time"),
            Self::NoReply => f.write_str("the question was dropped without an answer"),
            Self::Cancelled(_, cause) => write!(f, "no answer was waited for: cancelled: {cause}"),
        }
    }
}

impl<A> fmt::Debug for Unwanted<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unwanted").finish_non_exhaustive()
    }
}

impl<A> fmt::Display for Unwanted<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody waits for the answer any more")
    }
}

impl<Q> Error for CallError<Q> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cancelled(_, cause) => Some(cause),
            _ => None,
        }
    }
}
impl<A> Error for Unwanted<A> {}
