//! CPU quotas: read when a runtime is built, and followed while it runs.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::time::Duration;
use goro_runtime::{Builder, Runtime, block_on};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A made-up system, gone when the test ends.
struct System(PathBuf);

impl System {
    fn new(name: &str, quota: &str) -> Self {
        let root = std::env::temp_dir().join(format!("goro-system-{name}-{}", std::process::id()));
        let _before = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("proc/self")).unwrap();
        fs::create_dir_all(root.join("sys/fs/cgroup/app")).unwrap();
        fs::write(root.join("proc/self/cgroup"), "0::/app\n").unwrap();
        let mount = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        fs::write(root.join("proc/self/mountinfo"), mount).unwrap();
        let system = Self(root);
        system.set(quota);
        system
    }

    /// As the kernel does, the file has one text or the other.
    fn set(&self, quota: &str) {
        let (file, fresh) = (self.0.join("sys/fs/cgroup/app/cpu.max"), self.0.join("fresh"));
        fs::write(&fresh, quota).unwrap();
        fs::rename(fresh, file).unwrap();
    }

    fn builder(&self) -> Builder {
        Builder::new().system_root(&self.0).follow_quota(Duration::from_millis(2))
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn processors() -> usize {
    rustix::thread::sched_getaffinity(None).unwrap().count() as usize
}

/// Keeps a worker awake until the size is so; the monitor looks meanwhile.
fn comes_to_be(runtime: &Runtime, workers: usize) {
    while runtime.handle().workers() != workers {
        block_on(runtime.spawn(async { 1 })).unwrap();
    }
    assert_eq!(block_on(runtime.spawn(async { 2 })).unwrap(), 2);
}

#[test]
fn the_number_of_workers_is_the_quota_rounded_up() {
    for (quota, workers) in [
        ("50000 100000", 1),
        ("100000 100000", 1),
        ("150000 100000", 2.min(processors())),
        ("900000000 100000", processors()),
        ("max 100000", processors()),
        ("nonsense", processors()),
    ] {
        let system = System::new("start", quota);
        let runtime = system.builder().build().unwrap();
        assert_eq!(runtime.handle().workers(), workers, "{quota}");
    }
    let nowhere = Builder::new().system_root("/no/such/folder").build().unwrap();
    assert_eq!(nowhere.handle().workers(), processors());
}

#[test]
fn the_size_follows_the_quota() {
    let system = System::new("follow", "100000 100000");
    let runtime = system.builder().build().unwrap();
    assert_eq!(runtime.handle().workers(), 1);
    for _ in 0..3 {
        system.set("max 100000");
        comes_to_be(&runtime, processors());
        system.set("20000 100000");
        comes_to_be(&runtime, 1);
    }
}

#[test]
fn a_size_that_was_chosen_stays() {
    let system = System::new("chosen", "100000 100000");
    let chosen = system.builder().workers(2).build().unwrap();
    let set = system.builder().build().unwrap();
    set.handle().set_workers(3).unwrap();
    let never = system.builder().follow_quota(Duration::ZERO).build().unwrap();
    let follows = system.builder().build().unwrap();
    system.set("max 100000");
    // When this one has changed, the others would have, too.
    let size = if processors() > 1 { processors() } else { 1 };
    comes_to_be(&follows, size);
    for _ in 0..20 {
        for runtime in [&chosen, &set, &never] {
            block_on(runtime.spawn(async {})).unwrap();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(chosen.handle().workers(), 2);
    assert_eq!(set.handle().workers(), 3);
    assert_eq!(never.handle().workers(), 1);
}

/// Eight tasks inside long polls, until it has been seen how many spares that makes.
fn spares_beside_long_polls(runtime: &Runtime, at_least: u32) -> u32 {
    let over = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let over = over.clone();
            runtime.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            })
        })
        .collect();
    while runtime.metrics().spares_present < at_least {
        std::thread::sleep(Duration::from_millis(1));
    }
    // As many looks of the monitor as would make all of them come.
    std::thread::sleep(Duration::from_millis(40));
    let spares = runtime.metrics().spares_present;
    over.store(true, Ordering::Relaxed);
    tasks.into_iter().for_each(|task| block_on(task).unwrap());
    spares
}

/// More threads would only use the quota up sooner: twice as many as it has processors come, unless these
/// and the worker have all processors busy anyway.
#[test]
fn a_quota_bounds_the_spares() {
    let free = System::new("free", "max 100000").builder().workers(1).build().unwrap();
    assert!(spares_beside_long_polls(&free, 3) >= 3);
    let system = System::new("spares", "100000 100000");
    let runtime = system.builder().build().unwrap();
    if processors() > 3 {
        assert_eq!(spares_beside_long_polls(&runtime, 2), 2);
    } else {
        assert!(spares_beside_long_polls(&runtime, 3) >= 3);
    }
}
