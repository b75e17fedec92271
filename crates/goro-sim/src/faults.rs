//! What goes wrong in a run that would go well.

use goro_shim::time::Duration;

/// What goes wrong, each in one of so many times, drawn from the seed; 0 is never.
///
/// What goes wrong for a reason (partitions, resets, a reader that does not read) is the test's own
/// to do: see [`net`](crate::net).
///
/// ```
/// use goro_sim::{Faults, Sim};
/// use std::time::Duration;
/// let faults = Faults::none().refused_jobs(3).slow_jobs(Duration::from_secs(1));
/// let job = Sim::new(5).faults(faults).run(async {
///     goro_runtime::spawn_blocking(|| 7).await
/// });
/// match job.unwrap() {
///     Ok(seven) => assert_eq!(seven, 7),
///     Err(refused) => assert!(refused.is_cancelled()),
/// }
/// ```
///
/// ```
/// use goro_sim::{Faults, Sim};
/// use std::time::Duration;
///
/// let bearable = Faults::bearable().yields(4).in_vain(4);
/// assert_eq!(Sim::new(1).faults(bearable).run(async { 1 }).unwrap(), 1);
/// let hard = Faults::none()
///     .refused_threads(1_000)
///     .clock_jumps(100, Duration::from_secs(1))
///     .strained_accepts(10)
///     .failed_connects(10)
///     .failed_transfers(10);
/// let _failed_or_not = Sim::new(1).faults(hard).run(async { 1 });
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "faults do nothing until a simulation has them"]
pub struct Faults {
    pub(crate) refused_threads: u32,
    pub(crate) refused_jobs: u32,
    pub(crate) slow_jobs: Duration,
    pub(crate) clock_jumps: (u32, Duration),
    pub(crate) yields: u32,
    pub(crate) accepts: u32,
    pub(crate) transfers: u32,
    pub(crate) connects: u32,
    pub(crate) in_vain: u32,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// A bit of everything that a program has to live with: operations yield, tries are in vain,
    /// accepting runs out of descriptors, blocking jobs take up to 50 ms, the clock jumps by up to
    /// 100 ms. No error reaches the program for it.
    pub fn bearable() -> Self {
        let jump = Duration::from_millis(100);
        let jobs = Duration::from_millis(50);
        Self::none().yields(8).in_vain(8).strained_accepts(4).slow_jobs(jobs).clock_jumps(500, jump)
    }

    /// A thread is refused when the runtime starts: the run ends with
    /// [`Failure::Build`](crate::Failure::Build).
    pub fn refused_threads(mut self, once_in: u32) -> Self {
        self.refused_threads = once_in;
        self
    }

    /// A blocking job finds no thread: its handle resolves to a cancellation.
    pub fn refused_jobs(mut self, once_in: u32) -> Self {
        self.refused_jobs = once_in;
        self
    }

    /// A blocking job waits for any time below `longest` (at most 4 s) before it runs.
    pub fn slow_jobs(mut self, longest: Duration) -> Self {
        self.slow_jobs = longest;
        self
    }

    /// After one in so many steps the clock jumps by any time below `longest` (at most 4 s), as when
    /// the machine was suspended.
    pub fn clock_jumps(mut self, once_in: u32, longest: Duration) -> Self {
        self.clock_jumps = (once_in, longest);
        self
    }

    /// An operation of a task yields although it could be done.
    pub fn yields(mut self, once_in: u32) -> Self {
        self.yields = once_in;
        self
    }

    /// Accepting a connection fails for want of descriptors (`EMFILE`). The connection waits on, and
    /// the listener tries again after a pause.
    pub fn strained_accepts(mut self, once_in: u32) -> Self {
        self.accepts = once_in;
        self
    }

    /// Connecting fails: refused, or the other end is not to be reached.
    pub fn failed_connects(mut self, once_in: u32) -> Self {
        self.connects = once_in;
        self
    }

    /// A read or write fails, with an error drawn from those that end a connection, and the other end
    /// is reset.
    pub fn failed_transfers(mut self, once_in: u32) -> Self {
        self.transfers = once_in;
        self
    }

    /// A read or write that could be done finds that it has to be tried again: a socket that was said
    /// to be ready is not, as after an interruption or a wake-up meant for another.
    pub fn in_vain(mut self, once_in: u32) -> Self {
        self.in_vain = once_in;
        self
    }
}
