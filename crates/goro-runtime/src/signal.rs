//! Signals of the operating system, as streams.
//!
//! ```text
//!  kernel ──▶ the process's handler: a flag for its kind, a byte into a pipe ──▶ whatever handler was there before
//!                                             │
//!                      one thread for the process, started by the first `signal`
//!                                             │ counts at the kind's line, and wakes who waits there
//!                                             ▼
//!                     each `Signal`: how many of its kind it has seen
//! ```
//!
//! So who listens needs no runtime, an idle process has no wake-ups, and handlers that others have
//! installed in the process go on being called.
//!
//! Invariants:
//! 1. A signal that comes after [`signal`] has returned is seen by that [`Signal`], also when nobody is
//!    polling it then: signals are counted, not flagged.
//! 2. Signals of one kind that come before the thread has looked count once: at least one is seen after
//!    the last one came. The kernel merges those that wait to be delivered in the same way.
//! 3. Wakers are woken after the lock is released.
//!
//! Left out: taking a handler away again. What the signal would have done without one was for the process
//! as it was before, and another part of it may have come to rely on the handler. And Windows' console
//! events.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use futures::Stream;
use goro_context::{Op, cancel, note};
use goro_wait::Key;
use std::io;

mod post;

use post::Line;

/// Which signal.
///
/// ```
/// use goro_runtime::signal::SignalKind;
/// assert_eq!(SignalKind::from_raw(2), SignalKind::interrupt());
/// ```
///
/// ```
/// use goro_runtime::signal::SignalKind;
///
/// let kinds = [
///     SignalKind::alarm(),
///     SignalKind::child(),
///     SignalKind::hangup(),
///     SignalKind::pipe(),
///     SignalKind::quit(),
///     SignalKind::terminate(),
///     SignalKind::user_defined1(),
///     SignalKind::user_defined2(),
///     SignalKind::window_change(),
/// ];
/// for kind in kinds {
///     assert_eq!(SignalKind::from_raw(kind.as_raw()), kind);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalKind(i32);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $signal:ident;)*) => {
        #[cfg(unix)]
        impl SignalKind {
            $($(#[$doc])*
            pub const fn $name() -> Self {
                Self(signal_hook::consts::$signal)
            })*
        }
    };
}

kinds! {
    /// `SIGINT`: Ctrl-C.
    interrupt = SIGINT;
    /// `SIGTERM`: what `kill`, and whoever manages services, sends.
    terminate = SIGTERM;
    /// `SIGQUIT`: Ctrl-\.
    quit = SIGQUIT;
    /// `SIGHUP`: the terminal is gone; for services, by custom, "read the configuration again".
    hangup = SIGHUP;
    /// `SIGUSR1`.
    user_defined1 = SIGUSR1;
    /// `SIGUSR2`.
    user_defined2 = SIGUSR2;
    /// `SIGCHLD`: a child process has ended or stopped.
    child = SIGCHLD;
    /// `SIGWINCH`: the terminal has another size.
    window_change = SIGWINCH;
    /// `SIGALRM`.
    alarm = SIGALRM;
    /// `SIGPIPE`: a write to a pipe that nobody reads. Rust's programs ignore it unless it is listened to.
    pipe = SIGPIPE;
}

impl SignalKind {
    /// The signal with this number.
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

/// Listens for signals of this kind from now on, missing none.
///
/// From the first call on, for as long as the process runs, the signal no longer does what it would do
/// by itself, such as ending the process. Handlers that are there already, and those that come later and
/// call on the one before them, are called all the same.
///
/// # Errors
/// `InvalidInput` for signals that no program can listen to (`SIGKILL`, `SIGSTOP`) or go on after
/// (`SIGSEGV`, `SIGFPE`, `SIGILL`), and for numbers of none; when the pipe or the thread was refused, which
/// a later call tries again; `Unsupported` on other systems than Unix.
///
/// # Example
/// ```no_run
/// use goro_runtime::signal::{SignalKind, signal};
/// # async fn read_configuration() {}
/// # async fn example() -> std::io::Result<()> {
/// let mut hangups = signal(SignalKind::hangup())?;
/// loop {
///     read_configuration().await;
///     hangups.recv().await;
/// }
/// # }
/// ```
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    let line = post::line(kind.0)?;
    Ok(Signal { kind, line, seen: line.arrived(), place: None })
}

/// Completes when the process is interrupted (`SIGINT`, Ctrl-C) after the first poll.
///
/// From the first call on, an interrupt no longer ends the process by itself.
///
/// # Errors
/// As for [`signal`]; and [why](goro_context::cancel::cause_of) the code that runs was asked to stop, if it
/// was while this waits.
///
/// # Cancel safety
/// Safe, but an interrupt between two calls is seen by neither: keep a [`Signal`] to miss none.
///
/// # Example
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// goro_runtime::signal::ctrl_c().await?;
/// println!("shutting down");
/// # Ok(()) }
/// ```
pub async fn ctrl_c() -> io::Result<()> {
    #[cfg(unix)]
    let kind = SignalKind::interrupt();
    #[cfg(not(unix))]
    let kind = SignalKind::from_raw(2);
    let mut interrupts = signal(kind)?;
    let mut next = pin!(interrupts.recv());
    poll_fn(|cx| match (next.as_mut().poll(cx), cancel::cause()) {
        (Poll::Pending, Some(cause)) => Poll::Ready(Err(cancel::io_error(cause))),
        (polled, _) => polled.map(Ok),
    })
    .await
}

/// The signals of one kind since it was made; from [`signal`]. As a stream it has no end.
///
/// Each of those who listen sees each signal. Those of one kind that follow each other within
/// microseconds may count once; there is always one to be seen after the last one came.
///
/// ```
/// use goro_runtime::signal::{SignalKind, signal};
///
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// runtime.block_on(async {
///     let mut hangups = signal(SignalKind::hangup()).unwrap();
///     assert_eq!(hangups.kind(), SignalKind::hangup());
///     let polled = std::future::poll_fn(|cx| {
///         std::task::Poll::Ready(hangups.poll_recv(cx).is_ready())
///     });
///     assert!(!polled.await, "none has come");
///     drop(hangups.recv());
/// });
/// ```
pub struct Signal {
    kind: SignalKind,
    line: &'static Line,
    seen: u64,
    place: Option<Key>,
}

impl Signal {
    /// Waits for the next signal. Several that came while nobody looked count one by one.
    ///
    /// # Cancel safety
    /// Safe: a signal is counted as seen only when the future completes.
    pub fn recv(&mut self) -> impl Future<Output = ()> + Send + '_ {
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Polls for the next signal.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.take() {
            return Poll::Ready(());
        }
        // Panic: a waker's clone may; nothing is held and nothing has changed.
        let waker = cx.waker().clone();
        let (place, old) = self.line.wait(self.place, waker);
        self.place = Some(place);
        drop(old);
        // Arrived between the first look and the registration?
        if self.take() {
            return Poll::Ready(());
        }
        note::leave(Op::Signal, 0);
        Poll::Pending
    }

    /// Which signal it listens for.
    pub fn kind(&self) -> SignalKind {
        self.kind
    }

    fn take(&mut self) -> bool {
        let new = self.line.arrived() != self.seen;
        if new {
            self.seen = self.seen.wrapping_add(1);
            self.leave();
        }
        new
    }

    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            drop(self.line.leave(place));
        }
    }
}

impl Stream for Signal {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.poll_recv(cx).map(Some)
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("kind", &self.kind).finish_non_exhaustive()
    }
}
