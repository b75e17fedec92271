//! An item that is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts how many of it are alive, and panics when dropped if it is told to.
pub(crate) struct Counted(Arc<AtomicUsize>, bool);

impl Counted {
    /// One more.
    pub(crate) fn new(alive: &Arc<AtomicUsize>, panics: bool) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(alive), panics)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
        if self.1 {
            std::panic::resume_unwind(Box::new("an item's drop"));
        }
    }
}
