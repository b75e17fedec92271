//! What happened in a run, to be compared byte by byte.

use core::fmt;
use goro_context::Kind;
use goro_runtime::driver::scripted::Event;
use goro_shim::time::Duration;

/// What happened in a run, step by step; its text is the same for the same seed.
///
/// ```
/// use goro_sim::Sim;
/// let run = || Sim::new(3).workers(2).trace(goro_runtime::task::yield_now()).1.to_string();
/// assert_eq!(run(), run());
/// ```
///
/// ```
/// let (_, log) = goro_sim::Sim::new(3).trace(async {});
/// assert_eq!((log.len(), log.is_empty()), (log.to_string().lines().count(), log.len() == 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// Since the run began.
    at: Duration,
    event: Event,
    /// The task that was run: its number in this run, and its kind.
    task: Option<(u32, Kind)>,
}

impl Log {
    pub(crate) fn push(&mut self, at: Duration, event: Event, task: Option<(u32, Kind)>) {
        self.entries.push(Entry { at, event, task });
    }

    /// How many things happened.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12}.{:09} ", self.at.as_secs(), self.at.subsec_nanos())?;
        match self.event {
            Event::Ran(worker) => write!(f, "worker {worker} runs")?,
            Event::Slept(worker) => write!(f, "worker {worker} sleeps")?,
            Event::Woke(worker) => write!(f, "worker {worker} rises")?,
            Event::Left(worker) => write!(f, "spare {worker} leaves")?,
            Event::Closed(worker) => write!(f, "worker {worker} closes down")?,
            Event::Job => f.write_str("a blocking job runs")?,
            Event::Tick => f.write_str("the monitor looks")?,
            Event::Outsider(_) => f.write_str("main is polled")?,
            Event::Resumed => f.write_str("a block_on goes on")?,
            Event::Jumped(by) => write!(f, "the clock moves by {by:?}")?,
            other => write!(f, "{other:?}")?,
        }
        match self.task {
            Some((number, kind)) => write!(f, " task #{number} {kind}"),
            None => Ok(()),
        }
    }
}
