//! Calling code of the user's that may panic where the rest must carry on: wakers, destructors.
//!
//! Invariants:
//! 1. No panic leaves [`quietly`], neither the code's nor that of its payload's destructor.
//! 2. What panicked has been reported already: the panic hook ran when it began.

use core::mem::ManuallyDrop;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `f`, and says whether it came back without a panic.
///
/// ```
/// use goro_context::contain::quietly;
/// # std::panic::set_hook(Box::new(|_| {}));
/// assert!(quietly(|| ()));
/// assert!(!quietly(|| panic!("in a waker")));
/// ```
pub fn quietly(f: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(()) => true,
        Err(payload) => {
            discard(payload);
            false
        }
    }
}

/// Drops a panic's payload, whose destructor may panic as well.
#[cold]
pub fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(move || drop(payload))) {
        // A payload whose destructor panics with such a payload again: leaked rather than chased.
        let _leaked = ManuallyDrop::new(another);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::panic::panic_any;

    struct PanicsOnDrop(u32);

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic_any(PanicsOnDrop(self.0 - 1));
            }
        }
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained_too() {
        for depth in 0..4 {
            assert!(!quietly(|| panic_any(PanicsOnDrop(depth))));
        }
    }
}
