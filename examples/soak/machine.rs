//! What the kernel says this process holds.

use std::fs;

/// Descriptors, threads, memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    pub descriptors: u64,
    pub threads: u64,
    /// Resident memory, in MiB.
    pub memory: f64,
}

impl Machine {
    /// # Panics
    /// Where there is no `/proc`.
    pub fn read() -> Self {
        // The folder that is read is open meanwhile.
        let descriptors = entries("/proc/self/fd") - 1;
        Self { descriptors, threads: entries("/proc/self/task"), memory: resident() }
    }
}

/// What this process's threads are called.
pub fn threads() -> String {
    let tasks = fs::read_dir("/proc/self/task").expect("a Linux system has /proc");
    let names = tasks.flatten().flat_map(|task| fs::read_to_string(task.path().join("comm")));
    names.map(|name| name.trim().to_owned()).collect::<Vec<_>>().join(", ")
}

fn entries(folder: &str) -> u64 {
    fs::read_dir(folder).expect("a Linux system has /proc").map(|_| 1).sum()
}

fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux system has /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.expect("the kernel says how much memory is resident") / 1024.0
}
