//! Where signals arrive: a line for each kind, and the thread that counts there.
//!
//! Invariants:
//! 1. A line is counted at before those who wait there are woken, so that who finds nothing new after it
//!    has begun to wait is woken by the next one.
//! 2. There is one thread that any signal reaches: of two that are started at a time, the one that came
//!    second ends before a signal is added to it.

use core::task::Waker;
use goro_shim::atomic::Ordering;
#[cfg(unix)]
use goro_shim::global::OnceLock;
use goro_shim::global::{AtomicU64, Lock};
use goro_wait::{Key, WaitList};
#[cfg(unix)]
use signal_hook::iterator::{Handle, Signals};
use std::io;

/// Signals are numbered from one, up to 64 on Linux and 31 elsewhere.
const KINDS: usize = 65;

/// Where signals of one kind arrive.
pub(super) struct Line {
    arrived: AtomicU64,
    waiting: Lock<WaitList<Waker>>,
}

static LINES: [Line; KINDS] =
    [const { Line { arrived: AtomicU64::new(0), waiting: Lock::new(WaitList::new()) } }; KINDS];

impl Line {
    /// How many have come.
    pub(super) fn arrived(&self) -> u64 {
        // Ordering: Acquire pairs with the Release in `announce`: who sees a signal counted sees what came
        // before it.
        self.arrived.load(Ordering::Acquire)
    }

    /// Has `waker` woken by the next one, at `place` if it is there still; with the waker that was there.
    pub(super) fn wait(&self, place: Option<Key>, waker: Waker) -> (Key, Option<Waker>) {
        let mut waiting = self.waiting.lock();
        if let Some(place) = place {
            if let Some(old) = waiting.get_mut(place) {
                return (place, Some(core::mem::replace(old, waker)));
            }
        }
        (waiting.push_back(waker), None)
    }

    /// Has nobody woken at `place`; with the waker that was there.
    pub(super) fn leave(&self, place: Key) -> Option<Waker> {
        self.waiting.lock().remove(place)
    }

    #[cfg(unix)]
    fn announce(&self) {
        // Ordering: Release pairs with the Acquire in `arrived`.
        self.arrived.fetch_add(1, Ordering::Release);
        let mut wakers: Vec<Waker> = self.waiting.lock().drain().collect();
        crate::observe::wake_each(&mut wakers);
    }
}

/// The line of the signal with this number, which is heard from now on.
#[cfg(unix)]
pub(super) fn line(number: i32) -> io::Result<&'static Line> {
    let line = usize::try_from(number).ok().and_then(|number| LINES.get(number));
    let line = line.filter(|_| number > 0 && !signal_hook::consts::FORBIDDEN.contains(&number));
    let Some(line) = line else {
        let why = format!(
            "signal {number} cannot be listened to: there is none, or it cannot be caught, or no program goes on after it"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    };
    let described = |error: io::Error| {
        let why = format!("listening for signal {number} was refused: {error}");
        io::Error::new(error.kind(), why)
    };
    thread().map_err(described)?.add_signal(number).map_err(described)?;
    Ok(line)
}

#[cfg(not(unix))]
pub(super) fn line(_number: i32) -> io::Result<&'static Line> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "signals are heard on Unix only"))
}

/// The way to add signals to what the process's thread hears.
#[cfg(unix)]
fn thread() -> io::Result<&'static Handle> {
    static THREAD: OnceLock<Handle> = OnceLock::new();
    if let Some(handle) = THREAD.get() {
        return Ok(handle);
    }
    let mut signals = Signals::new(core::iter::empty::<i32>())?;
    let handle = signals.handle();
    goro_shim::thread::start("goro-signals".to_owned(), Some(256 * 1024), move || {
        for number in signals.forever() {
            if let Some(line) = usize::try_from(number).ok().and_then(|number| LINES.get(number)) {
                line.announce();
            }
        }
    })?;
    if let Err(second) = THREAD.set(handle) {
        second.close();
    }
    Ok(THREAD.get().expect("set by this thread or another"))
}
