//! The parts of `serve` that need no server, with the tests that stand beside them. (An example's
//! own tests would be built instead of the example.)
#![allow(dead_code, reason = "the example uses what these tests do not")]

#[path = "../serve/args.rs"]
mod args;
#[path = "../serve/histogram.rs"]
mod histogram;
#[path = "../serve/log.rs"]
mod log;
#[path = "../serve/primes.rs"]
mod primes;
#[path = "../serve/report.rs"]
mod report;
#[path = "../serve/routes.rs"]
mod routes;
#[path = "../serve/traffic.rs"]
mod traffic;
#[path = "../serve/wire.rs"]
mod wire;
