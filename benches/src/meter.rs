//! What a timed section costs this process: wall clock, CPU of all threads, resident memory.
use std::fs;
use std::path::Path;
use std::process;
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

/// What threads have done so far.
#[derive(Clone, Copy, Default)]
pub struct Activity {
    /// How often they were taken off a processor, because they waited or because others ran.
    pub switches: u64,
    /// Time on a processor.
    pub cpu: Duration,
}

/// What all of this process's threads but the main one have done.
pub fn activity_of_others() -> Activity {
    let main = process::id().to_string();
    let threads = fs::read_dir("/proc/self/task").expect("procfs is mounted");
    let mut sum = Activity::default();
    for thread in threads {
        let thread = thread.expect("procfs can be read");
        if *thread.file_name() != *main {
            // A thread may have ended since the folder was read; then it did nothing more.
            let Activity { switches, cpu } = activity(&thread.path()).unwrap_or_default();
            sum = Activity { switches: sum.switches + switches, cpu: sum.cpu + cpu };
        }
    }
    sum
}

fn activity(thread: &Path) -> Option<Activity> {
    let status = fs::read_to_string(thread.join("status")).ok()?;
    let lines = status.lines().filter_map(|line| line.split_once("voluntary_ctxt_switches:"));
    let switches = lines.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum();
    let schedule = fs::read_to_string(thread.join("schedstat")).ok()?;
    let nanos = schedule.split_whitespace().next()?.parse().ok()?;
    Some(Activity { switches, cpu: Duration::from_nanos(nanos) })
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).expect("procfs is mounted");
    let line = text.lines().find(|line| line.starts_with(name)).expect("the kernel prints it");
    let kibibytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    kibibytes.expect("a number") * 1024
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::activity_of_others;

    #[test]
    fn what_another_thread_does_is_seen() {
        const WAKES: u64 = 20;
        let (wake, woken) = mpsc::channel();
        let (done, seen) = mpsc::channel();
        thread::spawn(move || {
            for () in woken {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(1) {}
                done.send(()).unwrap();
            }
        });
        let before = activity_of_others();
        for _ in 0..WAKES {
            wake.send(()).unwrap();
            seen.recv().unwrap();
            thread::sleep(Duration::from_millis(1));
        }
        let after = activity_of_others();
        assert!(after.switches - before.switches >= WAKES / 2);
        assert!(after.cpu > before.cpu);
    }
}
