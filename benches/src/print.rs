//! Tables for people.
use crate::board::{Board, Verdict};
use crate::host;
use crate::workload::{ALL, Metric};

/// Above this load, something else uses the machine.
const QUIET: f64 = 0.5;

/// Prints the facts about the host.
pub fn host_facts() {
    for (name, value) in host::facts() {
        println!("{name:>14}  {value}");
    }
    if host::load().is_some_and(|load| load > QUIET) {
        println!("{:>14}  other programs run here: not even the ratios can be trusted", "WARNING");
    }
}

/// Prints the workloads and their goals.
pub fn list() {
    for workload in ALL {
        println!("{}: {}", workload.name, workload.about);
        for Metric { name, unit, goal } in workload.metrics {
            let goal =
                goal.map_or(String::new(), |goal| format!(", at most {goal:.2} of the best"));
            println!("    {name} in {unit}{goal}");
        }
    }
}

/// Prints a board.
pub fn board(board: &Board) {
    let workers = if board.workers == 1 { "worker" } else { "workers" };
    let (name, about) = (board.workload.name, board.workload.about);
    println!("\n{name}, {} {workers}: {about}", board.workers);
    for (at, metric) in board.workload.metrics.iter().enumerate() {
        let unit = format!("{}, {}", metric.name, metric.unit);
        println!("  {unit:<20} {:>10} {:>10} {:>10}  {:>7}", "median", "min", "max", "ratio");
        for figure in board.figures(at) {
            let spread = figure.spread;
            let [median, min, max] = [spread.median, spread.min, spread.max].map(number);
            let ratio = figure.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
            println!("    {:<18} {median:>10} {min:>10} {max:>10}  {ratio:>7}", figure.rival);
        }
    }
}

/// Prints how goro stands everywhere; gives the number of missed goals.
pub fn verdicts(boards: &[Board]) -> usize {
    let rows: Vec<_> = boards.iter().flat_map(rows).collect();
    if rows.is_empty() {
        return 0;
    }
    println!("\ngoro against the best rival of this run (time or memory; less is better)");
    println!(
        "  {:<32} {:>7}  {:>13}  {:>5}  {:<8} best rival",
        "goal", "ratio", "within rounds", "goal", ""
    );
    for (name, verdict) in &rows {
        let Verdict { best, ratio, within, goal } = verdict;
        let within = format!("{:.2} .. {:.2}", within.min, within.max);
        let word = if verdict.reached() { "reached" } else { "MISSED" };
        println!("  {name:<32} {ratio:>7.2}  {within:>13}  {goal:>5.2}  {word:<8} {best}");
    }
    let missed = rows.iter().filter(|(_, verdict)| !verdict.reached()).count();
    println!("  {} of {} goals reached", rows.len() - missed, rows.len());
    missed
}

fn rows(board: &Board) -> impl Iterator<Item = (String, Verdict)> + '_ {
    board.workload.metrics.iter().enumerate().filter_map(move |(at, metric)| {
        let name = format!("{} {}, {} w", board.workload.name, metric.name, board.workers);
        board.verdict(at).map(|verdict| (name, verdict))
    })
}

/// Three or four digits that matter.
fn number(value: f64) -> String {
    match value {
        value if value < 100.0 => format!("{value:.2}"),
        value if value < 1000.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}
