//! Names that people gave to channels and locks, so that a dump can say "waits: recv on orders".
//!
//! A primitive that was named gets a number for the life of the process. The number goes into the
//! wait note of whoever waits for it; whoever reads the note finds the name here.
//!
//! Invariants:
//! 1. A number is given once, and never 0: that stands for primitives without a name.
//! 2. A name is listed as long as its primitive lives.
//!
//! Left out: primitives without a name. They cost no entry here, and there is nothing to tell.

use core::fmt;
use std::collections::BTreeMap;

use goro_context::cause::Text;
use goro_shim::global::{AtomicU64, Lock, Ordering};

static NAMES: Lock<BTreeMap<u64, Text>> = Lock::new(BTreeMap::new());

/// The name of the primitive with this number, if it has one and is alive.
///
/// The number is [`WaitNote::object`](goro_context::WaitNote).
///
/// ```
/// assert!(goro_sync::names::of(0).is_none());
/// ```
pub fn of(number: u64) -> Option<Text> {
    NAMES.lock().get(&number).cloned()
}

/// A primitive's name; listed until it is dropped.
pub(crate) struct Name {
    text: Text,
    number: u64,
}

impl Name {
    /// Lists a name. Equal names are kept apart by their numbers.
    pub(crate) fn new(text: impl Into<Text>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (text, number) = (text.into(), NEXT.fetch_add(1, Ordering::Relaxed));
        NAMES.lock().insert(number, text.clone());
        Self { text, number }
    }

    pub(crate) fn text(&self) -> Text {
        self.text.clone()
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let listed = NAMES.lock().remove(&self.number);
        // Freed after the lock.
        drop(listed);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_listed_under_its_number_as_long_as_it_lives() {
        let (one, same) = (Name::new("orders"), Name::new(String::from("orders")));
        assert_ne!(one.number(), same.number());
        assert_eq!(of(one.number()).as_deref(), Some("orders"));
        let number = one.number();
        drop(one);
        assert_eq!(of(number), None);
        assert_eq!(of(same.number()).as_deref(), Some("orders"));
        assert_eq!((&*same.text(), format!("{same:?}")), ("orders", "\"orders\"".into()));
    }

    #[test]
    fn nobody_has_the_number_of_the_unnamed() {
        let names: Vec<_> = (0..10).map(|i| Name::new(i.to_string())).collect();
        assert!(names.iter().all(|name| name.number() != 0));
        assert_eq!(of(0), None);
    }
}
