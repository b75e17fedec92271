//! The table of the workloads: what each one does, how large it is, what it measures, its goals.
//!
//! The order is that of a run. The first metric is the main one; less is better in all of them.
use super::{Among, Goal, Metric, Size, Workload};

const fn metric(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit, goals: &[], aim: None }
}

impl Metric {
    const fn goals(mut self, goals: &'static [Goal]) -> Self {
        self.goals = goals;
        self
    }

    const fn aim(mut self, aim: f64) -> Self {
        self.aim = Some(aim);
        self
    }
}

const fn tenth(full: usize) -> Size {
    Size { full, quick: full.div_ceil(10) }
}

const fn sizes(full: usize, quick: usize) -> Size {
    Size { full, quick }
}

const EIGHT_TENTHS: &[Goal] = &[Goal::OfBest(0.8)];
const AS_THE_BEST: &[Goal] = &[Goal::OfBest(1.0)];
const EIGHT_TENTHS_OF_TOKIO: &[Goal] = &[Goal::Of("tokio", 0.8)];
const AS_SMOL: &[Goal] = &[Goal::Of("smol", 1.0)];

const ALL_RUN: &[&str] = &[];
/// A static executor is never dropped, and the whole of a Go program is its runtime.
const NO_END: &[&str] = &["static", "go"];

/// tokio's are those of tokio-util; the others have none, and a Go context is for one process.
const NO_TOKENS: &[&str] = &["smol", "static", "go"];

/// Go's locks cannot be compared with std's in one process, nor are they counted in bytes.
const GO_ALONE: &[&str] = &["go"];

