//! Threads: starting, parking, and knowing which one this is.

use core::cell::Cell;
use core::num::NonZeroU64;
#[cfg(not(loom))]
use std::io;

use crate::global::{AtomicU64, Ordering};

#[cfg(loom)]
pub use loom::thread::{Thread, current, park, yield_now};

/// Parks this thread until it is unparked: a model has no clock.
#[cfg(loom)]
pub fn park_timeout(_: core::time::Duration) {
    park();
}
#[cfg(not(loom))]
pub use std::thread::{JoinHandle, Thread, current, panicking, park, park_timeout, yield_now};

/// Declares thread-locals: std's, or loom's when a model runs.
#[cfg(loom)]
pub use loom::thread_local;
#[cfg(not(loom))]
pub use std::thread_local;

/// Starts a named thread.
///
/// # Errors
/// What the operating system said when it refused the thread; nothing was started then.
#[cfg(not(loom))]
#[expect(clippy::disallowed_types, reason = "this is the home of threads")]
pub fn start<T: Send + 'static>(
    name: String,
    stack_size: Option<usize>,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let mut builder = std::thread::Builder::new().name(name);
    if let Some(bytes) = stack_size {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(body)
}

/// How many threads can run at once here: processors allowed by affinity and by the CPU quota.
///
/// # Errors
/// When the platform cannot say.
#[cfg(not(loom))]
#[expect(clippy::disallowed_methods, reason = "this is the home of threads")]
pub fn parallelism() -> io::Result<usize> {
    std::thread::available_parallelism().map(core::num::NonZeroUsize::get)
}

/// Stops this thread for at least `duration`. Never from a task.
#[expect(clippy::disallowed_methods, reason = "this is the home of threads")]
pub fn sleep(duration: core::time::Duration) {
    std::thread::sleep(duration);
}

/// Gives the processor to another thread; the operating system's also under loom.
pub(crate) fn yield_os() {
    std::thread::yield_now();
}

/// Names one thread for the life of the process; never used again after the thread ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(NonZeroU64);

impl Token {
    /// As a number that is never zero, to be kept in an atomic word.
    #[inline]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

/// This thread's token. One thread-local read after the first call.
#[inline]
pub fn token() -> Token {
    TOKEN.with(|cell| match cell.get() {
        Some(token) => token,
        None => first_token(cell),
    })
}

#[cfg(not(loom))]
thread_local! {
    static TOKEN: Cell<Option<Token>> = const { Cell::new(None) };
}
#[cfg(loom)]
loom::thread_local! {
    static TOKEN: Cell<Option<Token>> = Cell::new(None);
}

#[cold]
fn first_token(cell: &Cell<Option<Token>>) -> Token {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let raw = NEXT.fetch_add(1, Ordering::Relaxed);
    let token = Token(NonZeroU64::new(raw).unwrap_or(NonZeroU64::MIN));
    cell.set(Some(token));
    token
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_its_own_token_and_keeps_it() {
        let here = token();
        assert_eq!(here, token());
        let there = start("other".into(), None, token).unwrap().join().unwrap();
        assert_ne!(here, there);
    }
}
