//! Tables for people: while it runs as plain text, at the end in Markdown.
use crate::board::{Board, Verdict};
use crate::host;
use crate::rival;
use crate::workload::{self, Among, Gate, Metric};

/// Above this load, something else uses the machine.
const QUIET: f64 = 0.5;

/// Prints the facts about the host.
pub fn host_facts(rivals: &[&str]) {
    for (name, value) in host::facts(rivals) {
        println!("{name:>14}  {value}");
    }
    if host::load().is_some_and(|load| load > QUIET) {
        println!("{:>14}  other programs run here: not even the ratios can be trusted", "WARNING");
    }
}

/// Prints the workloads, their gates and goals.
pub fn list() {
    for workload in workload::every() {
        println!("{}: {}", workload.name, workload.about);
        for Metric { name, unit, gates, goal } in workload.metrics {
            let gate = |gate: &Gate| match gate {
                Gate::OfBest(most) => format!(", at most {most:.2} of the best"),
                Gate::Of(rival, most) => format!(", at most {most:.2} of {rival}"),
                Gate::AtMost(most) => format!(", at most {most}"),
            };
            let gates: String = gates.iter().map(gate).collect();
            let goal =
                goal.map_or_else(String::new, |goal| format!(", goal {goal:.2} of the best"));
            println!("    {name} in {unit}{gates}{goal}");
        }
        if !workload.without.is_empty() {
            println!("    not on {}", workload.without.join(", "));
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
        println!("  {unit:<22} {:>10} {:>10} {:>10}  {:>7}", "median", "min", "max", "ratio");
        for figure in board.figures(at) {
            let spread = figure.spread;
            let [median, min, max] = [spread.median, spread.min, spread.max].map(number);
            let ratio = figure.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            println!("    {:<20} {median:>10} {min:>10} {max:>10}  {ratio:>7}", figure.rival);
        }
    }
}

/// Prints every rival's median in every metric, as a Markdown table.
pub fn medians(boards: &[Board]) {
    println!("\nMedians; *ratio* is goro's over the best rival's of this run. Less is better.\n");
    for among in [Among::Runtimes, Among::Channels] {
        let boards: Vec<_> = boards.iter().filter(|board| board.workload.among == among).collect();
        if !boards.is_empty() {
            medians_among(among.names(), &boards);
        }
    }
}

fn medians_among(names: &[&str], boards: &[&Board]) {
    println!("| row | figure | workers | {} | ratio |", names.join(" | "));
    println!("|---|---|---:|{}---:|", "---:|".repeat(names.len()));
    for board in boards {
        for (at, Metric { name, unit, .. }) in board.workload.metrics.iter().enumerate() {
            let figures = board.figures(at);
            let of = |rival: &str| figures.iter().find(|figure| figure.rival == rival);
            let median =
                |rival: &&str| of(rival).map_or(String::new(), |it| number(it.spread.median));
            let medians: Vec<_> = names.iter().map(median).collect();
            let ratio = of(rival::GORO).and_then(|goro| goro.ratio);
            let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let (row, workers) = (board.workload.name, board.workers);
            let medians = medians.join(" | ");
            println!("| {row} | {name}, {unit} | {workers} | {medians} | {ratio} |");
        }
    }
    println!();
}

/// Prints how goro stands everywhere, as a Markdown table; gives the number of missed gates.
pub fn verdicts(boards: &[Board]) -> usize {
    let rows: Vec<_> = boards.iter().flat_map(rows).collect();
    if rows.is_empty() {
        return 0;
    }
    println!("\ngoro's median over that of the rival named, time or memory; less is better.\n");
    println!("| row | workers | against | ratio | within rounds | gate | | goal | |");
    println!("|---|---:|---|---:|---:|---:|---|---:|---|");
    for (name, workers, verdict) in &rows {
        let Verdict { against, ratio, within, gate, goal } = verdict;
        let against = against.unwrap_or("a number");
        let [gate, goal] =
            [gate, goal].map(|most| most.map_or(String::new(), |most| format!("{most:.2}")));
        let word = |reached, yes| match reached {
            Some(true) => yes,
            Some(false) => "**missed**",
            None => "",
        };
        let (kept, reached) = (word(verdict.kept(), "kept"), word(verdict.reached(), "reached"));
        let within = format!("{:.2} to {:.2}", within.min, within.max);
        println!(
            "| {name} | {workers} | {against} | {ratio:.2} | {within} | {gate} | {kept} | {goal} | {reached} |"
        );
    }
    let count = |words: Vec<bool>| (words.iter().filter(|yes| **yes).count(), words.len());
    let (kept, gates) = count(rows.iter().filter_map(|(.., verdict)| verdict.kept()).collect());
    let (goals, of) = count(rows.iter().filter_map(|(.., verdict)| verdict.reached()).collect());
    println!("\n{kept} of {gates} gates kept, {goals} of {of} goals reached");
    gates - kept
}

fn rows(board: &Board) -> impl Iterator<Item = (String, usize, Verdict)> + '_ {
    board.workload.metrics.iter().enumerate().flat_map(move |(at, metric)| {
        let name = format!("{}, {}", board.workload.name, metric.name);
        let verdicts = board.verdicts(at).into_iter();
        verdicts.map(move |verdict| (name.clone(), board.workers, verdict))
    })
}

/// Three or four digits that matter.
pub fn number(value: f64) -> String {
    match value {
        value if value < 100.0 => format!("{value:.2}"),
        value if value < 1000.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}
