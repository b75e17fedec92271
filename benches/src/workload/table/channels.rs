//! The workloads of channels: every shape at every capacity and size.
use super::{Among, Gate, Metric, Size, Workload, metric};

/// goro's channel on goro against the fastest channel crate on tokio, which loses what its users
/// cancel; goro's loses nothing.
const AS_KANAL: &[Gate] = &[Gate::Of("kanal", 1.0)];

const EACH: &[Metric] = &[
    metric("time", "ns/message").gates(AS_KANAL).goal(1.0),
    metric("cpu", "ns/message"),
    metric("wait p99", "us"),
    metric("apart", "% of the run"),
    metric("longest wait", "us"),
];

const NO_MPSC: &[&str] = &["mpsc"];

/// Whose makers refuse a capacity of zero.
const NO_RENDEZVOUS: &[&str] = &["mpsc", "async-channel"];

/// Go has no channel without a limit.
const NO_GO: &[&str] = &["go"];
const NO_BOTH: &[&str] = &["mpsc", "go"];

const fn row(
    name: &'static str,
    about: &'static str,
    messages: usize,
    without: &'static [&'static str],
) -> Workload {
    Workload {
        name,
        about,
        size: Size { full: messages, quick: messages / 20 },
        among: Among::Channels,
        without,
        metrics: EACH,
    }
}

macro_rules! rows {
    ($($shape:literal $about:literal, without $one:expr, $any:expr, $bytes:literal;)*) => {
        &[$(
            row(concat!("channel_", $shape, "_cap0_", $bytes, "b"), concat!($about, ", a rendezvous"), 150_000, NO_RENDEZVOUS),
            row(concat!("channel_", $shape, "_cap1_", $bytes, "b"), concat!($about, ", one place"), 150_000, $one),
            row(concat!("channel_", $shape, "_cap128_", $bytes, "b"), concat!($about, ", 128 places"), 1_000_000, $one),
            row(concat!("channel_", $shape, "_unbounded_", $bytes, "b"), concat!($about, ", no limit"), 1_000_000, $any),
        )*]
    };
}

/// Nobody else sends and receives many at once in one call.
const GORO_ALONE: &[&str] =
    &["kanal", "goro+tokio", "kanal+goro", "flume", "async-channel", "crossbeam", "mpsc", "go"];

/// What ten values cost at once, by what they cost one by one.
pub const BATCHES: Workload = Workload {
    name: "channel_batches",
    about: "a task sends ten values and receives them, at once and one by one",
    size: Size { full: 200_000, quick: 10_000 },
    among: Among::Channels,
    without: GORO_ALONE,
    metrics: &[
        metric("of one by one", "ratio").gates(&[Gate::AtMost(0.334)]),
        metric("at once", "ns/value"),
    ],
};

/// All of them.
pub(super) static ROWS: &[Workload] = rows! {
    "1_1" "one sender, one receiver", without &[], NO_GO, "8";
    "1_1" "one sender, one receiver", without &[], NO_GO, "64";
    "4_1" "four senders, one receiver", without &[], NO_GO, "8";
    "4_1" "four senders, one receiver", without &[], NO_GO, "64";
    "4_4" "four senders, four receivers", without NO_MPSC, NO_BOTH, "8";
    "4_4" "four senders, four receivers", without NO_MPSC, NO_BOTH, "64";
};
