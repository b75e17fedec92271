//! A [`OnceLock`] whose reads ThreadSanitizer can order: for builds with `--cfg goro_tsan` only.
//!
//! std's own says that its value is there by a store in code that was compiled without the sanitizer, so that
//! whoever reads the value seems to race with whoever made it. Here whoever made it says so once more, with an
//! instrumented store, and nobody gets the value before that.
//!
//! Left out: what no goro crate uses of std's.

use std::sync::atomic::{AtomicBool, Ordering};

/// As [`std::sync::OnceLock`].
#[derive(Debug)]
pub struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    said: AtomicBool,
}

impl<T> OnceLock<T> {
    /// Without a value.
    pub const fn new() -> Self {
        Self { value: std::sync::OnceLock::new(), said: AtomicBool::new(false) }
    }

    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        // Ordering: Acquire; partner: the store in `say`.
        if self.said.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    /// The value, made first if there is none.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let mut made = false;
        let value = self.value.get_or_init(|| {
            made = true;
            make()
        });
        self.say(made);
        value
    }

    /// Makes this the value.
    ///
    /// # Errors
    /// What was given, if there is a value.
    pub fn set(&self, value: T) -> Result<(), T> {
        let set = self.value.set(value);
        self.say(set.is_ok());
        set
    }

    /// The value, if there is one.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// The value, if there is one; then there is none.
    pub fn take(&mut self) -> Option<T> {
        *self.said.get_mut() = false;
        self.value.take()
    }

    /// The value, if there is one.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Says that there is a value, or waits until whoever made it has said so.
    fn say(&self, made: bool) {
        if made {
            // Ordering: Release; partner: the loads here and in `get`.
            self.said.store(true, Ordering::Release);
        }
        // Ordering: Acquire; partner: the store above.
        while !self.said.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}
