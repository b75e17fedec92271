//! What the reactor says when it will not do as asked.

use std::io;

/// No event will come any more.
pub(crate) fn stopped() -> io::Error {
    io::Error::other(
        "the runtime that drove this I/O source has stopped, so no readiness will ever be \
         reported; open the source in a runtime that outlives it",
    )
}

/// This process is a forked child.
pub(crate) fn forked() -> io::Error {
    io::Error::other(
        "this reactor belongs to the parent of this forked process; build a fresh runtime in the \
         child and open the source there",
    )
}
