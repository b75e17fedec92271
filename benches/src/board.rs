//! The samples of one workload at one number of workers, and what they say.
//!
//! Invariants:
//! 1. A round takes one sample of each rival, one rival after another, before the next round
//!    begins: whatever slows the machine for a while slows all of them.
//! 2. All samples of a board have one checksum, or the board is an error.
use serde_json::{Value, json};

use crate::options::Options;
use crate::rival::GORO;
use crate::sample::{Order, Taker};
use crate::stats::Spread;
use crate::workload::{Goal, Metric, Workload};

/// The goals are for these numbers of workers; more of them than cores are shown without.
const MOST_WORKERS_WITH_GOALS: usize = 2;

/// All samples of a workload at one number of workers.
pub struct Board {
    /// The workload.
    pub workload: &'static Workload,
    /// Worker threads.
    pub workers: usize,
    columns: Vec<Column>,
}

struct Column {
    rival: &'static str,
    /// For each round, one value for each metric.
    rounds: Vec<Vec<f64>>,
}

/// One rival's figures in one metric.
pub struct Figure {
    /// The rival.
    pub rival: &'static str,
    /// Its samples.
    pub spread: Spread,
    /// Its median relative to the best of the *other* rivals that are not goro.
    pub ratio: Option<f64>,
}

/// How goro stands against one rival, or against a number.
pub struct Verdict {
    /// Whom goro is held against; nobody, if the goal is a number in the metric's unit.
    pub against: Option<&'static str>,
    /// goro's median relative to that rival's, or goro's median itself.
    pub ratio: f64,
    /// The same within each round: how far to trust the ratio.
    pub within: Spread,
    /// What the ratio must not exceed.
    pub goal: Option<f64>,
    /// What it should come to in the long run.
    pub aim: Option<f64>,
}

impl Verdict {
    /// Whether the goal is reached, if there is one.
    pub fn reached(&self) -> Option<bool> {
        self.goal.map(|goal| self.ratio <= goal)
    }
}

impl Board {
    /// Takes all samples, in rounds.
    ///
    /// # Errors
    ///
    /// A sample that failed, or a rival that computed something else.
    pub fn fill(
        workload: &'static Workload,
        workers: usize,
        options: &Options,
        taker: &Taker,
    ) -> Result<Self, String> {
        let among = workload.among.names();
        let rivals = options.rivals.iter().filter(|rival| among.contains(rival));
        let rivals = rivals.filter(|rival| !workload.without.contains(rival));
        let column = |&rival: &&'static str| Column { rival, rounds: Vec::new() };
        let mut columns: Vec<_> = rivals.map(column).collect();
        let mut expected = None;
        for _ in 0..options.rounds {
            for Column { rival, rounds } in &mut columns {
                let order = Order { workload, rival, workers, quick: options.quick };
                let sample = taker.take(order)?;
                if sample.values.len() != workload.metrics.len() {
                    return Err(format!("{}: {rival} gave other metrics", workload.name));
                }
                let checksum = *expected.get_or_insert(sample.checksum);
                if sample.checksum != checksum {
                    let found = sample.checksum;
                    let name = workload.name;
                    return Err(format!("{name}: {rival} computed {found}, not {checksum}"));
                }
                rounds.push(sample.values);
            }
        }
        Ok(Self { workload, workers, columns })
    }

    /// The rivals' figures in the metric of that index.
    pub fn figures(&self, metric: usize) -> Vec<Figure> {
        let figure = |column: &Column| {
            let spread = column.spread(metric);
            let best = self.best(metric, column.rival).and_then(|best| self.column(best));
            let ratio = best.map(|best| ratio(spread.median, best.spread(metric).median));
            Figure { rival: column.rival, spread, ratio }
        };
        self.columns.iter().map(figure).collect()
    }

