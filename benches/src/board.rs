//! The samples of one workload at one number of workers, and what they say.
//!
//! Invariants:
//! 1. A round takes one sample of each rival, one rival after another, before the next round
//!    begins: whatever slows the machine for a while slows all of them.
//! 2. All samples of a board have one checksum, or the board is an error.
use serde_json::{Value, json};

use crate::options::Options;
use crate::rival::GORO;
use crate::sample::{self, Order};
use crate::stats::Spread;
use crate::workload::{Metric, Workload};

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

/// How goro stands against a goal.
pub struct Verdict {
    /// The best rival.
    pub best: &'static str,
    /// goro's median relative to the best rival's.
    pub ratio: f64,
    /// The same within each round: how far to trust the ratio.
    pub within: Spread,
    /// The goal.
    pub goal: f64,
}

impl Verdict {
    /// Whether the goal is reached.
    pub fn reached(&self) -> bool {
        self.ratio <= self.goal
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
    ) -> Result<Self, String> {
        let column = |&rival: &&'static str| Column { rival, rounds: Vec::new() };
        let mut columns: Vec<_> = options.rivals.iter().map(column).collect();
        let mut expected = None;
        for _ in 0..options.rounds {
            for Column { rival, rounds } in &mut columns {
                let scale = options.scale;
                let order = Order { workload: workload.name, rival, workers, scale };
                let sample = sample::take(order)?;
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
            let ratio = self.best(metric, column.rival).map(|(_, best)| spread.median / best);
            Figure { rival: column.rival, spread, ratio }
        };
        self.columns.iter().map(figure).collect()
    }

    /// How goro stands in the metric of that index, if it has a goal and both sides ran.
    pub fn verdict(&self, metric: usize) -> Option<Verdict> {
        let goal = self.workload.metrics[metric].goal?;
        let goro = self.column(GORO)?;
        let (best, median) = self.best(metric, GORO)?;
        let rounds = goro.rounds.iter().zip(&self.column(best)?.rounds);
        let within: Vec<_> = rounds.map(|(goro, best)| goro[metric] / best[metric]).collect();
        let (within, ratio) = (Spread::of(&within)?, goro.spread(metric).median / median);
        Some(Verdict { best, ratio, within, goal })
    }

    /// Name and median of the best rival in a metric; neither goro nor the one left out.
    fn best(&self, metric: usize, left_out: &str) -> Option<(&'static str, f64)> {
        let rivals = self.columns.iter();
        let rivals = rivals.filter(|column| column.rival != GORO && column.rival != left_out);
        let medians = rivals.map(|column| (column.rival, column.spread(metric).median));
        medians.min_by(|one, other| one.1.total_cmp(&other.1))
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
            let verdict = self.verdict(at).map(|verdict| {
                json!({
                    "best": verdict.best,
                    "ratio": verdict.ratio,
                    "ratio_min": verdict.within.min,
                    "ratio_max": verdict.within.max,
                    "goal": verdict.goal,
                    "reached": verdict.reached(),
                })
            });
            let samples: serde_json::Map<_, _> = self.columns.iter().map(samples).collect();
            json!({
                "metric": metric.name,
                "unit": metric.unit,
                "samples": samples,
                "verdict": verdict,
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

#[cfg(test)]
mod tests {
    use super::{Board, Column};
    use crate::workload::named;

    fn board(columns: &[(&'static str, [f64; 3])]) -> Board {
        let column = |&(rival, values): &(_, [f64; 3])| Column {
            rival,
            rounds: values.iter().map(|&value| vec![value, 1.0]).collect(),
        };
        let columns = columns.iter().map(column).collect();
        Board { workload: named("spawn_join").unwrap(), workers: 1, columns }
    }

    #[test]
    fn goro_is_held_against_the_best_rival() {
        let board = board(&[
            ("goro", [40.0, 60.0, 50.0]),
            ("tokio", [300.0, 200.0, 100.0]),
            ("smol", [80.0, 100.0, 125.0]),
        ]);
        let verdict = board.verdict(0).unwrap();
        assert_eq!((verdict.best, verdict.ratio, verdict.goal), ("smol", 0.5, 0.5));
        assert_eq!((verdict.within.min, verdict.within.max), (0.4, 0.6));
        assert!(verdict.reached());
        assert!(board.verdict(1).is_none(), "CPU time has no goal");
    }

    #[test]
    fn a_slower_goro_misses() {
        let board = board(&[("goro", [51.0; 3]), ("tokio", [100.0; 3])]);
        assert!(!board.verdict(0).unwrap().reached());
    }

    #[test]
    fn a_rival_is_compared_with_the_best_of_the_others() {
        let board = board(&[("goro", [1.0; 3]), ("tokio", [100.0; 3]), ("smol", [50.0; 3])]);
        let ratios: Vec<_> = board.figures(0).iter().map(|figure| figure.ratio).collect();
        assert_eq!(ratios, [Some(0.02), Some(2.0), Some(0.5)]);
    }
}
