//! Signals that end a program: the first drains, the second forces, the third ends the process.
//!
//! They are acted on by the process's thread for signals, as wakers that it wakes: also when every worker is
//! inside a poll. Who listens does so for as long as the process runs, since the third one has to work then.
//!
//! Invariant: each signal is acted on once, by one thread at a time; one that comes during that is seen by it.

use core::task::{Context, Waker};
use goro_context::contain;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicU32, Ordering};
use goro_shim::global::Weak;
use goro_shim::lock::Lock;
use std::io;
use std::task::Wake;

use super::handle::ShutdownHandle;
use super::phase::{Phase, Turns};
use super::unit::Unit;
use crate::signal::{Signal, SignalKind, signal};

/// Somebody who is called for each signal of a kind.
struct Ear {
    turns: Turns,
    /// Taken while it is looked at.
    signal: Lock<Option<Signal>>,
    act: Box<dyn Fn() + Send + Sync>,
}

impl Ear {
    /// Has `act` called for each signal from now on.
    fn open(kind: SignalKind, act: impl Fn() + Send + Sync + 'static) -> io::Result<()> {
        let signal = Lock::new(Some(signal(kind)?));
        let ear = Arc::new(Self { turns: Turns::new(), signal, act: Box::new(act) });
        ear.hear();
        Ok(())
    }

    fn hear(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        self.turns.take(|| {
            let signal = self.signal.lock().take();
            let Some(mut signal) = signal else { return };
            while signal.poll_recv(&mut Context::from_waker(&waker)).is_ready() {
                // Panic: whoever wants to be called may; the next signal is for him again.
                contain::quietly(&self.act);
            }
            *self.signal.lock() = Some(signal);
        });
    }
}

impl Wake for Ear {
    fn wake(self: Arc<Self>) {
        self.hear();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.hear();
    }
}

/// How often the process was told to end, and by what it can be told. It outlives what ends: one more signal
/// then ends the process.
#[derive(Debug, Default)]
pub(super) struct Told {
    times: AtomicU32,
    /// A bit for each signal that is listened to.
    heard: AtomicU32,
}

impl Told {
    fn again(&self, unit: &Weak<Unit>, name: &'static str, number: i32) {
        let before = self.times.fetch_add(1, Ordering::Relaxed);
        let unit = unit.upgrade().filter(|unit| unit.phase() < Phase::Stopped);
        match (before, unit) {
            (0, Some(unit)) => {
                unit.initiate(name.into());
            }
            (1, Some(unit)) => unit.force(name.into()),
            // What a shell expects of a program that a signal has ended.
            _ => std::process::exit(128 + number),
        }
    }
}

impl ShutdownHandle {
    /// Listens for `SIGINT` and `SIGTERM` for as long as the process runs. The first one, of either,
    /// [initiates](Self::initiate) the end, the second [forces](Self::force) it, and the third ends the process
    /// with 128 plus its number, as does one that comes when all has stopped.
    ///
    /// Calling it again changes nothing, but for signals that it could not listen to before.
    ///
    /// # Errors
    /// As for [`signal::signal`](crate::signal::signal); on other systems than Unix, `Unsupported`.
    ///
    /// ```no_run
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// let shutdown = runtime.handle().shutdown();
    /// shutdown.listen_signals().expect("the system lets a program hear signals");
    /// println!("{}", runtime.block_on(shutdown.wait()));
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn listen_signals(&self) -> io::Result<()> {
        for (name, number) in [("SIGINT", 2), ("SIGTERM", 15)] {
            let (bit, told) = (1 << number, Arc::clone(&self.unit.told));
            // Ordering: whose turn it is to ask, and nothing else, here and below.
            if told.heard.fetch_or(bit, Ordering::Relaxed) & bit != 0 {
                continue;
            }
            let unit = Arc::downgrade(&self.unit);
            let act = move || told.again(&unit, name, number);
            if let Err(error) = Ear::open(SignalKind::from_raw(number), act) {
                self.unit.told.heard.fetch_and(!bit, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Has `hook` called for each `SIGQUIT` (Ctrl-\) from now on, for as long as the process runs: to write
    /// down what it is doing. The signal no longer ends the process.
    ///
    /// It is called on the process's thread for signals, and must not block: while it runs nobody else hears
    /// any.
    ///
    /// # Errors
    /// As for [`signal::signal`](crate::signal::signal).
    pub fn on_quit(&self, hook: impl Fn() + Send + Sync + 'static) -> io::Result<()> {
        Ear::open(SignalKind::from_raw(3), hook)
    }
}
