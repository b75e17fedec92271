//! Values that are one non-null pointer, and can therefore wait in an atomic word.
//!
//! Two crates meet here that must not know each other: goro-task, whose runnable is such a value,
//! and goro-queue, whose slots hold one.
#![allow(unsafe_code, reason = "the contract between goro-task and goro-queue; no code runs here")]

use core::ptr::NonNull;

/// A value that can be turned into one non-null pointer and back.
///
/// # Safety
/// `from_word(into_word(v))` gives `v` back, on any thread if `Self: Send`, and two live values
/// never have the same word. `into_word` gives up the value without dropping it.
pub unsafe trait Word: Sized {
    /// Turns the value into its word; dropping the word would leak the value.
    fn into_word(self) -> NonNull<()>;

    /// Turns a word back into its value.
    ///
    /// # Safety
    /// `word` came from [`into_word`](Word::into_word) of this very type, and no other call has
    /// turned it back since.
    unsafe fn from_word(word: NonNull<()>) -> Self;
}

// SAFETY: a box is one non-null pointer, unique while the box lives; `into_raw` and `from_raw` are
// inverse to each other.
unsafe impl<T> Word for Box<T> {
    fn into_word(self) -> NonNull<()> {
        NonNull::from(Box::leak(self)).cast()
    }

    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: the caller promises that `word` came from `into_word`, hence from a leaked box,
        // and that it is turned back once.
        unsafe { Box::from_raw(word.cast::<T>().as_ptr()) }
    }
}
