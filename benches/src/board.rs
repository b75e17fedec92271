//! The samples of one workload at one number of workers, and what they say.
//!
//! Invariants:
//! 1. A round takes one sample of each rival, one rival after another, before the next round
//!    begins: whatever slows the machine for a while slows all of them.
//! 2. All samples of a board have one checksum, or the board is an error.
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::rival::{self, GORO};
use crate::sample::{Order, Taker};
use crate::stats::{Spread, ratio};
use crate::workload::{Gate, Metric, Workload};

/// The gates are for these numbers of workers; more of them than cores are shown without.
const MOST_WORKERS_WITH_GATES: usize = 2;

/// All samples of a workload at one number of workers.
pub struct Board {
    /// The workload.
    pub workload: &'static Workload,
    /// Worker threads.
    pub workers: usize,
    columns: Vec<Column>,
    checksum: Option<u64>,
    longest: Duration,
    took: Duration,
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
    /// Whom goro is held against; nobody, if the gate is a number in the metric's unit.
    pub against: Option<&'static str>,
    /// goro's median relative to that rival's, or goro's median itself.
    pub ratio: f64,
    /// The same within each round: how far to trust the ratio.
    pub within: Spread,
    /// What the ratio must not exceed.
    pub gate: Option<f64>,
    /// What it is to come to: for the best rival only.
    pub goal: Option<f64>,
}

impl Verdict {
    /// Whether the gate is kept, if there is one.
    pub fn kept(&self) -> Option<bool> {
        self.gate.map(|gate| self.ratio <= gate)
    }

    /// Whether the goal is reached, if there is one.
    pub fn reached(&self) -> Option<bool> {
        self.goal.map(|goal| self.ratio <= goal)
    }

    fn json(&self) -> Value {
        json!({
            "against": self.against,
            "ratio": self.ratio,
            "ratio_min": self.within.min,
            "ratio_max": self.within.max,
            "gate": self.gate,
            "kept": self.kept(),
            "goal": self.goal,
            "reached": self.reached(),
        })
    }
}

