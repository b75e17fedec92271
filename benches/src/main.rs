//! goro beside its rivals: the same workloads on goro, tokio, smol, async-executor's static executor
//! and Go, interleaved in one call.
//!
//! The README beside this package says how to read what it prints.
//!
//! Beside the runtimes stand the channel crates, with workloads of their own.
//!
//! Left out: figures of one runtime alone (they mean nothing
//! on another machine).
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the rivals' users write std; the shim's bans are for goro's own crates"
)]
use std::env;
use std::process::ExitCode;

use crate::options::Options;

mod board;
mod chart;
mod compare;
mod costs;
mod counts;
mod growth;
mod host;
mod mailbox;
mod meter;
mod options;
mod pairs;
mod print;
mod quota;
mod render;
mod report;
mod rival;
mod sample;
mod stats;
mod workload;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(sample::COMMAND) => sample::give(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(workload::CLIENT) => workload::client(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(counts::COMMAND) => counts::check(&arguments[1..]),
        Some(counts::COUNTED) => counts::be_counted(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(pairs::COMMAND) => pairs::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(costs::COMMAND) => costs::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(growth::COMMAND) => growth::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(growth::GROW) => growth::grow(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(growth::LOAD) => growth::load(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(render::COMMAND) => render::run(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some(quota::COMMAND) => quota::enter(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some("--help" | "-h") => {
            print!("{}", options::HELP);
            Ok(ExitCode::SUCCESS)
        }
        _ => Options::parse(arguments).and_then(|options| compare::run(&options)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}
