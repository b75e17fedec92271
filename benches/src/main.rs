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
use std::fs;
use std::process::ExitCode;

use serde_json::json;

use crate::board::Board;
use crate::options::Options;
use crate::sample::Taker;

mod board;
mod counts;
mod host;
mod mailbox;
mod meter;
mod options;
mod pairs;
mod print;
mod quota;
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
        Some(quota::COMMAND) => quota::enter(&arguments[1..]).map(|()| ExitCode::SUCCESS),
        Some("--help" | "-h") => {
            print!("{}", options::HELP);
            Ok(ExitCode::SUCCESS)
        }
        _ => Options::parse(arguments).and_then(|options| compare(&options)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

/// Runs everything, prints it, and gives 1 if goals were to be checked and one was missed, 2 if a
/// board could not be filled; the others are.
fn compare(options: &Options) -> Result<ExitCode, String> {
    if options.list {
        print::list();
        return Ok(ExitCode::SUCCESS);
    }
    let quota = options.quota.map(quota::Group::with).transpose()?;
    let taker = Taker::of(&options.rivals)?.within(quota);
    let facts = host::json(&options.rivals);
    print::host_facts(&options.rivals);
    let (mut boards, mut failed) = (Vec::new(), false);
    for workload in &options.workloads {
        for &workers in &options.workers {
            match Board::fill(workload, workers, options, &taker) {
                Ok(board) => {
                    print::board(&board);
                    boards.push(board);
                }
                Err(error) => {
                    eprintln!("{error}");
                    failed = true;
                }
            }
        }
    }
    print::medians(&boards);
    let missed = print::verdicts(&boards);
    if let Some(file) = &options.json {
        let boards: Vec<_> = boards.iter().map(Board::json).collect();
        let report = json!({
            "host": facts,
            "rounds": options.rounds,
            "quick": options.quick,
            "quota": options.quota,
            "boards": boards,
        });
        let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        fs::write(file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(match failed {
        true => ExitCode::from(2),
        false => ExitCode::from(u8::from(options.check && missed > 0)),
    })
}