    /// How goro stands in the metric of that index: once for each goal, and once against the best
    /// rival if no goal is and the metric has an aim, or is the main one and has no goal at all.
    pub fn verdicts(&self, index: usize) -> Vec<Verdict> {
        let metric = &self.workload.metrics[index];
        let goals = if self.workers <= MOST_WORKERS_WITH_GOALS { metric.goals } else { &[] };
        let best = self.best(index, GORO);
        let verdict = |goal: &Goal| match *goal {
            Goal::OfBest(most) => self.against(index, best?, Some(most), metric.aim),
            Goal::Of(rival, most) => self.against(index, rival, Some(most), None),
            Goal::AtMost(most) => self.alone(index, most),
        };
        let mut verdicts: Vec<_> = goals.iter().filter_map(verdict).collect();
        let told = goals.iter().any(|goal| matches!(goal, Goal::OfBest(_)));
        if !told && (metric.aim.is_some() || index == 0 && verdicts.is_empty()) {
            verdicts.extend(best.and_then(|best| self.against(index, best, None, metric.aim)));
        }
        verdicts
    }

    fn against(
        &self,
        metric: usize,
        rival: &'static str,
        goal: Option<f64>,
        aim: Option<f64>,
    ) -> Option<Verdict> {
        let (goro, other) = (self.column(GORO)?, self.column(rival)?);
        let rounds = goro.rounds.iter().zip(&other.rounds);
        let within: Vec<_> =
            rounds.map(|(goro, other)| ratio(goro[metric], other[metric])).collect();
        let ratio = ratio(goro.spread(metric).median, other.spread(metric).median);
        Some(Verdict { against: Some(rival), ratio, within: Spread::of(&within)?, goal, aim })
    }

    fn alone(&self, metric: usize, goal: f64) -> Option<Verdict> {
        let within = self.column(GORO)?.spread(metric);
        Some(Verdict { against: None, ratio: within.median, within, goal: Some(goal), aim: None })
    }

    /// The best rival in a metric; neither goro nor the one left out.
    fn best(&self, metric: usize, left_out: &str) -> Option<&'static str> {
        let rivals = self.columns.iter();
        let rivals = rivals.filter(|column| column.rival != GORO && column.rival != left_out);
        let medians = rivals.map(|column| (column.rival, column.spread(metric).median));
        medians.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(rival, _)| rival)
    }

    fn column(&self, rival: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.rival == rival)
    }

    /// The board as a JSON object.
    pub fn json(&self) -> Value {
        let metric = |(at, metric): (usize, &Metric)| {
            let samples = |column: &Column| {
                let samples: Vec<_> = column.rounds.iter().map(|values| values[at]).collect();
                (column.rival.to_owned(), json!(samples))
            };
            let verdict = |verdict: &Verdict| {
                json!({
                    "against": verdict.against,
                    "ratio": verdict.ratio,
                    "ratio_min": verdict.within.min,
                    "ratio_max": verdict.within.max,
                    "goal": verdict.goal,
                    "aim": verdict.aim,
                    "reached": verdict.reached(),
                })
            };
            let verdicts: Vec<_> = self.verdicts(at).iter().map(verdict).collect();
            let samples: serde_json::Map<_, _> = self.columns.iter().map(samples).collect();
            json!({
                "metric": metric.name,
                "unit": metric.unit,
                "samples": samples,
                "verdicts": verdicts,
            })
        };
        let metrics: Vec<_> = self.workload.metrics.iter().enumerate().map(metric).collect();
        json!({ "workload": self.workload.name, "workers": self.workers, "metrics": metrics })
    }
}

impl Column {
    fn spread(&self, metric: usize) -> Spread {
        let values: Vec<_> = self.rounds.iter().map(|values| values[metric]).collect();
        Spread::of(&values).expect("there is at least one round")
    }
}

/// Equal figures are equal also where both are 0.
fn ratio(this: f64, other: f64) -> f64 {
    if this == other { 1.0 } else { this / other }
}

#[cfg(test)]
mod tests {
    use super::{Board, Column};
    use crate::workload::named;

