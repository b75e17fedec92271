//! What a timed section costs this process: wall clock, CPU of all threads, resident memory.
use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A started measurement.
#[derive(Clone, Copy)]
pub struct Meter {
    wall: Instant,
    cpu: Duration,
}

/// What a section took.
#[derive(Clone, Copy)]
pub struct Reading {
    /// Time that went by.
    pub wall: Duration,
    /// CPU time of all of the process's threads, in user space and in the kernel.
    pub cpu: Duration,
}

impl Meter {
    /// Starts.
    pub fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    /// What it took since the start.
    pub fn stop(self) -> Reading {
        let wall = self.wall.elapsed();
        Reading { wall, cpu: cpu().saturating_sub(self.cpu) }
    }
}

fn cpu() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(spent.tv_sec).expect("CPU time is not negative");
    Duration::from_secs(seconds) + Duration::from_nanos(spent.tv_nsec.unsigned_abs())
}

/// Bytes of this process in memory right now. `smaps_rollup`, since `status` counts in batches.
pub fn resident() -> u64 {
    field("/proc/self/smaps_rollup", "Rss:")
}

/// The most bytes this process ever had in memory, or had since [`forget_peak`].
pub fn peak() -> u64 {
    field("/proc/self/status", "VmHWM:")
}

/// Starts the peak afresh.
pub fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").expect("the kernel lets a process reset its peak");
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).expect("procfs is mounted");
    let line = text.lines().find(|line| line.starts_with(name)).expect("the kernel prints it");
    let kibibytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    kibibytes.expect("a number") * 1024
}
