//! A run: rounds over all boards, what was found printed, written and drawn.
//!
//! Invariants:
//! 1. A board's next round begins when all others have had this one: what changes on the machine in the
//!    course of a run changes for all rows.
//! 2. Every board gets its first round. Later ones are begun only if they would end within the limit,
//!    and within [`SHARES`] times the board's own share of it, going by the longest that it has taken so
//!    far: the rows that take long are the ones of memory, of which one round says as much as three.
//! 3. A board that fails is told of and left out; the others go on.
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::board::Board;
use crate::options::Options;
use crate::render::Report;
use crate::report;
use crate::sample::Taker;
use crate::{print, quota, workload};

/// How often its share of the time a board may take.
const SHARES: u32 = 3;

/// How long what was found may be lost with the run.
const BETWEEN: Duration = Duration::from_secs(10);

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
    let mut written = began;
    let most = |limit: Duration| limit * SHARES / u32::try_from(all).unwrap_or(u32::MAX).max(1);
    let enough = |board: &Board| {
        options.limit.is_some_and(|limit| {
            let next = board.longest();
            began.elapsed() + next > limit || board.took() + next > most(limit)
        })
    };
    for round in 1..=options.rounds {
        let (mut skipped, mut at) = (0, 0);
        while let Some(board) = boards.get_mut(at) {
            at += 1;
            if round > 1 && enough(board) {
                skipped += 1;
                continue;
            }
            if let Err(error) = board.round(options.quick, &taker) {
                eprintln!("{error}");
                at -= 1;
                boards.remove(at);
            } else if written.elapsed() > BETWEEN {
                write(&facts, &boards, began.elapsed(), options)?;
                written = Instant::now();
            }
        }
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
