//! How late everybody else is while some polls go on for long.
use super::{Among, Gate, Metric, Workload, metric, row, sizes, tenth};

pub(super) static ROWS: &[Workload] = &[
    stall(
        "stall_1",
        "100 tasks sleep 1 ms at a time and a connection echoes, beside 1 poll of 50 ms",
        SHOWN,
    ),
    stall("stall_2", "the same beside 2 polls of 50 ms, one after another", HELD),
    stall("stall_4", "the same beside 4", HELD),
    stall("stall_8", "the same beside 8", HELD),
    stall("stall_80", "the same beside 80, more than goro has spares", SHOWN),
    stall("stall_asleep_1", "the same beside 1 poll that sleeps in the kernel for 100 ms", SHOWN),
    stall("stall_asleep_4", "the same beside 4", SHOWN),
    row(
        "stall_woken",
        "a task wakes another one, and then sleeps in the kernel for 20 ms inside its poll",
        tenth(50),
        &[metric("p99", "us late").gates(&[Gate::AtMost(2000.0)]), metric("max", "us late")],
    ),
];

const fn stall(name: &'static str, about: &'static str, metrics: &'static [Metric]) -> Workload {
    let (size, among) = (sizes(1000, 300), Among::Runtimes);
    Workload { name, about, size, among, without: &[], metrics }
}

/// Tenths of every rival's, where there are as many long polls as workers or more.
const HELD: &[Metric] = &[
    metric("p99", "us late").gates(&[Gate::OfBest(0.1)]),
    metric("max", "us late"),
    metric("echo p99", "us"),
    metric("echo max", "us"),
];

/// With a worker left, nobody need be late; and with more long polls than there can be spares,
/// everybody is.
const SHOWN: &[Metric] = &[
    metric("p99", "us late"),
    metric("max", "us late"),
    metric("echo p99", "us"),
    metric("echo max", "us"),
];
