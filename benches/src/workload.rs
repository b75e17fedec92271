//! The workloads: what each one does, what it measures, and which goal goro has there.
//!
//! A workload is one generic function of a [`Rival`], so that all rivals run the same shape with
//! the same counts. It warms up, times itself from inside a task of the rival, and gives a checksum
//! that must be the same for all.
use crate::rival::Rival;
use crate::stats::percentile;

mod echo;
mod fork_join;
mod memory;
mod ping_pong;
mod sleep;
mod spawn;
mod timeout;
mod wake;
mod yields;

use crate::meter::Reading;

/// One workload's entry in the table.
pub struct Workload {
    /// What `--only` calls it.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it measures, the main figure first.
    pub metrics: &'static [Metric],
}

/// One figure of a workload; less is better in all of them.
pub struct Metric {
    /// Its name in the tables.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The most that goro may need, relative to the best rival of the same run.
    pub goal: Option<f64>,
}

const fn gated(name: &'static str, unit: &'static str, goal: f64) -> Metric {
    Metric { name, unit, goal: Some(goal) }
}

const fn shown(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit, goal: None }
}

/// All workloads. The goals are the project's: time relative to the best peer.
pub static ALL: &[Workload] = &[
    Workload {
        name: "spawn_join",
        about: "one task spawns 1000 tiny tasks, then joins them; again and again",
        metrics: &[gated("time", "ns/task", 0.5), shown("cpu", "ns/task")],
    },
    Workload {
        name: "spawn_detached",
        about: "one task spawns 1000 tiny tasks with no handle; the last one wakes it",
        metrics: &[gated("time", "ns/task", 0.4), shown("cpu", "ns/task")],
    },
    Workload {
        name: "chained_spawn",
        about: "a task spawns the next one and ends, 1000 deep; the last one wakes the first",
        metrics: &[gated("time", "ns/task", 0.5), shown("cpu", "ns/task")],
    },
    Workload {
        name: "fork_join",
        about: "fib by recursion: each inner node spawns both its children, then joins them",
        metrics: &[gated("time", "ns/task", 0.4), shown("cpu", "ns/task")],
    },
    Workload {
        name: "yield",
        about: "1000 tasks yield 1000 times each",
        metrics: &[gated("time", "ns/yield", 0.6), shown("cpu", "ns/yield")],
    },
    Workload {
        name: "ping_pong_1",
        about: "one pair of tasks wakes each other in turn",
        metrics: &[gated("time", "ns/round trip", 0.5), shown("cpu", "ns/round trip")],
    },
    Workload {
        name: "ping_pong_1000",
        about: "1000 pairs of tasks wake each other in turn",
        metrics: &[gated("time", "ns/round trip", 0.5), shown("cpu", "ns/round trip")],
    },
    Workload {
        name: "spawn_foreign",
        about: "two threads outside of the runtime spawn tiny tasks with no handle",
        metrics: &[gated("time", "ns/task", 0.6), shown("cpu", "ns/task")],
    },
    Workload {
        name: "wake_foreign",
        about: "a thread outside of an idle runtime wakes a task; until the task runs",
        metrics: &[gated("p50", "us", 0.8), shown("p99", "us"), shown("cpu", "us/wake")],
    },
    Workload {
        name: "timeout_ready",
        about: "a timeout of 10 ms round a future that is ready",
        metrics: &[gated("time", "ns/timeout", 0.5), shown("cpu", "ns/timeout")],
    },
    Workload {
        name: "timeout_receive",
        about: "one pair of tasks wakes each other in turn, a timeout of 1 s round each wait",
        metrics: &[gated("time", "ns/round trip", 0.4), shown("cpu", "ns/round trip")],
    },
    Workload {
        name: "sleep",
        about: "one task sleeps 5 ms after 5 ms; how late it wakes",
        metrics: &[gated("p50", "us late", 0.9), shown("p99", "us late"), shown("cpu", "us/sleep")],
    },
    Workload {
        name: "timer_storm",
        about: "100,000 tasks sleep 10 to 1000 ms once",
        metrics: &[gated("cpu", "ms", 0.3), gated("peak", "MiB", 0.6), shown("time", "ms")],
    },
    Workload {
        name: "echo",
        about: "64 loopback connections echo 64 bytes, client and server on the runtime",
        metrics: &[
            gated("time", "ns/request", 1.0 / 1.3),
            shown("p50", "us"),
            shown("p99", "us"),
            shown("cpu", "ns/request"),
        ],
    },
    Workload {
        name: "parked_memory",
        about: "100,000 detached tasks wait for one event; resident bytes per task",
        metrics: &[gated("memory", "bytes/task", 0.7), shown("cpu", "ns/task")],
    },
];

