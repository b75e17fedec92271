//! What a task hands on to the tasks it spawns: a persistent list, one word wide at its head.
//!
//! A task's header keeps a [`Head`]; whoever polls the task makes it current for the poll
//! ([`with`]); a spawn clones the current one. Entries are found by their type, the youngest first,
//! so an inner scope covers an outer one's entry.
//!
//! Invariants:
//! 1. Being polled costs a swap of one word, no reference count.
//! 2. A list is never changed, only extended: children keep what they were given.
//! 3. Dropping a list recurses neither over its length nor in this module's thread-local.
//!
//! Left out: a map. Lists have one to five entries; a walk over them is cheaper than a hash.

use core::any::Any;
use core::cell::Cell;
use core::fmt;
use core::mem::ManuallyDrop;

use goro_shim::global::Arc;

/// The head of a list of inherited entries. One word; a clone costs one count unless it is empty.
#[derive(Clone, Default)]
pub struct Head(Option<Arc<Entry>>);

struct Entry {
    value: Box<dyn Any + Send + Sync>,
    next: Head,
}

const _: () = assert!(size_of::<Head>() == size_of::<usize>());

impl Head {
    /// The empty list.
    pub const EMPTY: Self = Self(None);

    /// Whether the list is empty.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// This list with `value` before all others.
    ///
    /// ```
    /// use goro_context::inherit::Head;
    /// let head = Head::EMPTY.push(1_u8).push("text").push(2_u8);
    /// assert_eq!(head.find::<u8>(), Some(2));
    /// assert_eq!(head.find::<&str>(), Some("text"));
    /// assert_eq!(head.find::<u16>(), None);
    /// ```
    #[must_use]
    pub fn push<T: Send + Sync + 'static>(self, value: T) -> Self {
        Self(Some(Arc::new(Entry { value: Box::new(value), next: self })))
    }

    /// Whether both are the same list, and not only alike.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(here), Some(there)) => Arc::ptr_eq(here, there),
            (None, None) => true,
            _ => false,
        }
    }

    /// The youngest entry of this type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        let mut entry = self.0.as_deref();
        while let Some(here) = entry {
            if let Some(value) = here.value.downcast_ref() {
                return Some(value);
            }
            entry = here.next.0.as_deref();
        }
        None
    }

    /// A clone of the youngest entry of this type.
    pub fn find<T: Clone + 'static>(&self) -> Option<T> {
        self.get().cloned()
    }
}

impl Drop for Head {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.unlink();
        }
    }
}

impl Head {
    fn unlink(&mut self) {
        // One entry after the other as long as they are only ours: a long list must not recurse.
        let mut next = self.0.take();
        while let Some(mut entry) = next.and_then(Arc::into_inner) {
            next = entry.next.0.take();
            // Panic: the entry's destructor may; the rest of the list is then dropped by
            // unwinding, through this very function.
        }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = 0;
        let mut entry = self.0.as_deref();
        while let Some(here) = entry {
            entries += 1;
            entry = here.next.0.as_deref();
        }
        write!(f, "Head({entries} entries)")
    }
}

local! {
    /// The current list. Never dropped: [`with`] always takes back what it lent.
    static CURRENT: ManuallyDrop<Cell<Head>> = ManuallyDrop::new(Cell::new(Head::EMPTY))
}

/// Makes `head` the current list while `f` runs; it is back in its place afterwards, also when `f`
/// panics.
#[inline]
pub fn with<R>(head: &mut Head, f: impl FnOnce() -> R) -> R {
    struct PutBack<'a>(&'a mut Head);
    impl PutBack<'_> {
        #[inline]
        fn swap(&mut self) {
            CURRENT.with(|current| *self.0 = current.replace(core::mem::take(self.0)));
        }
    }
    impl Drop for PutBack<'_> {
        #[inline]
        fn drop(&mut self) {
            self.swap();
        }
    }
    let mut put_back = PutBack(head);
    put_back.swap();
    f()
}

/// A clone of the current list, for a task being spawned.
#[inline]
pub fn head() -> Head {
    look(Head::clone)
}

/// A clone of the youngest entry of this type in the current list.
///
/// ```
/// use goro_context::inherit::{self, Head};
/// let mut head = Head::EMPTY.push(7_u8);
/// assert_eq!(inherit::with(&mut head, inherit::find::<u8>), Some(7));
/// assert_eq!(inherit::find::<u8>(), None);
/// ```
pub fn find<T: Clone + 'static>() -> Option<T> {
    let head = head();
    head.find()
}

/// Whether the current list is empty.
#[inline]
pub fn is_empty() -> bool {
    look(Head::is_empty)
}

/// Looks at the current list. `f` sees an empty one if it asks for it itself.
#[inline]
pub fn look<R>(f: impl FnOnce(&Head) -> R) -> R {
    CURRENT.with(|current| {
        let head = current.take();
        let answer = f(&head);
        current.set(head);
        answer
    })
}

#[cfg(all(test, not(loom)))]
mod tests;
