//! The clock. The only home of `Instant::now`.

pub use std::time::{Duration, Instant};

/// The monotonic clock's reading (`CLOCK_MONOTONIC` on Linux: it stands still during suspend).
#[inline]
#[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
pub fn now() -> Instant {
    Instant::now()
}
