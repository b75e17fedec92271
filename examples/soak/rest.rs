//! A rest between two legs: everything has been joined, so that nothing may be left.

use std::thread;
use std::time::Duration;

use goro::runtime::Runtime;

use crate::ledger::Ledger;
use crate::machine::{Machine, threads};

/// How long one waits for what ends by itself.
///
/// Counted in short sleeps, and not by a clock: a machine that stands still for a minute has used up one of
/// them.
pub struct Patience(u32);

impl Patience {
    const STEP: Duration = Duration::from_millis(2);
    /// Half a minute.
    const STEPS: u32 = 15_000;

    pub fn new() -> Self {
        Self(Self::STEPS)
    }

    /// Waits for a step; false when there is no patience left.
    pub fn waits(&mut self) -> bool {
        if self.0 == 0 {
            return false;
        }
        self.0 -= 1;
        thread::sleep(Self::STEP);
        true
    }

    /// Waits until it is so. Without any patience left: false.
    pub fn until(mut self, mut is_so: impl FnMut() -> bool) -> bool {
        while !is_so() {
            if !self.waits() {
                return false;
            }
        }
        true
    }
}

/// What is left, each with the invariant that says how much there should be: name, found, wanted.
pub type Left = Vec<(&'static str, &'static str, u64, u64)>;

/// Compares with how it was at the first rest.
pub fn left(runtime: &Runtime, ledger: &Ledger, first: &Machine) -> Left {
    let (metrics, machine) = (runtime.metrics(), Machine::read());
    let mut left = vec![
        ("bodies", "futures that were not dropped", ledger.bodies.left(), 0),
        ("registry", "tasks that live", metrics.tasks_live, 0),
        ("registry", "tasks that are listed", metrics.tasks_parked as u64, 0),
        ("registry", "tasks in the shared queue", metrics.injected as u64, 0),
        ("registry", "blocking jobs that wait", metrics.blocking_queued as u64, 0),
        ("threads", "spare workers", u64::from(metrics.spares_present), 0),
        ("threads", "threads", machine.threads, first.threads),
        ("descriptors", "descriptors", machine.descriptors, first.descriptors),
    ];
    left.retain(|(_, _, found, wanted)| found != wanted);
    left
}

/// Waits until nothing is left, and notes what stays.
pub fn rest(runtime: &Runtime, ledger: &Ledger, first: &Machine) {
    if Patience::new().until(|| left(runtime, ledger, first).is_empty()) {
        return;
    }
    eprintln!("soak: threads: {}", threads());
    for (invariant, what, found, wanted) in left(runtime, ledger, first) {
        ledger.equal(invariant, &format!("at rest, {what}"), found, wanted);
    }
}
