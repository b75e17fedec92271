//! A cell that knows how its value is made.

use core::fmt;
use core::future::Future;

use super::OnceCell;

/// A value that is made when somebody asks for it first.
///
/// # Example
/// ```
/// use goro_sync::LazyCell;
///
/// # futures::executor::block_on(async {
/// let table = LazyCell::new(|| async { vec![1, 2, 3] });
/// assert_eq!(table.get().await.len(), 3);
/// # });
/// ```
///
/// ```
/// let answer = goro_sync::LazyCell::new(async || 42);
/// assert_eq!(answer.get_now(), None);
/// assert_eq!(futures::executor::block_on(answer.get()), &42);
/// assert_eq!(answer.get_now(), Some(&42));
/// assert_eq!(answer.into_inner(), Some(42));
/// ```
pub struct LazyCell<T, F> {
    cell: OnceCell<T>,
    init: F,
}

impl<T, F> LazyCell<T, F> {
    constant! {
        /// A cell whose value `init` will make; also in a `static`.
        pub fn new(init: F) -> Self {
            Self { cell: OnceCell::new(), init }
        }
    }

    /// The value, if it has been made.
    pub fn get_now(&self) -> Option<&T> {
        self.cell.get()
    }

    /// The value, if it has been made.
    pub fn into_inner(self) -> Option<T> {
        self.cell.into_inner()
    }

    /// The value; made now if nobody has asked before. If the future that makes it is dropped or
    /// panics, `init` is called again for the next one who waits.
    ///
    /// # Cancel safety
    /// As [`OnceCell::get_or_init`].
    pub async fn get<Fut>(&self) -> &T
    where
        F: Fn() -> Fut,
        Fut: Future<Output = T>,
    {
        self.cell.get_or_init(&self.init).await
    }

    /// The value, of an `init` that can fail; then it is called again for the next one.
    ///
    /// # Errors
    /// That of `init`, for the one that it was called for.
    ///
    /// # Cancel safety
    /// As [`OnceCell::get_or_init`].
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// let port = goro_sync::LazyCell::new(|| async { "80".parse::<u16>() });
    /// assert_eq!(port.try_get().await, Ok(&80));
    /// # });
    /// ```
    pub async fn try_get<Fut, E>(&self) -> Result<&T, E>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.cell.get_or_try_init(&self.init).await
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyCell<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyCell").field(&self.cell.get()).finish()
    }
}
