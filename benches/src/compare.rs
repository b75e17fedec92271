//! A run: rounds over all boards, what was found printed, written and drawn.
//!
//! Invariants:
//! 1. A board's next round begins when all others have had this one: what changes on the machine in the
//!    course of a run changes for all rows.
//! 2. Every board gets its first round. Later ones are begun only if they would end within the limit,
//!    going by the longest that this board has taken so far.
//! 3. A board that fails is told of and left out; the others go on.
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::board::Board;
use crate::options::Options;
use crate::render::Report;
use crate::report;
use crate::sample::Taker;
use crate::{print, quota, workload};

/// Runs everything, prints it, and gives 1 if gates were to be checked and one was missed, 2 if a
/// board could not be filled; the others are.
///
/// # Errors
///
/// What could not be made ready, or written.
pub fn run(options: &Options) -> Result<ExitCode, String> {
    if options.list {
        print::list();
        return Ok(ExitCode::SUCCESS);
    }
    if options.workloads.iter().any(|workload| workload.name == "http") {
        workload::ready_for_http()?;
    }
    let quota = options.quota.map(quota::Group::with).transpose()?;
    let taker = Taker::of(&options.rivals)?.within(quota);
    let facts = report::Facts::gather(options);
    print::host_facts(&options.rivals);
    let board = |&workload| {
        options.workers.iter().map(move |&workers| Board::new(workload, workers, &options.rivals))
    };
    let mut boards: Vec<_> = options.workloads.iter().flat_map(board).collect();
    let all = boards.len();
    let began = Instant::now();
    let enough = |took: Duration| options.limit.is_some_and(|limit| began.elapsed() + took > limit);
    for round in 1..=options.rounds {
        let mut skipped = 0;
        boards.retain_mut(|board| {
            if round > 1 && enough(board.longest()) {
                skipped += 1;
                return true;
            }
            let outcome = board.round(options.quick, &taker);
            outcome.inspect_err(|error| eprintln!("{error}")).is_ok()
        });
        tell(round, options.rounds, boards.len() - skipped, began.elapsed());
        write(&facts, &boards, began.elapsed(), options)?;
        if skipped == boards.len() {
            break;
        }
    }
    for board in &boards {
        print::board(board);
    }
    print::medians(&boards);
    let missed = print::verdicts(&boards);
    Ok(match boards.len() < all {
        true => ExitCode::from(2),
        false => ExitCode::from(u8::from(options.check && missed > 0)),
    })
}

/// How far the run has come, and how long it will take if the rounds to come are like those so far.
fn tell(round: usize, rounds: usize, boards: usize, took: Duration) {
    let minutes = |time: Duration| time.as_secs_f64() / 60.0;
    let each = took.div_f64(round as f64);
    eprintln!(
        "round {round} of {rounds}: {boards} rows, {:.1} minutes in all; about {:.1} for all rounds",
        minutes(took),
        minutes(each * u32::try_from(rounds).unwrap_or(u32::MAX)),
    );
}

fn write(
    facts: &report::Facts,
    boards: &[Board],
    took: Duration,
    options: &Options,
) -> Result<(), String> {
    let json = facts.report(boards, took);
    if let Some(file) = &options.json {
        report::write(file, &json)?;
    }
    if let Some(folder) = &options.plots {
        Report::read(&json)?.draw(folder)?;
    }
    Ok(())
}
