//! The table of the workloads: what each one does, how large it is, what it measures, its gates and
//! goals. One file for each group of rows.
//!
//! The order is that of a run. The first metric is the main one; less is better in all of them.
use super::{Among, Gate, Metric, Size, Workload};

mod channels;
mod ends;
mod locks;
mod memory;
mod sockets;
mod stalls;
mod talk;
mod tasks;
mod time;

pub use channels::BATCHES;

/// Rows that belong together: a table and a plot of their own.
pub struct Group {
    /// What files and regions are called after it.
    pub name: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// Its rows, in lists.
    rows: &'static [&'static [Workload]],
}

impl Group {
    /// Its rows.
    pub fn rows(&self) -> impl Iterator<Item = &'static Workload> {
        self.rows.iter().copied().flatten()
    }
}

const fn group(
    name: &'static str,
    title: &'static str,
    rows: &'static [&'static [Workload]],
) -> Group {
    Group { name, title, rows }
}

/// All groups, in the order of a run.
pub static GROUPS: &[Group] = &[
    group("tasks", "Spawning, yielding, waking", &[tasks::ROWS]),
    group("talk", "Requests, select, pipelines, broadcasts", &[talk::ROWS]),
    group("locks", "Locks, permits, notifications", &[locks::ROWS]),
    group("time", "Timeouts and sleeps", &[time::ROWS]),
    group("sockets", "Sockets", &[sockets::ROWS]),
    group("memory", "Tasks that wait", &[memory::ROWS]),
    group("stalls", "Beside long polls", &[stalls::ROWS]),
    group("ends", "Tokens, and the end of a runtime", &[ends::ROWS]),
    group("channels", "Channels", &[channels::ROWS, &[BATCHES]]),
];

const fn row(
    name: &'static str,
    about: &'static str,
    size: Size,
    metrics: &'static [Metric],
) -> Workload {
    Workload { name, about, size, among: Among::Runtimes, without: &[], metrics }
}

impl Workload {
    const fn without(mut self, rivals: &'static [&'static str]) -> Self {
        self.without = rivals;
        self
    }
}

const fn metric(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit, gates: &[], goal: None }
}

impl Metric {
    const fn gates(mut self, gates: &'static [Gate]) -> Self {
        self.gates = gates;
        self
    }

    const fn goal(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }
}

const fn tenth(full: usize) -> Size {
    Size { full, quick: full.div_ceil(10) }
}

const fn sizes(full: usize, quick: usize) -> Size {
    Size { full, quick }
}

const EIGHT_TENTHS: &[Gate] = &[Gate::OfBest(0.8)];
const AS_THE_BEST: &[Gate] = &[Gate::OfBest(1.0)];
const EIGHT_TENTHS_OF_TOKIO: &[Gate] = &[Gate::Of("tokio", 0.8)];

/// A static executor is never dropped, and the whole of a Go program is its runtime.
const NO_END: &[&str] = &["static", "go"];

/// tokio's are those of tokio-util; the others have none, and a Go context is for one process.
const NO_TOKENS: &[&str] = &["smol", "static", "go"];

/// Go's locks cannot be compared with std's in one process, nor are they counted in bytes.
const GO_ALONE: &[&str] = &["go"];