impl Board {
    /// One without samples, for those of these rivals that run the workload.
    pub fn new(workload: &'static Workload, workers: usize, rivals: &[&'static str]) -> Self {
        let among = workload.among.names();
        let rivals = rivals.iter().filter(|rival| among.contains(rival));
        let rivals = rivals.filter(|rival| !workload.without.contains(rival));
        let columns = rivals.map(|&rival| Column { rival, rounds: Vec::new() }).collect();
        let none = Duration::ZERO;
        Self { workload, workers, columns, checksum: None, longest: none, took: none }
    }

    /// Takes one sample of each rival.
    ///
    /// # Errors
    ///
    /// A sample that failed, or a rival that computed something else.
    pub fn round(&mut self, quick: bool, taker: &Taker) -> Result<(), String> {
        let began = Instant::now();
        let (workload, workers) = (self.workload, self.workers);
        for Column { rival, rounds } in &mut self.columns {
            let sample = taker.take(Order { workload, rival, workers, quick })?;
            if sample.values.len() != workload.metrics.len() {
                return Err(format!("{}: {rival} gave other metrics", workload.name));
            }
            let checksum = *self.checksum.get_or_insert(sample.checksum);
            if sample.checksum != checksum {
                let found = sample.checksum;
                let name = workload.name;
                return Err(format!("{name}: {rival} computed {found}, not {checksum}"));
            }
            rounds.push(sample.values);
        }
        self.longest = self.longest.max(began.elapsed());
        self.took += began.elapsed();
        Ok(())
    }

    /// How many rounds there are.
    pub fn rounds(&self) -> usize {
        self.columns.first().map_or(0, |column| column.rounds.len())
    }

    /// What all rounds took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// What the longest round took.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The rivals' figures in the metric of that index; none before the first round.
    pub fn figures(&self, metric: usize) -> Vec<Figure> {
        let figure = |column: &Column| {
            let spread = column.spread(metric)?;
            let best = self.best(metric, column.rival).and_then(|best| self.spread(best, metric));
            let ratio = best.map(|best| ratio(spread.median, best.median));
            Some(Figure { rival: column.rival, spread, ratio })
        };
        self.columns.iter().filter_map(figure).collect()
    }

    /// How goro stands in the metric of that index: once for each gate, and once against the best
    /// rival if no gate is and the metric has a goal or is the main one.
    pub fn verdicts(&self, index: usize) -> Vec<Verdict> {
        let metric = &self.workload.metrics[index];
        let gates = if self.workers <= MOST_WORKERS_WITH_GATES { metric.gates } else { &[] };
        let best = self.best(index, GORO);
        let verdict = |gate: &Gate| match *gate {
            Gate::OfBest(most) => self.against(index, best?, Some(most), metric.to_reach()),
            Gate::Of(rival, most) => self.against(index, rival, Some(most), None),
            Gate::AtMost(most) => self.alone(index, Some(most)),
        };
        let mut verdicts: Vec<_> = gates.iter().filter_map(verdict).collect();
        let numbers = metric.gates.iter().any(|gate| matches!(gate, Gate::AtMost(_)));
        if numbers && verdicts.is_empty() {
            verdicts.extend(self.alone(index, None));
        }
        let told = gates.iter().any(|gate| matches!(gate, Gate::OfBest(_))) || numbers;
        if !told && (metric.to_reach().is_some() || index == 0) {
            verdicts
                .extend(best.and_then(|best| self.against(index, best, None, metric.to_reach())));
        }
        verdicts
    }

    fn against(
        &self,
        metric: usize,
        rival: &'static str,
        gate: Option<f64>,
        goal: Option<f64>,
    ) -> Option<Verdict> {
        let (goro, other) = (self.column(GORO)?, self.column(rival)?);
        let rounds = goro.rounds.iter().zip(&other.rounds);
        let within: Vec<_> =
            rounds.map(|(goro, other)| ratio(goro[metric], other[metric])).collect();
        let ratio = ratio(goro.spread(metric)?.median, other.spread(metric)?.median);
        Some(Verdict { against: Some(rival), ratio, within: Spread::of(&within)?, gate, goal })
    }

    fn alone(&self, metric: usize, gate: Option<f64>) -> Option<Verdict> {
        let within = self.spread(GORO, metric)?;
        Some(Verdict { against: None, ratio: within.median, within, gate, goal: None })
    }

    /// The best rival in a metric; neither goro, nor the one left out, nor a column that takes a part
    /// of goro's.
    fn best(&self, metric: usize, left_out: &str) -> Option<&'static str> {
        let rivals = self.columns.iter().filter(|column| rival::is_one(column.rival));
        let rivals = rivals.filter(|column| column.rival != left_out);
        let medians =
            rivals.filter_map(|column| Some((column.rival, column.spread(metric)?.median)));
        medians.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(rival, _)| rival)
    }

    fn column(&self, rival: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.rival == rival)
    }

    fn spread(&self, rival: &str, metric: usize) -> Option<Spread> {
        self.column(rival)?.spread(metric)
    }

    /// The board as a JSON object; the README says what is in it.
    pub fn json(&self) -> Value {
        let metrics: Vec<_> =
            (0..self.workload.metrics.len()).map(|at| self.metric_json(at)).collect();
        json!({
            "workload": self.workload.name,
            "about": self.workload.about,
            "workers": self.workers,
            "rounds": self.rounds(),
            "metrics": metrics,
        })
    }

    fn metric_json(&self, at: usize) -> Value {
        let Metric { name, unit, .. } = self.workload.metrics[at];
        let samples = |column: &Column| {
            let samples: Vec<_> = column.rounds.iter().map(|values| values[at]).collect();
            (column.rival.to_owned(), json!(samples))
        };
        let spread = |figure: &Figure| {
            let Spread { median, min, max } = figure.spread;
            (figure.rival.to_owned(), json!({ "median": median, "min": min, "max": max }))
        };
        let samples: Map<_, _> = self.columns.iter().map(samples).collect();
        let spreads: Map<_, _> = self.figures(at).iter().map(spread).collect();
        let verdicts: Vec<_> = self.verdicts(at).iter().map(Verdict::json).collect();
        json!({
            "metric": name,
            "unit": unit,
            "samples": samples,
            "spreads": spreads,
            "verdicts": verdicts,
        })
    }
}

