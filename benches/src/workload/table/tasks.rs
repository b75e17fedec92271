//! Tasks that are spawned, yield, and wake each other.
use super::*;

pub(super) static ROWS: &[Workload] = &[
    row(
        "spawn_join",
        "one task spawns 1000 tiny tasks, then joins them; again and again",
        tenth(300),
        &[
            metric("time", "ns/task")
                .gates(&[Gate::Of("static", 0.8), Gate::Of("tokio", 0.35)])
                .goal(0.5),
            metric("cpu", "ns/task"),
            metric("wait p99", "us"),
        ],
    ),
    row(
        "spawn_many",
        "the same with one call for a batch, on runtimes that have one",
        tenth(300),
        &[metric("time", "ns/task"), metric("cpu", "ns/task"), metric("wait p99", "us")],
    ),
    row(
        "spawn_detached",
        "one task spawns 1000 tiny tasks with no handle; the last one wakes it",
        tenth(300),
        &[metric("time", "ns/task").gates(EIGHT_TENTHS).goal(0.4), metric("cpu", "ns/task")],
    ),
    row(
        "chained_spawn",
        "a task spawns the next one and ends, 1000 deep; the last one wakes the first",
        tenth(500),
        &[metric("time", "ns/task").gates(EIGHT_TENTHS).goal(0.5), metric("cpu", "ns/task")],
    ),
    row(
        "fork_join",
        "fib by recursion: each inner node spawns both its children, then joins them",
        sizes(24, 19),
        &[metric("time", "ns/task").gates(EIGHT_TENTHS).goal(0.4), metric("cpu", "ns/task")],
    ),
    row(
        "skynet",
        "a tree of tasks, ten to a node; a million leaves send numbers, the nodes sums",
        sizes(6, 4),
        &[metric("time", "ns/leaf").gates(EIGHT_TENTHS).goal(0.5), metric("cpu", "ns/leaf")],
    ),
    row(
        "yield",
        "1000 tasks yield 1000 times each",
        tenth(1000),
        &[
            metric("time", "ns/yield").gates(&[Gate::Of("tokio", 0.8)]).goal(0.6),
            metric("cpu", "ns/yield"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "ping_pong_1",
        "one pair of tasks wakes each other in turn",
        tenth(300_000),
        &[
            metric("time", "ns/round trip").gates(EIGHT_TENTHS).goal(0.5),
            metric("cpu", "ns/round trip"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "ping_pong_1000",
        "1000 pairs of tasks wake each other in turn",
        tenth(300),
        &[
            metric("time", "ns/round trip").gates(EIGHT_TENTHS).goal(0.5),
            metric("cpu", "ns/round trip"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "spawn_foreign",
        "two threads outside of the runtime spawn tiny tasks with no handle",
        tenth(300_000),
        &[metric("time", "ns/task").gates(AS_THE_BEST).goal(0.6), metric("cpu", "ns/task")],
    ),
    row(
        "wake_foreign",
        "a thread outside of an idle runtime wakes a task; until the task runs",
        tenth(1000),
        &[
            metric("p50", "us").gates(AS_THE_BEST).goal(0.8),
            metric("p90", "us"),
            metric("p99", "us"),
            metric("p99.9", "us"),
            metric("max", "us"),
            metric("cpu", "us/wake"),
        ],
    ),
];
