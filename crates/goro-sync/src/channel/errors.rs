//! What operations on channels answer when they fail: always with the value, if there was one.

use core::error::Error;
use core::fmt;

use goro_context::Cause;

/// Why a channel was closed, if whoever closed it said; or why the code that wanted something of it was
/// asked to stop ([`cancel`](crate::cancel)), to which the channel may be as open as before.
///
/// ```
/// use goro_context::Cause;
/// use goro_sync::channel::bounded;
///
/// let (tx, rx) = bounded::<u8>(1);
/// tx.close_with("out of stock");
/// let reason = rx.blocking_recv().unwrap_err().0;
/// assert!(!reason.is_cancelled(), "the channel was closed, not this call cancelled");
/// assert_eq!(reason.cause(), Some(&Cause::new("out of stock")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason(pub(crate) Option<Box<Why>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Closed(Cause),
    Cancelled(Cause),
}

impl Reason {
    pub(crate) fn cancelled(cause: Cause) -> Self {
        Self(Some(Box::new(Why::Cancelled(cause))))
    }

    /// What was given to `close_with`, or to the token that was cancelled; `None` if the channel was closed
    /// without a cause, or because all senders or all receivers are gone.
    pub fn cause(&self) -> Option<&Cause> {
        match self.0.as_deref()? {
            Why::Closed(cause) | Why::Cancelled(cause) => Some(cause),
        }
    }

    /// Why the code that runs was asked to stop, if that is the reason.
    pub(crate) fn into_cancelled(self) -> Option<Cause> {
        match *self.0? {
            Why::Cancelled(cause) => Some(cause),
            Why::Closed(_) => None,
        }
    }

    /// What an error with this reason comes from. That somebody has closed the channel, for whatever cause,
    /// asks nobody to stop.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.0.as_deref()? {
            Why::Cancelled(cause) => Some(cause),
            Why::Closed(_) => None,
        }
    }

    /// Whether the operation was given up because the code that runs was asked to stop, instead of waiting.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.as_deref(), Some(Why::Cancelled(_)))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None => f.write_str("the channel is closed"),
            Some(Why::Closed(cause)) => write!(f, "the channel is closed: {cause}"),
            Some(Why::Cancelled(cause)) => write!(f, "cancelled: {cause}"),
        }
    }
}

/// Declares an error that holds the value which was not sent.
macro_rules! with_value {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $(($reason:ty))? => $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub enum $name<T> {
            $($(#[$doc])* $variant(T $(, $reason)?),)*
        }

        impl<T> $name<T> {
            /// The value that was not sent.
            pub fn into_inner(self) -> T {
                match self {
                    $(with_value!(@pattern Self::$variant, value $(, $reason)?) => value,)*
                }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let name = match self {
                    $(Self::$variant(..) => concat!(stringify!($name), "::", stringify!($variant)),)*
                };
                write!(f, "{name}(..)")
            }
        }

        impl<T> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(with_value!(@bind Self::$variant, reason $(, $reason)?) =>
                        with_value!(@text f, $text, reason $(, $reason)?),)*
                }
            }
        }

        impl<T> Error for $name<T> {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                match self {
                    $(with_value!(@bind Self::$variant, reason $(, $reason)?) =>
                        with_value!(@source reason $(, $reason)?),)*
                }
            }
        }
    };
    (@pattern $path:path, $value:ident) => { $path($value) };
    (@pattern $path:path, $value:ident, $reason:ty) => { $path($value, _) };
    (@bind $path:path, $bound:ident) => { $path(_) };
    (@bind $path:path, $bound:ident, $reason:ty) => { $path(_, $bound) };
    (@source $bound:ident) => { None };
    (@source $bound:ident, $reason:ty) => { $bound.source() };
    (@text $f:ident, $text:literal, $bound:ident) => { $f.write_str($text) };
    (@text $f:ident, $text:literal, $bound:ident, $reason:ty) => { write!($f, $text, $bound) };
}

with_value! {
    /// Nothing was sent by `send`.
    SendError {
        /// The channel is closed, or all receivers are gone.
        Closed(Reason) => "nothing was sent: {}",
        /// The channel is full, and made to [reject](super::Overflow::Reject) what is too much.
        Full => "nothing was sent: the channel is full",
    }
}

