//! Facts about the machine and the programs, without which a figure means nothing.
use std::fs;
use std::thread;

use serde_json::{Map, Value};

use crate::rival::go;

/// The packages whose versions matter, as the lock file of the build has them.
const PACKAGES: &[&str] = &["tokio", "smol", "async-executor", "async-io", "async-net", "mio"];
const LOCK_FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));

/// Name and value of each fact; Go's version if it is among the rivals.
pub fn facts(rivals: &[&str]) -> Vec<(&'static str, String)> {
    let system = rustix::system::uname();
    let kernel = format!("{} {}", text(system.sysname()), text(system.release()));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let mut versions: Vec<_> = PACKAGES.iter().filter_map(|name| version(name)).collect();
    if rivals.contains(&go::GO) {
        versions.push(format!("go {}", go::VERSION));
    }
    let build = if cfg!(debug_assertions) { "DEBUG: figures mean nothing" } else { "release" };
    vec![
        ("processor", format!("{cores} x {}", processor())),
        ("kernel", kernel),
        ("memory", line("/proc/meminfo", "MemTotal:")),
        ("governor", read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        ("load at start", load().map_or("unknown".into(), |load| format!("{load}"))),
        ("compiler", env!("GORO_BENCH_RUSTC").into()),
        ("build", build.into()),
        ("rivals", versions.join(", ")),
    ]
}

/// The facts as a JSON object.
pub fn json(rivals: &[&str]) -> Map<String, Value> {
    facts(rivals).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The load average of the last minute.
pub fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Bytes that programs could still take.
pub fn free_memory() -> Option<u64> {
    let text = line("/proc/meminfo", "MemAvailable:");
    text.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

fn version(name: &str) -> Option<String> {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let versions = LOCK_FILE.split(&entry).skip(1).filter_map(|rest| rest.split('"').next());
    versions.last().map(|version| format!("{name} {version}"))
}

fn processor() -> String {
    let name = line("/proc/cpuinfo", "model name");
    name.trim_start_matches([':', ' ', '\t']).to_owned()
}

fn line(file: &str, start: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let found = text.lines().find_map(|line| line.strip_prefix(start));
    found.map_or_else(|| "unknown".into(), |rest| rest.trim().to_owned())
}

fn read(file: &str) -> String {
    fs::read_to_string(file).map_or_else(|_| "unknown".into(), |text| text.trim().to_owned())
}

fn text(bytes: &std::ffi::CStr) -> String {
    bytes.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn some_memory_is_free() {
        assert!(super::free_memory().unwrap() > 1 << 20);
    }

    #[test]
    fn the_lock_file_names_the_rivals() {
        assert!(super::version("tokio").unwrap().starts_with("tokio 1."));
        assert_eq!(super::version("no-such-package"), None);
    }
}
