//! A run's tables, in Markdown.
use super::Report;
use super::figures::{Line, Standing};
use crate::print::number;
use crate::workload::{GROUPS, Group};

/// When and where, by which call.
pub fn facts(report: &Report) -> String {
    let named = |name: &str| report.fact(name);
    let minutes = named("seconds").parse::<f64>().map_or(0.0, |seconds| seconds / 60.0);
    let rounds = rounds(report.lines.iter());
    format!(
        "{}, {}, {}, {}, {}, {}, load at start {}; commit {}; {rounds} in {minutes:.0} minutes:\n\n\
         ```sh\ntarget/release/{}\n```",
        named("date"),
        named("processor"),
        named("kernel"),
        named("compiler"),
        named("rivals"),
        named("memory"),
        named("load at start"),
        named("commit"),
        named("command"),
    )
}

/// A row for each figure that goro is held to something in; a column for each number of workers.
///
/// `None` if the run had none of its rows.
pub fn group(report: &Report, group: &Group) -> Option<String> {
    let lines: Vec<_> = report.of(group).filter(|line| !line.verdicts.is_empty()).collect();
    let workers = distinct(lines.iter().map(|line| line.workers));
    let shown =
        workers.iter().copied().find(|&workers| workers == 2).or(workers.first().copied())?;
    let heads = workers.iter().map(|workers| format!(" {workers} |")).collect::<String>();
    let plural = if shown == 1 { "" } else { "s" };
    let mut text = format!(
        "| row | figure | goal |{heads} goro, {shown} worker{plural} | best rival |\n\
         |---|---|---:|{}---:|---:|\n",
        "---:|".repeat(workers.len())
    );
    for (workload, metric) in distinct(lines.iter().map(|line| (&line.workload, &line.metric))) {
        let of = |workers: u64| {
            lines.iter().copied().find(|line| {
                (&line.workload, &line.metric, line.workers) == (workload, metric, workers)
            })
        };
        let cells = workers.iter().map(|&workers| of(workers).map_or(String::new(), cell));
        let cells = cells.map(|cell| format!(" {cell} |")).collect::<String>();
        let Some(line) = of(shown).or_else(|| workers.iter().find_map(|&workers| of(workers)))
        else {
            continue;
        };
        let goal = goal(line);
        let own = line.own().map_or(String::new(), number);
        let best = best(line);
        let unit = &line.unit;
        text += &format!("| {workload} | {metric}, {unit} | {goal} |{cells} {own} | {best} |\n");
    }
    Some(text + &below(report, lines.into_iter()))
}

/// When a table's figures were taken.
fn below<'a>(report: &Report, lines: impl Iterator<Item = &'a Line>) -> String {
    format!("\n{}, commit {}, {}", report.fact("date"), report.fact("commit"), rounds(lines))
}

/// How many rounds some lines are of.
fn rounds<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    let rounds: Vec<_> = lines.map(|line| line.rounds).collect();
    match (rounds.iter().min(), rounds.iter().max()) {
        (Some(1), Some(1)) => "one round".into(),
        (Some(least), Some(most)) if least == most => format!("{most} rounds"),
        (Some(least), Some(most)) => format!("{least} to {most} rounds"),
        _ => "no round".into(),
    }
}

/// What stands short of its goal, the furthest first.
pub fn missed(report: &Report) -> String {
    let mut rows: Vec<(f64, String)> = Vec::new();
    for line in GROUPS.iter().flat_map(|group| report.of(group)) {
        let Some(Standing { ratio: Some(ratio), goal: Some(goal), against, range, .. }) =
            line.best()
        else {
            continue;
        };
        if ratio > goal {
            let Line { workload, metric, workers, .. } = line;
            let against = against.as_deref().unwrap_or("");
            let range = range.map_or(String::new(), |(low, high)| format!("{low:.2} to {high:.2}"));
            let row = format!(
                "| {workload} | {metric} | {workers} | {ratio:.2} | {range} | {against} | {goal:.2} |\n"
            );
            rows.push((ratio / goal, row));
        }
    }
    if rows.is_empty() {
        return "None: every row reaches its goal.".into();
    }
    rows.sort_by(|one, other| other.0.total_cmp(&one.0));
    let head = "| row | figure | workers | ratio | within rounds | best rival | goal |\n\
                |---|---|---:|---:|---:|---|---:|\n";
    rows.into_iter().fold(head.to_owned(), |text, (_, row)| text + &row)
}

