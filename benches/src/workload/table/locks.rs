//! Locks and signals.
use super::*;

pub(super) static ROWS: &[Workload] = &[
    row(
        "mutex",
        "8 tasks add to a number under a lock",
        tenth(2_000_000),
        &[
            metric("time", "ns/lock").gates(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "mutex_yield",
        "the same, and each lets others run while it holds the lock",
        tenth(400_000),
        &[
            metric("time", "ns/lock").gates(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "mutex_alone",
        "one task locks and unlocks what nobody else wants; beside it std's mutex",
        tenth(3_000_000),
        &[
            metric("time", "ns/lock").gates(EIGHT_TENTHS),
            metric("over std's", "ratio").gates(&[Gate::AtMost(1.2)]),
        ],
    )
    .without(GO_ALONE),
    row(
        "rwlock_read",
        "8 tasks look at a number, and change it once in 16 times",
        tenth(2_000_000),
        &[
            metric("time", "ns/lock").gates(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "rwlock_read_yield",
        "the same, and each lets others run while it holds the lock",
        tenth(400_000),
        &[
            metric("time", "ns/lock").gates(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "rwlock_write",
        "8 tasks look at a number and change it in turn",
        tenth(2_000_000),
        &[
            metric("time", "ns/lock").gates(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "rwlock_write_yield",
        "the same, and each lets others run while it holds the lock",
        tenth(400_000),
        &[
            metric("time", "ns/lock").gates(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "semaphore",
        "1000 tasks want one of 10 permits, and let others run while they have it",
        tenth(1_000_000),
        &[
            metric("time", "ns/permit").gates(&[Gate::OfBest(0.4)]),
            metric("cpu", "ns/permit"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "notify",
        "two tasks notify each other in turn",
        tenth(300_000),
        &[metric("time", "ns/round trip").gates(EIGHT_TENTHS), metric("cpu", "ns/round trip")],
    ),
    row(
        "lock_bytes",
        "what idle primitives take, on the heap too",
        tenth(100_000),
        &[
            metric("mutex", "bytes").gates(EIGHT_TENTHS_OF_TOKIO),
            metric("rwlock", "bytes").gates(EIGHT_TENTHS_OF_TOKIO),
            metric("semaphore", "bytes").gates(EIGHT_TENTHS_OF_TOKIO),
            metric("notify", "bytes").gates(EIGHT_TENTHS_OF_TOKIO),
            metric("once cell", "bytes").gates(EIGHT_TENTHS_OF_TOKIO),
            metric("barrier", "bytes").gates(EIGHT_TENTHS_OF_TOKIO),
        ],
    )
    .without(GO_ALONE),
];
