//! Accepting when the process, or the machine, has run out of descriptors or memory.
//!
//! The kernel keeps the connection and reports readiness at once again: a loop that takes the error
//! for the caller's would spin a whole core on it. Here nobody of a listener tries again until a
//! pause is over; pauses double from [`SHORTEST`] to [`LONGEST`], and start over after a success.
//!
//! Invariant: the pause is the listener's, not the waiting task's. However many tasks accept, and
//! however often they give up and start again, tries that fail come no faster.

use core::task::{Context, Poll, ready};
use std::io;

use goro_context::time::{Deadline, Duration, Instant, later, now};
use goro_shim::lock::Lock;

const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Strain(Lock<Pause>);

#[derive(Debug)]
struct Pause {
    /// Nobody tries before this.
    until: Option<Instant>,
    /// How long the next pause will be.
    next: Duration,
    /// How many tries have failed.
    failures: u64,
}

impl Strain {
    pub(super) fn new() -> Self {
        Self(Lock::new(Pause { until: None, next: SHORTEST, failures: 0 }))
    }

    /// Waits for the end of the pause, if there is one.
    pub(super) fn poll_over(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Option<Deadline>,
    ) -> Poll<()> {
        loop {
            let Some(until) = self.0.lock().until else { return Poll::Ready(()) };
            let deadline = waiting.get_or_insert_with(|| Deadline::at(until));
            if deadline.deadline() != until {
                deadline.reset(until);
            }
            ready!(deadline.poll(cx));
            *waiting = None;
            // Of those whose pause has ended together one may have tried, failed, and begun
            // another.
            let mut pause = self.0.lock();
            if pause.until == Some(until) {
                pause.until = None;
                return Poll::Ready(());
            }
        }
    }

    /// What a try has come to: the caller's answer, or `None` if it should be repeated, be it after
    /// a pause.
    pub(super) fn settle<T>(&self, tried: io::Result<T>) -> Option<io::Result<T>> {
        match tried {
            Ok(accepted) => {
                self.eased();
                Some(Ok(accepted))
            }
            Err(e) => match meaning(&e) {
                Meaning::Lost => None,
                Meaning::Strained => {
                    self.failed();
                    None
                }
                Meaning::Broken => Some(Err(e)),
            },
        }
    }

    /// A try has failed for want of resources. The connection, if any, still waits to be accepted.
    fn failed(&self) {
        let now = now();
        let mut pause = self.0.lock();
        pause.failures += 1;
        // Several may have tried at once; theirs is one failure.
        if pause.until.is_none_or(|until| until <= now) {
            pause.until = Some(later(now, pause.next));
            pause.next = (pause.next * 2).min(LONGEST);
        }
    }

    /// A try has succeeded.
    fn eased(&self) {
        let mut pause = self.0.lock();
        pause.until = None;
        pause.next = SHORTEST;
    }

    pub(super) fn failures(&self) -> u64 {
        self.0.lock().failures
    }
}

/// What an error of accepting means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// One connection was lost before it was accepted; the next may be fine.
    Lost,
    /// Descriptors or memory have run out.
    Strained,
    /// The listener itself is in error: the caller's to know.
    Broken,
}

/// What `error`, which the kernel gave for an accept, means.
#[cfg(unix)]
fn meaning(error: &io::Error) -> Meaning {
    use rustix::io::Errno;
    let Some(number) = error.raw_os_error() else { return Meaning::Broken };
    match Errno::from_raw_os_error(number) {
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM => Meaning::Strained,
        // Linux hands a new connection's own error to its accept (accept(2), "Error handling");
        // a firewall that forbids it gives EPERM.
        Errno::CONNABORTED
        | Errno::CONNRESET
        | Errno::NETDOWN
        | Errno::PROTO
        | Errno::NOPROTOOPT
        | Errno::HOSTDOWN
        | Errno::HOSTUNREACH
        | Errno::NETUNREACH
        | Errno::TIMEDOUT
        | Errno::PERM => Meaning::Lost,
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Errno::NONET => Meaning::Lost,
        _ => Meaning::Broken,
    }
}

/// What `error`, which the kernel gave for an accept, means.
#[cfg(not(unix))]
fn meaning(error: &io::Error) -> Meaning {
    const WSAEMFILE: i32 = 10_024;
    const WSAENOBUFS: i32 = 10_055;
    match (error.raw_os_error(), error.kind()) {
        (Some(WSAEMFILE | WSAENOBUFS), _) => Meaning::Strained,
        (_, io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => Meaning::Lost,
        _ => Meaning::Broken,
    }
}

#[cfg(all(test, unix))]
mod tests;
