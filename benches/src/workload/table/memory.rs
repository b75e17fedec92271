//! Tasks that wait: what they take, and what is done meanwhile.
use super::*;

pub(super) static ROWS: &[Workload] = &[
    row(
        "parked_memory",
        "a million detached tasks of 16 bytes wait for one event; resident bytes per task",
        tenth(1_000_000),
        &[metric("memory", "bytes/task").gates(EIGHT_TENTHS).goal(0.7), metric("cpu", "ns/task")],
    ),
    row(
        "parked_memory_256",
        "the same with futures of 256 bytes",
        tenth(1_000_000),
        &[metric("memory", "bytes/task"), metric("cpu", "ns/task")],
    ),
    row(
        "parked_channel",
        "tasks wait for a message of their own channel each, with one place; resident bytes per task",
        tenth(300_000),
        &[metric("memory", "bytes/task").goal(0.5), metric("cpu", "ns/task")],
    ),
    row(
        "channel_bytes",
        "channels with nothing in them and nobody at them; resident bytes beyond their ends",
        tenth(100_000),
        &[
            metric("one place", "bytes/channel"),
            metric("128 places", "bytes/channel"),
            metric("oneshot", "bytes/channel"),
        ],
    ),
    row(
        "idle",
        "10,000 tasks wait and nothing happens; what the threads do all the same",
        sizes(1500, 500),
        &[metric("switches", "per second").gates(&[Gate::AtMost(0.0)]), metric("cpu", "us/second")],
    ),
];