impl Column {
    fn spread(&self, metric: usize) -> Option<Spread> {
        let values: Vec<_> = self.rounds.iter().map(|values| values[metric]).collect();
        Spread::of(&values)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Board, Column, Verdict};
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
        let none = Duration::ZERO;
        Board { workload, workers, columns, checksum: None, longest: none, took: none }
    }

    #[test]
    fn goro_is_held_against_the_best_rival() {
        let columns = [
            ("goro", [40.0, 60.0, 50.0]),
            ("tokio", [300.0, 200.0, 100.0]),
            ("smol", [80.0, 100.0, 125.0]),
        ];
        let board = board("fork_join", 1, &columns);
        let [verdict] = &board.verdicts(0)[..] else { panic!("there is one gate") };
        assert_eq!((verdict.against, verdict.ratio), (Some("smol"), 0.5));
        assert_eq!((verdict.gate, verdict.goal), (Some(0.8), Some(0.4)));
        assert_eq!((verdict.within.min, verdict.within.max), (0.4, 0.6));
        assert_eq!((verdict.kept(), verdict.reached()), (Some(true), Some(false)));
        assert!(board.verdicts(1).is_empty(), "CPU time has no gate");
    }

    #[test]
    fn a_gate_may_name_its_rival() {
        let columns =
            [("goro", [50.0; 3]), ("tokio", [100.0; 3]), ("static", [80.0; 3]), ("go", [40.0; 3])];
        let verdicts = board("spawn_join", 2, &columns).verdicts(0);
        let told: Vec<_> = verdicts.iter().map(|v| (v.against.unwrap(), v.ratio)).collect();
        assert_eq!(told, [("static", 0.625), ("tokio", 0.5), ("go", 1.25)]);
        let kept: Vec<_> = verdicts.iter().map(Verdict::kept).collect();
        assert_eq!(kept, [Some(true), Some(false), None], "the last line has but a goal");
        assert_eq!(verdicts[2].reached(), Some(false));
    }

    #[test]
    fn a_gate_may_be_a_number() {
        for (switches, kept) in [(0.0, true), (1.0, false)] {
            let board = board("idle", 1, &[("goro", [switches; 3]), ("tokio", [0.0; 3])]);
            let [verdict] = &board.verdicts(0)[..] else { panic!("there is one gate") };
            assert_eq!((verdict.against, verdict.ratio), (None, switches));
            assert_eq!(verdict.kept(), Some(kept));
            let ratio = if kept { 1.0 } else { f64::INFINITY };
            assert_eq!(board.figures(0)[0].ratio, Some(ratio), "0 is equal to 0");
        }
    }

    #[test]
    fn more_workers_than_cores_have_no_gate() {
        let columns = [("goro", [90.0; 3]), ("tokio", [100.0; 3])];
        let verdicts = board("fork_join", 8, &columns).verdicts(0);
        let kept: Vec<_> = verdicts.iter().map(Verdict::kept).collect();
        assert_eq!((kept, verdicts[0].goal), (vec![None], Some(0.4)));
        let numbers = board("idle", 8, &columns).verdicts(0);
        assert_eq!((numbers.len(), numbers[0].ratio, numbers[0].kept()), (1, 90.0, None));
    }

    #[test]
    fn a_slower_goro_misses() {
        let board = board("fork_join", 2, &[("goro", [81.0; 3]), ("tokio", [100.0; 3])]);
        assert_eq!(board.verdicts(0)[0].kept(), Some(false));
    }

    #[test]
    fn a_rival_is_compared_with_the_best_of_the_others() {
        let columns = [("goro", [1.0; 3]), ("tokio", [100.0; 3]), ("smol", [50.0; 3])];
        let figures = board("spawn_join", 1, &columns).figures(0);
        let ratios: Vec<_> = figures.iter().map(|figure| figure.ratio).collect();
        assert_eq!(ratios, [Some(0.02), Some(2.0), Some(0.5)]);
    }

    #[test]
    fn a_column_with_a_part_of_goro_s_is_nobody_s_rival() {
        let columns = [("goro", [50.0; 3]), ("kanal", [100.0; 3]), ("kanal+goro", [10.0; 3])];
        let verdicts = board("channel_1_1_cap1_8b", 2, &columns).verdicts(0);
        let told: Vec<_> = verdicts.iter().map(|v| (v.against, v.ratio)).collect();
        assert_eq!(told, [(Some("kanal"), 0.5), (Some("kanal"), 0.5)], "a gate and a goal");
    }

    #[test]
    fn what_is_no_number_is_null_in_json() {
        let board = board("fork_join", 1, &[("goro", [1.0; 3]), ("tokio", [0.0; 3])]);
        let json = board.json();
        let metric = &json["metrics"][0];
        assert!(metric["verdicts"][0]["ratio"].is_null(), "{metric}");
        assert_eq!(metric["spreads"]["goro"]["median"].as_f64(), Some(1.0));
        assert_eq!(metric["samples"]["tokio"].as_array().map(Vec::len), Some(3));
    }
}
