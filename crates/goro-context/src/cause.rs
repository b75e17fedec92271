//! Why something was cancelled, refused or ended: carried by tokens, join errors, closed channels.
//!
//! Invariants:
//! 1. A clone never allocates: a cause goes to every child of a token.
//! 2. `Display` is a phrase that completes "cancelled: ...", without a full stop.

use core::any::Any;
use core::fmt;
use core::ops::Deref;

use goro_shim::global::Arc;

/// Why something was cancelled, refused or ended.
///
/// ```
/// use goro_context::Cause;
/// assert_eq!(Cause::Shutdown.to_string(), "the runtime is shutting down");
/// assert_eq!(Cause::new("leader lost").to_string(), "leader lost");
/// assert_eq!(Cause::new("a".to_string() + "b"), Cause::new("ab"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Somebody asked, giving no reason.
    Cancelled,
    /// The time allowed was up.
    Deadline,
    /// The runtime, or the group, finishes what it has and takes nothing else.
    Draining,
    /// The runtime stops.
    Shutdown,
    /// The task was aborted through its handle.
    Aborted,
    /// What was asked for could not be started.
    Refused,
    /// A limit was reached: as many are there already as may be.
    Limit,
    /// Something panicked; its message.
    Panicked(Text),
    /// In the words of whoever cancelled.
    Message(Text),
}

impl Cause {
    /// A cause in your own words.
    pub fn new(text: impl Into<Text>) -> Self {
        Self::Message(text.into())
    }

    /// The cause that a panic is, with its message if the payload is a string.
    ///
    /// ```
    /// use goro_context::Cause;
    /// let payload = std::panic::catch_unwind(|| panic!("no {}", "luck")).unwrap_err();
    /// assert_eq!(Cause::panicked(&*payload).to_string(), "panicked: no luck");
    /// ```
    pub fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = if let Some(text) = payload.downcast_ref::<&'static str>() {
            Text::from(*text)
        } else if let Some(text) = payload.downcast_ref::<String>() {
            Text::from(text.clone())
        } else {
            Text::from("a value that is not text")
        };
        Self::Panicked(text)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Cancelled => f.write_str("cancelled on request"),
            Cause::Deadline => f.write_str("the deadline has passed"),
            Cause::Draining => {
                f.write_str("draining: what was begun is finished, nothing else is taken")
            }
            Cause::Shutdown => f.write_str("the runtime is shutting down"),
            Cause::Aborted => f.write_str("aborted through its handle"),
            Cause::Refused => f.write_str("could not be started"),
            Cause::Limit => f.write_str("as many are there already as the limit allows"),
            Cause::Panicked(text) => write!(f, "panicked: {text}"),
            Cause::Message(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for Cause {}

impl From<&'static str> for Cause {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Cause {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// A text that is cheap to clone: static, or shared.
#[derive(Clone)]
pub struct Text(Words);

#[derive(Clone)]
enum Words {
    Static(&'static str),
    Shared(Arc<String>),
}

// Every cancellation token has room for a cause.
const _: () = assert!(cfg!(not(target_pointer_width = "64")) || size_of::<Cause>() <= 24);

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        match &self.0 {
            Words::Static(text) => text,
            Words::Shared(text) => text,
        }
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Words::Static(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Words::Shared(Arc::new(text)))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl core::hash::Hash for Text {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn equality_and_hash_look_at_the_words_not_at_where_they_are_kept() {
        use core::hash::{BuildHasher, BuildHasherDefault};
        use std::collections::hash_map::DefaultHasher;
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let (fixed, shared) = (Cause::new("same"), Cause::new(String::from("same")));
        assert_eq!(fixed, shared);
        assert_eq!(hasher.hash_one(&fixed), hasher.hash_one(&shared));
        assert_ne!(fixed, Cause::new("other"));
        assert_ne!(fixed, Cause::Panicked("same".into()));
    }

    #[test]
    fn a_clone_shares_the_words() {
        let cause = Cause::new(String::from("shared"));
        let (Cause::Message(a), Cause::Message(b)) = (&cause, &cause.clone()) else {
            panic!("a message stays a message");
        };
        assert!(core::ptr::eq::<str>(&**a, &**b));
    }

    #[test]
    fn a_panic_with_a_strange_payload_has_a_text_all_the_same() {
        let strange: Box<dyn Any + Send> = Box::new(7_u8);
        assert_eq!(Cause::panicked(&*strange).to_string(), "panicked: a value that is not text");
        let fixed: Box<dyn Any + Send> = Box::new("fixed");
        assert_eq!(Cause::panicked(&*fixed), Cause::Panicked("fixed".into()));
    }

    #[test]
    fn every_cause_has_its_own_phrase() {
        let causes = [
            Cause::Cancelled,
            Cause::Deadline,
            Cause::Draining,
            Cause::Shutdown,
            Cause::Aborted,
            Cause::Refused,
            Cause::Limit,
            Cause::Panicked("x".into()),
            Cause::new("y"),
        ];
        let mut phrases: Vec<_> = causes.iter().map(ToString::to_string).collect();
        phrases.sort();
        phrases.dedup();
        assert_eq!(phrases.len(), causes.len());
    }
}