/// The workload of that name.
pub fn named(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name == name)
}

/// What one run of a workload on one rival gave.
pub struct Sample {
    /// Equal for all rivals, or something was not run.
    pub checksum: u64,
    /// One value for each of the workload's metrics, in their order.
    pub values: Vec<f64>,
}

impl Sample {
    /// Wall and CPU nanoseconds per operation.
    fn per_operation(checksum: u64, operations: usize, reading: Reading) -> Self {
        let per = |nanos: u128| nanos as f64 / operations as f64;
        Self { checksum, values: vec![per(reading.wall.as_nanos()), per(reading.cpu.as_nanos())] }
    }

    /// 50th and 99th percentile of latencies given in nanoseconds, in microseconds, and CPU
    /// microseconds each.
    fn latencies(checksum: u64, mut nanos: Vec<u64>, reading: Reading) -> Self {
        nanos.sort_unstable();
        let micros = |percent| percentile(&nanos, percent) as f64 / 1e3;
        let cpu = reading.cpu.as_nanos() as f64 / 1e3 / nanos.len() as f64;
        Self { checksum, values: vec![micros(50), micros(99), cpu] }
    }
}

/// How large a run is: full, or a tenth of it.
#[derive(Clone, Copy)]
pub struct Scale {
    /// A tenth.
    pub quick: bool,
}

impl Scale {
    /// That count, or a tenth of it.
    pub fn of(self, full: usize) -> usize {
        self.pick(full, full.div_ceil(10))
    }

    /// The first, or the second in a quick run.
    pub fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// Runs the workload on a rival that has been started.
pub fn run<R: Rival>(name: &str, rival: R, scale: Scale) -> Option<Sample> {
    Some(match name {
        "spawn_join" => spawn::join(rival, scale.of(300)),
        "spawn_detached" => spawn::detached(rival, scale.of(300)),
        "chained_spawn" => spawn::chained(rival, scale.of(500)),
        "fork_join" => fork_join::fib(rival, scale.pick(24, 19)),
        "spawn_foreign" => spawn::foreign(rival, scale.of(300_000)),
        "yield" => yields::yields(rival, scale.of(1000)),
        "ping_pong_1" => ping_pong::ping_pong(rival, 1, scale.of(300_000)),
        "ping_pong_1000" => ping_pong::ping_pong(rival, 1000, scale.of(300)),
        "timeout_receive" => ping_pong::with_timeout(rival, scale.of(200_000)),
        "timeout_ready" => timeout::ready_in_time(rival, scale.of(1_000_000)),
        "wake_foreign" => wake::foreign(rival, scale.of(1000)),
        "sleep" => sleep::lateness(rival, scale.of(200)),
        "timer_storm" => sleep::storm(rival, scale.of(100_000)),
        "echo" => echo::echo(rival, 64, scale.of(500)),
        "parked_memory" => memory::parked(rival, scale.of(100_000)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{ALL, Scale, Workload, named, run};
    use crate::rival::{Fixed, Goro, Rival, Tokio};

    /// Every workload of the table, the storm apart, which sleeps for a second.
    fn checksums<R: Rival>() -> Vec<u64> {
        let rival = R::start(2);
        let workloads = ALL.iter().filter(|workload| workload.name != "timer_storm");
        let run = |workload: &Workload| {
            let sample = run(workload.name, rival, Scale { quick: true }).expect("it is known");
            assert_eq!(sample.values.len(), workload.metrics.len(), "{}", workload.name);
            sample.checksum
        };
        workloads.map(run).collect()
    }

    #[test]
    fn every_workload_computes_the_same_on_every_runtime() {
        let goro = checksums::<Goro>();
        assert!(goro.iter().all(|checksum| *checksum > 0), "{goro:?}");
        assert_eq!(goro, checksums::<Tokio>());
        assert_eq!(goro, checksums::<Fixed>());
    }

    #[test]
    fn each_name_finds_its_own_workload() {
        for workload in ALL {
            assert!(std::ptr::eq(named(workload.name).unwrap(), workload));
        }
    }
}
