//! Ctrl-C, as a future.
//!
//! One thread for the process, started at the first call, sleeps in a read on a pipe that the
//! signal handler writes to; it wakes whoever waits. So a waiter needs no runtime, and an idle
//! process has no wake-ups. Other handlers in the process go on being called.
//!
//! Invariants:
//! 1. A signal that comes after [`interrupts`] has returned is seen by that [`Interrupts`], also
//!    when nobody is polling it then: signals are counted, not flagged.
//! 2. Wakers are woken after the lock is released.
//!
//! Left out: other signals, and Windows' console events.

use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker};
use goro_context::{Op, note};
use goro_shim::atomic::Ordering;
use goro_shim::global::{AtomicU64, Lock, OnceLock};
use goro_wait::{Key, WaitList};
use std::io;

struct Line {
    arrived: AtomicU64,
    waiting: Lock<WaitList<Waker>>,
}

static LINE: OnceLock<Result<Line, String>> = OnceLock::new();

fn line() -> io::Result<&'static Line> {
    let line = LINE
        .get_or_init(|| listen().map_err(|error| format!("listening for Ctrl-C failed: {error}")));
    line.as_ref().map_err(|text| io::Error::other(text.as_str()))
}

/// Completes when the process is interrupted (`SIGINT`, Ctrl-C) after the first poll.
///
/// From the first call on, an interrupt no longer ends the process by itself.
///
/// # Errors
/// When the handler, its pipe or its thread could not be set up; on other systems than Unix,
/// `Unsupported`.
///
/// # Cancel safety
/// Safe, but an interrupt between two calls is seen by neither: use [`interrupts`] to miss none.
///
/// # Example
/// ```no_run
/// # async fn serve() {}
/// # async fn example() -> std::io::Result<()> {
/// goro_runtime::signal::ctrl_c().await?;
/// println!("shutting down");
/// # Ok(()) }
/// ```
pub async fn ctrl_c() -> io::Result<()> {
    interrupts()?.recv().await;
    Ok(())
}

/// Listens for interrupts from now on, missing none.
///
/// # Errors
/// As for [`ctrl_c`].
pub fn interrupts() -> io::Result<Interrupts> {
    let line = line()?;
    // Ordering: Acquire pairs with the Release in `announce`.
    Ok(Interrupts { line, seen: line.arrived.load(Ordering::Acquire), place: None })
}

/// The interrupts since it was made; from [`interrupts`].
pub struct Interrupts {
    line: &'static Line,
    seen: u64,
    place: Option<Key>,
}

impl Interrupts {
    /// Waits for the next interrupt. Several that arrive while nobody looks count one by one.
    ///
    /// # Cancel safety
    /// Safe: an interrupt is counted as seen only when the future completes.
    pub fn recv(&mut self) -> impl Future<Output = ()> + Send + '_ {
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Polls for the next interrupt.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.take() {
            return Poll::Ready(());
        }
        // Panic: a waker's clone may; nothing is held and nothing has changed.
        let waker = cx.waker().clone();
        let old = {
            let mut waiting = self.line.waiting.lock();
            match self.place.and_then(|place| waiting.get_mut(place)) {
                Some(old) => Some(core::mem::replace(old, waker)),
                None => {
                    self.place = Some(waiting.push_back(waker));
                    None
                }
            }
        };
        drop(old);
        // Arrived between the first look and the registration?
        if self.take() {
            return Poll::Ready(());
        }
        note::leave(Op::Signal, 0);
        Poll::Pending
    }

    fn take(&mut self) -> bool {
        // Ordering: Acquire pairs with the Release in `announce`.
        let new = self.line.arrived.load(Ordering::Acquire) != self.seen;
        if new {
            self.seen = self.seen.wrapping_add(1);
            self.leave();
        }
        new
    }

    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            let waker = self.line.waiting.lock().remove(place);
            drop(waker);
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.leave();
    }
}

impl core::fmt::Debug for Interrupts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Interrupts").field("seen", &self.seen).finish_non_exhaustive()
    }
}

#[cfg(unix)]
fn announce(line: &Line) {
    // Ordering: Release pairs with the Acquire in `take`.
    line.arrived.fetch_add(1, Ordering::Release);
    let mut wakers: Vec<Waker> = line.waiting.lock().drain().collect();
    crate::observe::wake_each(&mut wakers);
}

#[cfg(unix)]
fn listen() -> io::Result<Line> {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    let (mut read, write) = UnixStream::pair()?;
    let line = Line { arrived: AtomicU64::new(0), waiting: Lock::new(WaitList::new()) };
    goro_shim::thread::start("goro-signals".to_owned(), Some(256 * 1024), move || {
        let mut bytes = [0_u8; 64];
        loop {
            match read.read(&mut bytes) {
                Ok(0) => return,
                // The handler writes one byte for each signal.
                Ok(signals) => {
                    if let Some(Ok(line)) = LINE.get() {
                        (0..signals).for_each(|_| announce(line));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    })?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGINT, write)?;
    Ok(line)
}

#[cfg(not(unix))]
fn listen() -> io::Result<Line> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "interrupts are heard on Unix only"))
}