/// All workloads.
pub static ALL: &[Workload] = &[
    Workload {
        name: "spawn_join",
        about: "one task spawns 1000 tiny tasks, then joins them; again and again",
        size: tenth(300),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/task")
                .goals(&[Goal::Of("static", 0.8), Goal::Of("tokio", 0.35)])
                .aim(0.5),
            metric("cpu", "ns/task"),
        ],
    },
    Workload {
        name: "spawn_many",
        about: "the same with one call for a batch, on runtimes that have one",
        size: tenth(300),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("time", "ns/task"), metric("cpu", "ns/task")],
    },
    Workload {
        name: "spawn_detached",
        about: "one task spawns 1000 tiny tasks with no handle; the last one wakes it",
        size: tenth(300),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/task").goals(EIGHT_TENTHS).aim(0.4),
            metric("cpu", "ns/task"),
        ],
    },
    Workload {
        name: "chained_spawn",
        about: "a task spawns the next one and ends, 1000 deep; the last one wakes the first",
        size: tenth(500),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/task").goals(EIGHT_TENTHS).aim(0.5),
            metric("cpu", "ns/task"),
        ],
    },
    Workload {
        name: "fork_join",
        about: "fib by recursion: each inner node spawns both its children, then joins them",
        size: sizes(24, 19),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/task").goals(EIGHT_TENTHS).aim(0.4),
            metric("cpu", "ns/task"),
        ],
    },
    Workload {
        name: "skynet",
        about: "a tree of tasks, ten to a node; a million leaves send numbers, the nodes sums",
        size: sizes(6, 4),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/leaf").goals(EIGHT_TENTHS).aim(0.5),
            metric("cpu", "ns/leaf"),
        ],
    },
    Workload {
        name: "yield",
        about: "1000 tasks yield 1000 times each",
        size: tenth(1000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/yield").goals(&[Goal::Of("tokio", 0.8)]).aim(0.6),
            metric("cpu", "ns/yield"),
        ],
    },
    Workload {
        name: "ping_pong_1",
        about: "one pair of tasks wakes each other in turn",
        size: tenth(300_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/round trip").goals(EIGHT_TENTHS).aim(0.5),
            metric("cpu", "ns/round trip"),
        ],
    },
    Workload {
        name: "ping_pong_1000",
        about: "1000 pairs of tasks wake each other in turn",
        size: tenth(300),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/round trip").goals(EIGHT_TENTHS).aim(0.5),
            metric("cpu", "ns/round trip"),
        ],
    },
    Workload {
        name: "spawn_foreign",
        about: "two threads outside of the runtime spawn tiny tasks with no handle",
        size: tenth(300_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("time", "ns/task").goals(AS_THE_BEST).aim(0.6), metric("cpu", "ns/task")],
    },
    Workload {
        name: "wake_foreign",
        about: "a thread outside of an idle runtime wakes a task; until the task runs",
        size: tenth(1000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("p50", "us").goals(AS_THE_BEST).aim(0.8),
            metric("p99", "us"),
            metric("cpu", "us/wake"),
        ],
    },
    Workload {
        name: "timeout_ready",
        about: "a timeout of 10 ms round a future that is ready",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("time", "ns/timeout").aim(0.5), metric("cpu", "ns/timeout")],
    },
    Workload {
        name: "timeout_pending",
        about: "a timeout of 1 s round a future that is ready at its second poll",
        size: tenth(500_000),
        among: Among::Runtimes,
        without: &["go"],
        metrics: &[metric("time", "ns/timeout"), metric("cpu", "ns/timeout")],
    },
    Workload {
        name: "timeout_receive",
        about: "one pair of tasks wakes each other in turn, a timeout of 1 s round each wait",
        size: tenth(200_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("time", "ns/round trip").aim(0.4), metric("cpu", "ns/round trip")],
    },
    Workload {
        name: "timeout_fires",
        about: "1000 tasks with timeouts of 1 ms round what never comes, one after another",
        size: sizes(200, 20),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("cpu", "ns/timeout"), metric("time", "us/timeout")],
    },
    Workload {
        name: "sleep_50us",
        about: "one task sleeps 50 us after 50 us; how late it wakes",
        size: tenth(5000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("p50", "us late").goals(AS_SMOL),
            metric("p99", "us late"),
            metric("cpu", "us/sleep"),
        ],
    },
    Workload {
        name: "sleep_300us",
        about: "one task sleeps 300 us after 300 us; how late it wakes",
        size: tenth(2000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("p50", "us late").goals(AS_SMOL),
            metric("p99", "us late"),
            metric("cpu", "us/sleep"),
        ],
    },
    Workload {
        name: "sleep_5ms",
        about: "one task sleeps 5 ms after 5 ms; how late it wakes",
        size: tenth(200),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("p50", "us late").goals(AS_SMOL).aim(0.9),
            metric("p99", "us late"),
            metric("cpu", "us/sleep"),
        ],
    },
    Workload {
        name: "timer_storm",
        about: "a million tasks sleep 10 to 1000 ms once",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("cpu", "ms").goals(&[Goal::OfBest(0.5)]).aim(0.3),
            metric("peak", "MiB").aim(0.6),
            metric("time", "ms"),
        ],
    },
    Workload {
        name: "echo_1",
        about: "1 loopback connection echoes 64 bytes, client and server on the runtime",
        size: tenth(20_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: ECHO,
    },
    Workload {
        name: "echo_64",
        about: "64 loopback connections echo 64 bytes, client and server on the runtime",
        size: tenth(500),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: ECHO,
    },
    Workload {
        name: "accept",
        about: "64 clients connect, see the server accept and close, and connect again",
        size: tenth(10_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("time", "ns/connection").aim(1.0 / 1.2), metric("cpu", "ns/connection")],
    },
    Workload {
        name: "idle_connections",
        about: "TCP connections with a task each that reads; resident bytes of the server's side",
        size: sizes(18_000, 2000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("memory", "bytes/connection").aim(0.8), metric("cpu", "ns/connection")],
    },
    Workload {
        name: "parked_memory",
        about: "a million detached tasks of 16 bytes wait for one event; resident bytes per task",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("memory", "bytes/task").goals(EIGHT_TENTHS).aim(0.7),
            metric("cpu", "ns/task"),
        ],
    },
    Workload {
        name: "parked_memory_256",
        about: "the same with futures of 256 bytes",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("memory", "bytes/task"), metric("cpu", "ns/task")],
    },
    Workload {
        name: "idle",
        about: "10,000 tasks wait and nothing happens; what the threads do all the same",
        size: sizes(3000, 500),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("switches", "per second").goals(&[Goal::AtMost(0.0)]),
            metric("cpu", "us/second"),
        ],
    },
    Workload {
        name: "mutex",
        about: "8 tasks add to a number under a lock",
        size: tenth(2_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/lock").goals(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("longest wait", "us"),
        ],
    },
    Workload {
        name: "mutex_yield",
        about: "the same, and each lets others run while it holds the lock",
        size: tenth(400_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/lock").goals(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("longest wait", "us"),
        ],
    },
    Workload {
        name: "mutex_alone",
        about: "one task locks and unlocks what nobody else wants; beside it std's mutex",
        size: tenth(3_000_000),
        among: Among::Runtimes,
        without: GO_ALONE,
        metrics: &[
            metric("time", "ns/lock").goals(EIGHT_TENTHS),
            metric("over std's", "ratio").goals(&[Goal::AtMost(1.2)]),
        ],
    },
    Workload {
        name: "rwlock_read",
        about: "8 tasks look at a number, and change it once in 16 times",
        size: tenth(2_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/lock").goals(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("longest wait", "us"),
        ],
    },
    Workload {
        name: "rwlock_read_yield",
        about: "the same, and each lets others run while it holds the lock",
        size: tenth(400_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/lock").goals(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("longest wait", "us"),
        ],
    },
    Workload {
        name: "rwlock_write",
        about: "8 tasks look at a number and change it in turn",
        size: tenth(2_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/lock").goals(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("longest wait", "us"),
        ],
    },
    Workload {
        name: "rwlock_write_yield",
        about: "the same, and each lets others run while it holds the lock",
        size: tenth(400_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/lock").goals(EIGHT_TENTHS),
            metric("cpu", "ns/lock"),
            metric("wait p99", "us"),
            metric("longest wait", "us"),
        ],
    },
    Workload {
        name: "semaphore",
        about: "1000 tasks want one of 10 permits, and let others run while they have it",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/permit").goals(&[Goal::OfBest(0.4)]),
            metric("cpu", "ns/permit"),
            metric("wait p99", "us"),
            metric("longest wait", "us"),
        ],
    },
    Workload {
        name: "notify",
        about: "two tasks notify each other in turn",
        size: tenth(300_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("time", "ns/round trip").goals(EIGHT_TENTHS),
            metric("cpu", "ns/round trip"),
        ],
    },
    Workload {
        name: "lock_bytes",
        about: "what idle primitives take, on the heap too",
        size: tenth(100_000),
        among: Among::Runtimes,
        without: GO_ALONE,
        metrics: &[
            metric("mutex", "bytes").goals(EIGHT_TENTHS_OF_TOKIO),
            metric("rwlock", "bytes").goals(EIGHT_TENTHS_OF_TOKIO),
            metric("semaphore", "bytes").goals(EIGHT_TENTHS_OF_TOKIO),
            metric("notify", "bytes").goals(EIGHT_TENTHS_OF_TOKIO),
            metric("once cell", "bytes").goals(EIGHT_TENTHS_OF_TOKIO),
            metric("barrier", "bytes").goals(EIGHT_TENTHS_OF_TOKIO),
        ],
    },
    Workload {
        name: "cancel_tree",
        about: "a million tokens, ten below each, are made, cancelled by the root, and dropped",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: NO_TOKENS,
        metrics: &[
            metric("time", "ns/token").goals(EIGHT_TENTHS_OF_TOKIO),
            metric("memory", "bytes/token").goals(EIGHT_TENTHS_OF_TOKIO),
            metric("make", "ns/token"),
            metric("cancel", "ns/token"),
            metric("drop", "ns/token"),
        ],
    },
    Workload {
        name: "cancel_tasks",
        about: "100,000 tasks wait for such tokens; from the root's cancellation to each one's end",
        size: tenth(100_000),
        among: Among::Runtimes,
        without: NO_TOKENS,
        metrics: &[
            metric("longest", "us").goals(&[Goal::Of("tokio", 1.0)]),
            metric("p50", "us"),
            metric("p90", "us"),
            metric("p99", "us"),
            metric("cpu", "ns/task"),
        ],
    },
    stall(
        "stall_1",
        "100 tasks sleep 1 ms at a time and a connection echoes, beside 1 poll of 50 ms",
        STALL_SHOWN,
    ),
    stall("stall_2", "the same beside 2 polls of 50 ms, one after another", STALL),
    stall("stall_4", "the same beside 4", STALL),
    stall("stall_8", "the same beside 8", STALL),
    stall("stall_80", "the same beside 80, more than goro has spares", STALL_SHOWN),
    stall(
        "stall_asleep_1",
        "the same beside 1 poll that sleeps in the kernel for 100 ms",
        STALL_SHOWN,
    ),
    stall("stall_asleep_4", "the same beside 4", STALL_SHOWN),
    Workload {
        name: "stall_woken",
        about: "a task wakes another one, and then sleeps in the kernel for 20 ms inside its poll",
        size: tenth(100),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[
            metric("p99", "us late").goals(&[Goal::AtMost(2000.0)]),
            metric("max", "us late"),
        ],
    },
    Workload {
        name: "request_1",
        about: "one pair of tasks: a request through a channel of 16, the reply through a oneshot",
        size: tenth(200_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: TALK_5,
    },
    Workload {
        name: "request_1000",
        about: "1000 pairs of tasks: requests through channels of 16, replies through oneshots",
        size: tenth(200),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: TALK_6,
    },
    Workload {
        name: "select_4",
        about: "one task receives from whichever of 4 channels of 16 is ready",
        size: tenth(250_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: TALK_5,
    },
    Workload {
        name: "select_50",
        about: "one task receives from whichever of 50 channels of 16 is ready; one task feeds them",
        size: tenth(20_000),
        among: Among::Runtimes,
        without: &["go"],
        metrics: TALK_8,
    },
    Workload {
        name: "receive_50",
        about: "the same with 50 tasks that receive from one channel each",
        size: tenth(20_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("time", "ns/message"), metric("cpu", "ns/message")],
    },
    Workload {
        name: "sieve",
        about: "2000 primes, a task for each that lets through what it does not divide; channels of 16",
        size: sizes(17_390, 2_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: &[metric("time", "ns/1e-6 run").goals(EIGHT_TENTHS), metric("cpu", "ns/1e-6 run")],
    },
    Workload {
        name: "pipeline_own",
        about: "one task feeds eight by a channel each, and they one; 100 places each",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: ALL_RUN,
        metrics: TALK_6,
    },
    Workload {
        name: "pipeline_shared",
        about: "one task feeds eight by one channel, and they one; 100 places each",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: &["tokio"],
        metrics: TALK_6,
    },
    Workload {
        name: "watch_8",
        about: "one task changes a value, eight see each change",
        size: tenth(30_000),
        among: Among::Runtimes,
        without: &["go"],
        metrics: TALK_8,
    },
    Workload {
        name: "broadcast_8",
        about: "one task sends to eight that get everything, in batches of 1000",
        size: tenth(300),
        among: Among::Runtimes,
        without: &["go"],
        metrics: TALK_8,
    },
    Workload {
        name: "runtime_cycle",
        about: "a runtime is built, runs one task, and is dropped; again and again",
        size: tenth(500),
        among: Among::Runtimes,
        without: NO_END,
        metrics: &[metric("time", "ns/runtime"), metric("cpu", "ns/runtime")],
    },
    Workload {
        name: "hard_stop",
        about: "a runtime with a million waiting tasks is dropped; until all futures are",
        size: tenth(1_000_000),
        among: Among::Runtimes,
        without: NO_END,
        metrics: &[
            metric("time", "ns/task").goals(&[Goal::Of("tokio", 1.0)]),
            metric("cpu", "ns/task"),
        ],
    },
];

const fn stall(name: &'static str, about: &'static str, metrics: &'static [Metric]) -> Workload {
    let (size, among) = (sizes(1500, 300), Among::Runtimes);
    Workload { name, about, size, among, without: ALL_RUN, metrics }
}

/// Tenths of every rival's, where there are as many long polls as workers or more.
const A_TENTH: &[Goal] = &[Goal::OfBest(0.1)];

const STALL: &[Metric] = &[
    metric("p99", "us late").goals(A_TENTH),
    metric("max", "us late"),
    metric("echo p99", "us"),
    metric("echo max", "us"),
];

/// With a worker left, nobody need be late; and with more long polls than there can be spares,
/// everybody is.
const STALL_SHOWN: &[Metric] = &[
    metric("p99", "us late"),
    metric("max", "us late"),
    metric("echo p99", "us"),
    metric("echo max", "us"),
];

const TALK_5: &[Metric] =
    &[metric("time", "ns/message").goals(&[Goal::OfBest(0.5)]), metric("cpu", "ns/message")];
const TALK_6: &[Metric] =
    &[metric("time", "ns/message").goals(&[Goal::OfBest(0.6)]), metric("cpu", "ns/message")];
const TALK_8: &[Metric] =
    &[metric("time", "ns/message").goals(EIGHT_TENTHS), metric("cpu", "ns/message")];

const ECHO: &[Metric] = &[
    metric("time", "ns/request").goals(&[Goal::OfBest(1.0 / 1.1)]).aim(1.0 / 1.3),
    metric("p50", "us"),
    metric("p99", "us").goals(AS_THE_BEST),
    metric("cpu", "ns/request"),
];