with_value! {
    /// Nothing was sent by `try_send`.
    TrySendError {
        /// The channel is full, or others are waiting to send; at a rendezvous, no receiver waits.
        Full => "nothing was sent: the channel is full",
        /// The channel is closed, or all receivers are gone.
        Closed(Reason) => "nothing was sent: {}",
    }
}

with_value! {
    /// Nothing was sent by `send_timeout` and `send_deadline`.
    SendTimeoutError {
        /// The time was up.
        Timeout => "nothing was sent: the time was up",
        /// The channel is closed, or all receivers are gone.
        Closed(Reason) => "nothing was sent: {}",
        /// The channel is full, and made to [reject](super::Overflow::Reject) what is too much.
        Full => "nothing was sent: the channel is full",
    }
}

with_value! {
    /// Nothing was sent by `force_send`.
    ForceSendError {
        /// The channel is closed, or all receivers are gone.
        Closed(Reason) => "nothing was sent: {}",
        /// A rendezvous has no place for a value that nobody takes.
        Unsupported => "nothing was sent: a channel of capacity 0 keeps nothing",
    }
}

with_value! {
    /// Nothing was sent by a permit: it was revoked.
    PermitError {
        /// The channel is closed, or all receivers are gone.
        Closed(Reason) => "nothing was sent: {}",
        /// At a rendezvous: the receiver that was waiting does not wait any more.
        Gone => "nothing was sent: the receiver does not wait any more",
    }
}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Closed(value, reason) => Self::Closed(value, reason),
            SendError::Full(value) => Self::Full(value),
        }
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        match error {
            SendError::Closed(value, reason) => Self::Closed(value, reason),
            SendError::Full(value) => Self::Full(value),
        }
    }
}

/// Nothing can be reserved: the channel is closed, or the code that runs was asked to stop.
///
/// ```
/// let (tx, rx) = goro_sync::channel::bounded::<u8>(1);
/// rx.close();
/// let closed: goro_sync::channel::Closed = futures::executor::block_on(tx.reserve()).unwrap_err();
/// assert_eq!(closed.0.cause(), None, "for no reason that was told");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed(pub Reason);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Closed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Nothing was received: the channel is closed, and empty, so that nothing ever will be; or the code that
/// runs was asked to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecvError(pub Reason);

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        not_received(&self.0, f)
    }
}

fn not_received(reason: &Reason, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match reason.is_cancelled() {
        false => write!(f, "nothing left to receive: {reason}"),
        true => write!(f, "nothing was received: {reason}"),
    }
}

impl Error for RecvError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Nothing was received by `try_recv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// The channel is empty now.
    Empty,
    /// The channel is closed, and empty.
    Closed(Reason),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing to receive now"),
            Self::Closed(reason) => write!(f, "nothing left to receive: {reason}"),
        }
    }
}

impl Error for TryRecvError {}

/// Nothing was received by `recv_timeout` and `recv_deadline`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time was up.
    Timeout,
    /// See [`RecvError`].
    Closed(Reason),
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("nothing was received: the time was up"),
            Self::Closed(reason) => not_received(reason, f),
        }
    }
}

impl Error for RecvTimeoutError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed(reason) => reason.source(),
            Self::Timeout => None,
        }
    }
}

/// Not all of a batch was sent by `send_many`; the rest, in order.
///
/// ```
/// let (tx, rx) = goro_sync::channel::bounded(8);
/// rx.close();
/// let error = futures::executor::block_on(tx.send_many([1, 2])).unwrap_err();
/// assert_eq!(error.unsent, [1, 2]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendManyError<T> {
    /// What was not sent.
    pub unsent: Vec<T>,
    /// Why, if the channel is closed, or the code that runs was asked to stop; `None` if it is full, and
    /// made to [reject](super::Overflow::Reject) what is too much.
    pub reason: Option<Reason>,
}

impl<T> fmt::Display for SendManyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsent = self.unsent.len();
        match &self.reason {
            Some(reason) => write!(f, "{unsent} values were not sent: {reason}"),
            None => write!(f, "{unsent} values were not sent: the channel is full"),
        }
    }
}

impl<T: fmt::Debug> Error for SendManyError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.reason.as_ref().and_then(Reason::source)
    }
}