    /// A board whose every metric but the first is 1 in each sample.
    fn board(workload: &str, workers: usize, columns: &[(&'static str, [f64; 3])]) -> Board {
        let workload = named(workload).unwrap();
        let round = |value| {
            let mut metrics = vec![1.0; workload.metrics.len()];
            metrics[0] = value;
            metrics
        };
        let column = |&(rival, values): &(_, [f64; 3])| Column {
            rival,
            rounds: values.iter().map(|&value| round(value)).collect(),
        };
        let columns = columns.iter().map(column).collect();
        Board { workload, workers, columns }
    }

    #[test]
    fn goro_is_held_against_the_best_rival() {
        let columns = [
            ("goro", [40.0, 60.0, 50.0]),
            ("tokio", [300.0, 200.0, 100.0]),
            ("smol", [80.0, 100.0, 125.0]),
        ];
        let board = board("fork_join", 1, &columns);
        let [verdict] = &board.verdicts(0)[..] else { panic!("there is one goal") };
        assert_eq!((verdict.against, verdict.ratio), (Some("smol"), 0.5));
        assert_eq!((verdict.goal, verdict.aim), (Some(0.8), Some(0.4)));
        assert_eq!((verdict.within.min, verdict.within.max), (0.4, 0.6));
        assert_eq!(verdict.reached(), Some(true));
        assert!(board.verdicts(1).is_empty(), "CPU time has no goal");
    }

    #[test]
    fn a_goal_may_name_its_rival() {
        let columns =
            [("goro", [50.0; 3]), ("tokio", [100.0; 3]), ("static", [80.0; 3]), ("go", [40.0; 3])];
        let verdicts = board("spawn_join", 2, &columns).verdicts(0);
        let told: Vec<_> = verdicts.iter().map(|v| (v.against.unwrap(), v.ratio)).collect();
        assert_eq!(told, [("static", 0.625), ("tokio", 0.5), ("go", 1.25)]);
        let reached: Vec<_> = verdicts.iter().map(super::Verdict::reached).collect();
        assert_eq!(reached, [Some(true), Some(false), None], "the last line has but an aim");
    }

    #[test]
    fn a_goal_may_be_a_number() {
        for (switches, reached) in [(0.0, true), (1.0, false)] {
            let board = board("idle", 1, &[("goro", [switches; 3]), ("tokio", [0.0; 3])]);
            let [verdict] = &board.verdicts(0)[..] else { panic!("there is one goal") };
            assert_eq!((verdict.against, verdict.ratio), (None, switches));
            assert_eq!(verdict.reached(), Some(reached));
            let ratio = if reached { 1.0 } else { f64::INFINITY };
            assert_eq!(board.figures(0)[0].ratio, Some(ratio), "0 is equal to 0");
        }
    }

    #[test]
    fn more_workers_than_cores_have_no_goal() {
        let columns = [("goro", [90.0; 3]), ("tokio", [100.0; 3])];
        let verdicts = board("fork_join", 8, &columns).verdicts(0);
        let reached: Vec<_> = verdicts.iter().map(super::Verdict::reached).collect();
        assert_eq!((reached, verdicts[0].aim), (vec![None], Some(0.4)));
    }

    #[test]
    fn a_slower_goro_misses() {
        let board = board("fork_join", 2, &[("goro", [81.0; 3]), ("tokio", [100.0; 3])]);
        assert_eq!(board.verdicts(0)[0].reached(), Some(false));
    }

    #[test]
    fn a_rival_is_compared_with_the_best_of_the_others() {
        let columns = [("goro", [1.0; 3]), ("tokio", [100.0; 3]), ("smol", [50.0; 3])];
        let figures = board("spawn_join", 1, &columns).figures(0);
        let ratios: Vec<_> = figures.iter().map(|figure| figure.ratio).collect();
        assert_eq!(ratios, [Some(0.02), Some(2.0), Some(0.5)]);
    }
}
