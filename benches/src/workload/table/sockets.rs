//! Loopback TCP.
use super::*;

pub(super) static ROWS: &[Workload] = &[
    row(
        "echo_1",
        "1 loopback connection echoes 64 bytes, client and server on the runtime",
        tenth(20_000),
        ECHO,
    ),
    row(
        "echo_64",
        "64 loopback connections echo 64 bytes, client and server on the runtime",
        tenth(500),
        ECHO,
    ),
    row(
        "tcp_1",
        "1 loopback connection, 64 KiB a write, one direction, both ends on the runtime",
        tenth(1024),
        &[metric("time", "ns/KiB").goal(1.0), metric("cpu", "ns/KiB")],
    ),
    row(
        "tcp_8",
        "the same over 8 connections",
        tenth(1024),
        &[metric("time", "ns/KiB").goal(1.0), metric("cpu", "ns/KiB")],
    ),
    row(
        "http",
        "hyper answers 13 bytes to wrk, 64 connections from one thread of another process",
        sizes(2, 1),
        &[
            metric("time", "ns/request").goal(1.0 / 1.1),
            metric("p50", "us"),
            metric("p99", "us"),
            metric("cpu", "ns/request").goal(0.8),
        ],
    ),
    row(
        "accept",
        "64 clients connect, see the server accept and close, and connect again",
        tenth(10_000),
        &[metric("time", "ns/connection").goal(1.0 / 1.2), metric("cpu", "ns/connection")],
    ),
    row(
        "idle_connections",
        "TCP connections with a task each that reads; resident bytes of the server's side",
        sizes(18_000, 2000),
        &[metric("memory", "bytes/connection").goal(0.8), metric("cpu", "ns/connection")],
    ),
];

const ECHO: &[Metric] = &[
    metric("time", "ns/request").gates(&[Gate::OfBest(1.0 / 1.1)]).goal(1.0 / 1.3),
    metric("p50", "us"),
    metric("p90", "us"),
    metric("p99", "us").gates(AS_THE_BEST),
    metric("p99.9", "us"),
    metric("max", "us"),
    metric("cpu", "ns/request"),
];
