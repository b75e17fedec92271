//! What tasks say to each other beside one channel.
use super::*;

pub(super) static ROWS: &[Workload] = &[
    row(
        "request_1",
        "one pair of tasks: a request through a channel of 16, the reply through a oneshot",
        tenth(200_000),
        REQUEST_5,
    ),
    row(
        "request_1000",
        "1000 pairs of tasks: requests through channels of 16, replies through oneshots",
        tenth(200),
        REQUEST_6,
    ),
    row(
        "select_4",
        "one task receives from whichever of 4 channels of 16 is ready",
        tenth(250_000),
        TALK_5,
    ),
    row(
        "select_50",
        "one task receives from whichever of 50 channels of 16 is ready; one task feeds them",
        tenth(20_000),
        TALK_8,
    )
    .without(&["go"]),
    row(
        "receive_50",
        "the same with 50 tasks that receive from one channel each",
        tenth(20_000),
        &[metric("time", "ns/message"), metric("cpu", "ns/message")],
    ),
    row(
        "sieve",
        "2000 primes, a task for each that lets through what it does not divide; channels of 16",
        sizes(17_390, 2_000),
        &[metric("time", "ns/1e-6 run").gates(EIGHT_TENTHS), metric("cpu", "ns/1e-6 run")],
    ),
    row(
        "pipeline_own",
        "one task feeds eight by a channel each, and they one; 100 places each",
        tenth(1_000_000),
        TALK_6,
    ),
    row(
        "pipeline_shared",
        "one task feeds eight by one channel, and they one; 100 places each",
        tenth(1_000_000),
        TALK_6,
    )
    .without(&["tokio"]),
    row("watch_8", "one task changes a value, eight see each change", tenth(30_000), TALK_8)
        .without(&["go"]),
    row(
        "broadcast_8",
        "one task sends to eight that get everything, in batches of 1000",
        tenth(300),
        TALK_8,
    )
    .without(&["go"]),
];

const TALK_5: &[Metric] =
    &[metric("time", "ns/message").gates(&[Gate::OfBest(0.5)]), metric("cpu", "ns/message")];
const TALK_6: &[Metric] =
    &[metric("time", "ns/message").gates(&[Gate::OfBest(0.6)]), metric("cpu", "ns/message")];
const TALK_8: &[Metric] =
    &[metric("time", "ns/message").gates(EIGHT_TENTHS), metric("cpu", "ns/message")];

const REQUEST_5: &[Metric] = &[
    metric("time", "ns/message").gates(&[Gate::OfBest(0.5)]),
    metric("cpu", "ns/message"),
    metric("wait p99", "us"),
    metric("apart", "% of the run"),
    metric("longest wait", "us"),
];
const REQUEST_6: &[Metric] = &[
    metric("time", "ns/message").gates(&[Gate::OfBest(0.6)]),
    metric("cpu", "ns/message"),
    metric("wait p99", "us"),
    metric("apart", "% of the run"),
    metric("longest wait", "us"),
];