/// How long single operations waited, beside how fast all were: what a rate may not be bought with.
///
/// `None` if no row of the run has them.
pub fn waits(report: &Report) -> Option<String> {
    let mut seen = Vec::new();
    let mut text =
        "| row | workers | figure | goro | the others |\n|---|---:|---|---:|---|\n".to_owned();
    for line in GROUPS.iter().flat_map(|group| report.of(group)) {
        if !["wait p99", "apart"].contains(&line.metric.as_str()) || line.workers > 2 {
            continue;
        }
        let Line { workload, metric, unit, workers, .. } = line;
        if metric == "apart" && line.spreads.iter().all(|(_, spread)| spread.median == 0.0) {
            continue;
        }
        seen.push(line);
        let own = line.own().map_or(String::new(), number);
        let others = line.spreads.iter().filter(|(rival, _)| rival != crate::rival::GORO);
        let others: Vec<_> =
            others.map(|(rival, spread)| format!("{rival} {}", number(spread.median))).collect();
        text += &format!(
            "| {workload} | {workers} | {metric}, {unit} | {own} | {} |\n",
            others.join(", ")
        );
    }
    (!seen.is_empty()).then(|| text + &below(report, seen.into_iter()))
}

/// The ratio against the best rival, or goro's own figure; bold where the goal is reached.
fn cell(line: &Line) -> String {
    let Some(standing) = line.verdicts.last() else { return String::new() };
    let Some(ratio) = standing.ratio else { return "none".into() };
    let told = match standing.against {
        Some(_) => format!("{ratio:.2}"),
        None => number(ratio),
    };
    let most = standing.goal.or(standing.gate);
    if most.is_some_and(|most| ratio <= most) { format!("**{told}**") } else { told }
}

fn goal(line: &Line) -> String {
    let standing = line.verdicts.last();
    let most = standing.and_then(|standing| standing.goal.or(standing.gate));
    match (most, standing.and_then(|standing| standing.against.as_ref())) {
        (Some(most), Some(_)) => format!("{most:.2}"),
        (Some(most), None) => format!("{} {}", number(most), line.unit),
        (None, _) => String::new(),
    }
}

fn best(line: &Line) -> String {
    let rival = line.verdicts.last().and_then(|standing| standing.against.as_deref());
    let median = rival.and_then(|rival| line.median(rival));
    match (rival, median) {
        (Some(rival), Some(median)) => format!("{} {rival}", number(median)),
        _ => String::new(),
    }
}

/// Each once, in the order of the first ones.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Line, Report, Standing};
    use super::{group, missed};
    use crate::stats::Spread;
    use crate::workload::GROUPS;

    fn line(workers: u64, ratio: Option<f64>, goal: Option<f64>) -> Line {
        let spread = |median| Spread { median, min: median, max: median };
        Line {
            workload: "yield".into(),
            workers,
            rounds: 3,
            metric: "time".into(),
            unit: "ns/yield".into(),
            spreads: vec![("goro".into(), spread(20.0)), ("tokio".into(), spread(50.0))],
            verdicts: vec![Standing {
                against: Some("tokio".into()),
                ratio,
                range: Some((0.3, 0.5)),
                gate: None,
                goal,
            }],
        }
    }

    #[test]
    fn a_row_has_a_cell_for_each_number_of_workers() {
        let lines = vec![line(1, Some(0.7), Some(0.6)), line(2, Some(0.4), Some(0.6))];
        let report = Report { facts: Vec::new(), lines };
        let text = group(&report, &GROUPS[0]).unwrap();
        let row = "| yield | time, ns/yield | 0.60 | 0.70 | **0.40** | 20.00 | 50.00 tokio |\n";
        assert!(text.contains(row) && text.ends_with(", 3 rounds"), "{text}");
        assert!(text.starts_with("| row | figure | goal | 1 | 2 | goro, 2 workers |"), "{text}");
        assert_eq!(group(&report, &GROUPS[1]), None, "none of its rows was run");
    }

    #[test]
    fn what_misses_its_goal_is_told_the_furthest_first() {
        let lines = vec![
            line(1, Some(0.7), Some(0.6)),
            line(2, Some(0.4), Some(0.6)),
            line(4, None, Some(0.6)),
            line(8, Some(0.9), Some(0.6)),
        ];
        let text = missed(&Report { facts: Vec::new(), lines });
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| yield | time | 8 | 0.90 | 0.30 to 0.50 | tokio | 0.60 |",
                "| yield | time | 1 | 0.70 | 0.30 to 0.50 | tokio | 0.60 |",
            ]
        );
        let none = missed(&Report { facts: Vec::new(), lines: Vec::new() });
        assert_eq!(none, "None: every row reaches its goal.");
    }
}
