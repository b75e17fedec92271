//! What ends: tokens, tasks, runtimes.
use super::*;

pub(super) static ROWS: &[Workload] = &[
    row(
        "cancel_tree",
        "a million tokens, ten below each, are made, cancelled by the root, and dropped",
        tenth(1_000_000),
        &[
            metric("time", "ns/token").gates(EIGHT_TENTHS_OF_TOKIO),
            metric("memory", "bytes/token").gates(EIGHT_TENTHS_OF_TOKIO),
            metric("make", "ns/token"),
            metric("cancel", "ns/token"),
            metric("drop", "ns/token"),
        ],
    )
    .without(NO_TOKENS),
    row(
        "cancel_tasks",
        "100,000 tasks wait for such tokens; from the root's cancellation to each one's end",
        tenth(100_000),
        &[
            metric("longest", "us").gates(&[Gate::Of("tokio", 1.0)]),
            metric("p50", "us"),
            metric("p90", "us"),
            metric("p99", "us"),
            metric("cpu", "ns/task"),
        ],
    )
    .without(NO_TOKENS),
    row(
        "runtime_cycle",
        "a runtime is built, runs one task, and is dropped; again and again",
        tenth(500),
        &[metric("time", "ns/runtime"), metric("cpu", "ns/runtime")],
    )
    .without(NO_END),
    row(
        "hard_stop",
        "a runtime with a million waiting tasks is dropped; until all futures are",
        tenth(1_000_000),
        &[
            metric("time", "ns/task").gates(&[Gate::Of("tokio", 1.0)]).goal(1.0),
            metric("cpu", "ns/task"),
        ],
    )
    .without(NO_END),
];
