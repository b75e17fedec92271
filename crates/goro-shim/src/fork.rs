//! Noticing that this process is a fork's child, for the price of one load.
//!
//! A child of `fork` has one thread: the workers, the monitor and the reactor's epoll set belong
//! to the parent. Asking for the process id at each push from outside would cost a system call
//! (142 ns); a handler that runs in the child costs nothing until it happens.
#![allow(unsafe_code, reason = "pthread_atfork has no safe wrapper in std or rustix")]

use crate::global::{AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between this process and the one that first called [`watch`].
#[inline]
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Starts watching; later calls do nothing. Elsewhere than on Unix there is no fork to watch.
pub fn watch() {
    #[cfg(unix)]
    {
        use crate::global::OnceLock;
        static WATCHING: OnceLock<()> = OnceLock::new();
        WATCHING.get_or_init(|| {
            // SAFETY: `in_child` is a function of this program that lives as long as it does, and
            // does nothing but one atomic add, which is safe in a fork handler.
            unsafe { pthread_atfork(None, None, Some(in_child)) };
        });
    }
}

#[cfg(unix)]
type Handler = Option<extern "C" fn()>;

#[cfg(unix)]
unsafe extern "C" {
    fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> core::ffi::c_int;
}

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
