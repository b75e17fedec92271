//! A value that is made once, by a future; and one that knows how.
//!
//! Whoever holds the one permit of the cell may make the value. It is given back when the future that
//! does is dropped, panics or fails, so that the next one in line makes it; and closed when the value
//! is there, so that nobody waits for it any more.
//!
//! Invariants:
//! 1. The value is set by whoever holds the permit, before the permits are closed.
//! 2. Closed permits mean that the value is there.

use core::fmt;
use core::future::Future;

use goro_context::Op;
use goro_shim::global::OnceLock;

use crate::permits::{Manner, Permits, Refusal};

mod lazy;

pub use lazy::LazyCell;

/// How the value is waited for.
struct Making;

impl Manner for Making {
    const OP: Op = Op::Once;
    const FAIR: bool = false;
}

/// A cell that is filled once, by the first of many futures that comes to an end.
///
/// # Example
/// ```
/// use goro_sync::OnceCell;
///
/// # futures::executor::block_on(async {
/// static LIMIT: OnceCell<u32> = OnceCell::new();
/// assert_eq!(*LIMIT.get_or_init(|| async { 7 }).await, 7);
/// assert_eq!(*LIMIT.get_or_init(|| async { unreachable!() }).await, 7);
/// # });
/// ```
///
/// ```
/// use goro_sync::OnceCell;
///
/// let mut cell = OnceCell::new();
/// let failed = futures::executor::block_on(cell.get_or_try_init(async || Err("not now")));
/// assert_eq!(failed, Err("not now"));
/// cell.set(1).unwrap();
/// *cell.get_mut().unwrap() += 1;
/// assert_eq!(cell.get(), Some(&2));
/// assert_eq!(cell.take(), Some(2));
/// assert_eq!(cell.into_inner(), None);
/// ```
pub struct OnceCell<T> {
    value: OnceLock<T>,
    permits: Permits,
}

/// Why a value was not set; it is given back.
///
/// ```
/// use goro_sync::OnceCell;
///
/// let mut cell = OnceCell::new();
/// assert!(cell.get().is_none());
/// cell.set(1).unwrap();
/// assert_eq!(cell.set(2).unwrap_err().into_inner(), 2, "it comes back");
/// *cell.get_mut().unwrap() += 1;
/// assert_eq!((cell.take(), cell.get()), (Some(2), None));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SetError<T> {
    /// The cell has one.
    Set(T),
    /// Somebody is making one.
    Making(T),
}

impl<T> SetError<T> {
    /// The value that was not set.
    pub fn into_inner(self) -> T {
        match self {
            Self::Set(value) | Self::Making(value) => value,
        }
    }
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set(..)",
            Self::Making(_) => "Making(..)",
        })
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "the cell has a value",
            Self::Making(_) => "the cell's value is being made",
        })
    }
}

impl<T> core::error::Error for SetError<T> {}

impl<T> OnceCell<T> {
    constant! {
        /// An empty cell; also in a `static`.
        pub fn new() -> Self {
            Self { value: OnceLock::new(), permits: Permits::new(1) }
        }
    }

    /// The value, if it is there.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it is there.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// The value; the first one who asks has it made.
    ///
    /// If the future that makes it is dropped or panics, the next one who waits has it made, with its
    /// own `init`. `init` must not wait for the same cell.
    ///
    /// # Cancel safety
    /// Safe for the cell: others carry on. What `init` did is as safe as that.
    pub async fn get_or_init<F, Fut>(&self, init: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let made: Result<&T, Never> = self.get_or_try_init(|| async { Ok(init().await) }).await;
        match made {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// The value; the first one who asks has it made, and the next one if that fails.
    ///
    /// # Errors
    /// That of `init`, for whoever's it was; others go on.
    ///
    /// # Cancel safety
    /// As [`get_or_init`](Self::get_or_init).
    pub async fn get_or_try_init<F, Fut, E>(&self, init: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        // Given back when this future is dropped, or panics, or returns an error.
        let may = self.permits.acquire::<Making, 1>(1).await;
        if may.is_ok() && self.get().is_none() {
            self.fill(init().await?);
        }
        Ok(self.get().expect("permits are closed when the value is there"))
    }

    /// Puts a value in.
    ///
    /// # Errors
    /// The value back, if there is one, or one is being made.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let may = self.permits.try_take::<1>(1);
        match may {
            Ok(_) if self.get().is_none() => self.fill(value),
            Ok(_) | Err(Refusal::Closed) => return Err(SetError::Set(value)),
            Err(Refusal::TooFew) => return Err(SetError::Making(value)),
        }
        Ok(())
    }

    /// By whoever holds the permit, and has found no value.
    fn fill(&self, value: T) {
        // Nobody else may have set one meanwhile; if so, that one stays.
        let _unused = self.value.set(value);
        self.permits.close();
    }

    /// Takes the value out: the cell is empty again.
    pub fn take(&mut self) -> Option<T> {
        core::mem::take(self).into_inner()
    }

    /// The value, if it is there.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

/// An error that does not happen.
enum Never {}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    /// A cell that has its value.
    fn from(value: T) -> Self {
        let cell = Self::new();
        cell.fill(value);
        cell
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnceCell").field(&self.get()).finish()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
