//! A run's figures, read back from its file.
use serde_json::Value;

use crate::report::SCHEMA;
use crate::rival::{self, GORO};
use crate::stats::Spread;
use crate::workload::Group;

/// A run, as its file has it.
pub struct Report {
    /// When, of which commit, by which call, and what else is to be said of the figures.
    pub facts: Vec<(String, String)>,
    /// Its lines, in their order.
    pub lines: Vec<Line>,
}

/// What one metric of one workload came to, at one number of workers.
pub struct Line {
    /// The workload.
    pub workload: String,
    /// Worker threads.
    pub workers: u64,
    /// Rounds.
    pub rounds: u64,
    /// The metric.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Each rival's figures.
    pub spreads: Vec<(String, Spread)>,
    /// How goro stands against rivals.
    pub verdicts: Vec<Standing>,
}

/// How goro stands against a rival, or against a number.
pub struct Standing {
    /// Whom; nobody if the gate is a number.
    pub against: Option<String>,
    /// The ratio, or goro's median.
    pub ratio: Option<f64>,
    /// Its range within rounds.
    pub range: Option<(f64, f64)>,
    /// What a check holds it to.
    pub gate: Option<f64>,
    /// What it is to come to.
    pub goal: Option<f64>,
}

impl Report {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// It is of another form.
    pub fn read(json: &Value) -> Result<Self, String> {
        if json["schema"] != SCHEMA {
            return Err(format!("this reads {SCHEMA}, not {}", json["schema"]));
        }
        let mut facts = Vec::new();
        for name in ["date", "commit", "command", "seconds", "size"] {
            facts.push((name.to_owned(), plain(&json[name])));
        }
        for (name, value) in json["host"].as_object().into_iter().flatten() {
            facts.push((name.clone(), plain(value)));
        }
        let boards = json["boards"].as_array().ok_or("it has no boards")?;
        Ok(Self { facts, lines: boards.iter().flat_map(lines).collect() })
    }

    /// One of the facts, or nothing.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The lines of a group.
    pub fn of(&self, group: &Group) -> impl Iterator<Item = &Line> {
        group.rows().flat_map(|row| self.lines.iter().filter(|line| line.workload == row.name))
    }
}

impl Line {
    /// How goro stands against the best rival: the last that is said of a metric, unless its gate is
    /// a number.
    pub fn best(&self) -> Option<&Standing> {
        self.verdicts.last().filter(|standing| standing.against.is_some())
    }

    /// A rival's median.
    pub fn median(&self, rival: &str) -> Option<f64> {
        self.spreads.iter().find(|(known, _)| known == rival).map(|(_, spread)| spread.median)
    }

    /// goro's.
    pub fn own(&self) -> Option<f64> {
        self.median(GORO)
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn lines(board: &Value) -> Vec<Line> {
    let metrics = board["metrics"].as_array().into_iter().flatten();
    metrics.map(|metric| line(board, metric)).collect()
}

fn line(board: &Value, metric: &Value) -> Line {
    let spread = |value: &Value| {
        let [median, min, max] = ["median", "min", "max"].map(|name| value[name].as_f64());
        Some(Spread { median: median?, min: min?, max: max? })
    };
    let spreads = metric["spreads"].as_object().into_iter().flatten();
    let spreads = spreads.filter_map(|(rival, value)| Some((rival.clone(), spread(value)?)));
    let verdicts = metric["verdicts"].as_array().into_iter().flatten();
    let verdicts = verdicts.map(|verdict| Standing {
        against: verdict["against"].as_str().map(str::to_owned),
        ratio: verdict["ratio"].as_f64(),
        range: verdict["ratio_min"].as_f64().zip(verdict["ratio_max"].as_f64()),
        gate: verdict["gate"].as_f64(),
        goal: verdict["goal"].as_f64(),
    });
    let mut spreads: Vec<_> = spreads.collect();
    // JSON's names have no order; rivals have the one of a round.
    spreads.sort_by_key(|(rival, _)| rival::place(rival));
    Line {
        workload: plain(&board["workload"]),
        workers: board["workers"].as_u64().unwrap_or(0),
        rounds: board["rounds"].as_u64().unwrap_or(0),
        metric: plain(&metric["metric"]),
        unit: plain(&metric["unit"]),
        spreads,
        verdicts: verdicts.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Report;
    use crate::report::SCHEMA;

    fn report() -> serde_json::Value {
        json!({
            "schema": SCHEMA, "date": "2026-11-29", "commit": "0123", "seconds": 1.5, "size": "full",
            "host": { "processor": "2 x that <one>" },
            "boards": [{
                "workload": "yield", "workers": 2, "rounds": 3,
                "metrics": [{
                    "metric": "time", "unit": "ns/yield",
                    "spreads": {
                        "goro": { "median": 20.0, "min": 19.0, "max": 21.0 },
                        "tokio": { "median": 50.0, "min": 40.0, "max": 60.0 },
                        "go": { "median": null, "min": null, "max": null },
                    },
                    "verdicts": [
                        { "against": "tokio", "ratio": 0.4, "ratio_min": 0.3, "ratio_max": 0.5,
                          "gate": 0.8, "goal": null },
                        { "against": "tokio", "ratio": null, "ratio_min": 0.3, "ratio_max": null,
                          "gate": null, "goal": 0.6 },
                    ],
                }],
            }],
        })
    }

    #[test]
    fn a_report_is_read_back() {
        let report = Report::read(&report()).unwrap();
        assert_eq!(report.fact("processor"), "2 x that <one>");
        let [line] = &report.lines[..] else { panic!("there is one line") };
        assert_eq!(
            (line.own(), line.median("tokio"), line.median("go")),
            (Some(20.0), Some(50.0), None)
        );
        let order: Vec<_> = line.spreads.iter().map(|(rival, _)| rival.as_str()).collect();
        assert_eq!(order, ["goro", "tokio"], "as in a round, without what has no figure");
        let best = line.best().unwrap();
        assert_eq!((best.ratio, best.range, best.goal), (None, None, Some(0.6)));
        assert_eq!(line.verdicts[0].range, Some((0.3, 0.5)));
    }

    #[test]
    fn another_form_is_refused() {
        let mut other = report();
        other["schema"] = "goro-bench/1".into();
        assert!(Report::read(&other).is_err());
    }
}
