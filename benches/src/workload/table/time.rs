//! Timeouts and sleeps.
use super::*;

pub(super) static ROWS: &[Workload] = &[
    row(
        "timeout_ready",
        "a timeout of 10 ms round a future that is ready",
        tenth(1_000_000),
        &[metric("time", "ns/timeout").goal(0.5), metric("cpu", "ns/timeout")],
    ),
    row(
        "timeout_pending",
        "a timeout of 1 s round a future that is ready at its second poll",
        tenth(500_000),
        &[metric("time", "ns/timeout"), metric("cpu", "ns/timeout")],
    )
    .without(&["go"]),
    row(
        "timeout_receive",
        "one pair of tasks wakes each other in turn, a timeout of 1 s round each wait",
        tenth(200_000),
        &[
            metric("time", "ns/round trip").goal(0.4),
            metric("cpu", "ns/round trip"),
            metric("wait p99", "us"),
            metric("apart", "% of the run"),
            metric("longest wait", "us"),
        ],
    ),
    row(
        "timeout_fires",
        "1000 tasks with timeouts of 1 ms round what never comes, one after another",
        sizes(200, 20),
        &[metric("cpu", "ns/timeout"), metric("time", "us/timeout")],
    ),
    row(
        "sleep_50us",
        "one task sleeps 50 us after 50 us; how late it wakes",
        tenth(5000),
        &[
            metric("p50", "us late").gates(AS_SMOL).goal(0.9),
            metric("p90", "us late"),
            metric("p99", "us late"),
            metric("p99.9", "us late"),
            metric("max", "us late"),
            metric("cpu", "us/sleep"),
        ],
    ),
    row(
        "sleep_300us",
        "one task sleeps 300 us after 300 us; how late it wakes",
        tenth(2000),
        &[
            metric("p50", "us late").gates(AS_SMOL).goal(0.9),
            metric("p90", "us late"),
            metric("p99", "us late"),
            metric("p99.9", "us late"),
            metric("max", "us late"),
            metric("cpu", "us/sleep"),
        ],
    ),
    row(
        "sleep_5ms",
        "one task sleeps 5 ms after 5 ms; how late it wakes",
        tenth(200),
        &[
            metric("p50", "us late").gates(AS_SMOL).goal(0.9),
            metric("p90", "us late"),
            metric("p99", "us late"),
            metric("p99.9", "us late"),
            metric("max", "us late"),
            metric("cpu", "us/sleep"),
        ],
    ),
    row(
        "timer_storm",
        "a million tasks sleep 10 to 1000 ms once",
        tenth(1_000_000),
        &[
            metric("cpu", "ms").gates(&[Gate::OfBest(0.5)]).goal(0.3),
            metric("peak", "MiB").goal(0.6),
            metric("time", "ms"),
        ],
    ),
];

const AS_SMOL: &[Gate] = &[Gate::Of("smol", 1.0)];
