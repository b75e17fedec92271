//! What grows, from where to where, and what is looked at.

/// One thing that grows.
pub(super) struct Sweep {
    /// What `--only` and the plot's file call it.
    pub(super) name: &'static str,
    /// What stands above the plot.
    pub(super) title: &'static str,
    /// What the horizontal axis is of.
    pub(super) across: &'static str,
    /// How many there are of it, rising.
    pub(super) points: &'static [usize],
    /// How many of these points a quick call takes.
    pub(super) quick: usize,
    /// From this point on one round is enough: it takes long, and there is no noise in it.
    pub(super) once_from: usize,
    /// What one of it may take of memory on any column.
    pub(super) bytes: u64,
    /// Who takes part.
    pub(super) columns: &'static [&'static str],
    /// Name and unit of each figure; less is better in all of them.
    pub(super) figures: &'static [(&'static str, &'static str)],
}

const BOTH: &[&str] = &["goro", "tokio"];
const POWERS: &[usize] = &[1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const DOUBLINGS: &[usize] = &[1, 2, 4, 8, 16, 32, 64];

/// All of them, in the order of a run. Two workers where nothing else grows.
pub(super) static SWEEPS: &[Sweep] = &[
    Sweep {
        name: "tasks",
        title: "Tasks that wait, woken at random",
        across: "tasks",
        points: POWERS,
        quick: 3,
        once_from: 10_000_000,
        bytes: 700,
        columns: BOTH,
        figures: &[
            ("spawned until it waits", "ns/task"),
            ("all woken, until all have run", "ns/task"),
            ("one woken, until it runs, p99", "us"),
            ("resident memory", "bytes/task"),
        ],
    },
    Sweep {
        name: "workers",
        title: "Workers, on two processors",
        across: "workers",
        points: DOUBLINGS,
        quick: 3,
        once_from: usize::MAX,
        bytes: 1 << 20,
        columns: BOTH,
        figures: &[
            ("spawned and joined", "ns/task"),
            ("yields of 1000 tasks", "ns/yield"),
            ("round trips of 1000 pairs", "ns/round trip"),
            ("a wake from outside, p50", "us"),
            ("echo over 64 connections", "ns/request"),
            ("the same, p99", "us"),
        ],
    },
    Sweep {
        name: "connections",
        title: "Connections that echo, clients in a process of their own",
        across: "connections",
        points: &[1, 4, 16, 64, 256, 1024, 4096, 16_384],
        quick: 4,
        once_from: usize::MAX,
        bytes: 20_000,
        columns: BOTH,
        figures: &[
            ("request and answer", "ns/request"),
            ("p50", "us"),
            ("p99", "us"),
            ("CPU of the server", "ns/request"),
        ],
    },
    Sweep {
        name: "producers",
        title: "Producers, one consumer, 128 places",
        across: "producers",
        points: DOUBLINGS,
        quick: 3,
        once_from: usize::MAX,
        bytes: 1 << 20,
        columns: &["goro", "mpsc", "kanal", "flume"],
        figures: &[("a message", "ns/message"), ("a send, p99", "us")],
    },
    Sweep {
        name: "pairs",
        title: "Producers and as many consumers, one channel, 128 places",
        across: "producers and consumers, each",
        points: DOUBLINGS,
        quick: 3,
        once_from: usize::MAX,
        bytes: 1 << 20,
        columns: &["goro", "kanal", "flume", "async-channel"],
        figures: &[("a message", "ns/message"), ("a send, p99", "us")],
    },
    Sweep {
        name: "timers",
        title: "Sleeps, all pending at once",
        across: "sleeps",
        points: POWERS,
        quick: 3,
        once_from: 10_000_000,
        bytes: 900,
        columns: BOTH,
        figures: &[
            ("spawned, until all sleep", "ns/sleep"),
            ("CPU from the spawn to the end", "ns/sleep"),
            ("lateness, p50", "us"),
            ("lateness, p99", "us"),
            ("peak memory", "bytes/sleep"),
        ],
    },
];
