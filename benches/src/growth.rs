//! How figures change as something grows: tasks, workers, connections, producers, timers. goro beside the
//! others in one call, drawn as curves.
//!
//! Invariants:
//! 1. A sample is a process of its own, and the samples of a point take turns, as in a [`Board`](crate::board::Board).
//! 2. All samples of a point have one checksum.
//! 3. No point is begun that would take more than its share of the memory that is free: it is told of and
//!    left out, and so is a point whose sample failed.
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::chart::{self, Panel, Panels, Scale};
use crate::rival::THREADS;
use crate::stats::Spread;
use crate::workload::Sample;
use crate::{host, report, sample};

mod channels;
mod connections;
mod sweeps;
mod tasks;
mod timers;
mod workers;

pub use connections::{LOAD, load};
use sweeps::{SWEEPS, Sweep};

/// The first argument that asks for it.
pub const COMMAND: &str = "growth";
/// The hidden first argument that makes the program one sample.
pub const GROW: &str = "grow";

const USAGE: &str = "growth [--only A,B] [--rounds N] [--quick] [--json FILE] [--plots DIR]: tasks, workers, \
     connections, producers, pairs, timers as they grow";

/// The form of the file.
const SCHEMA: &str = "goro-growth/1";

/// How much of the free memory a sample may take, in tenths.
const SHARE: u64 = 6;

struct Options {
    sweeps: Vec<&'static Sweep>,
    rounds: usize,
    quick: bool,
    json: Option<PathBuf>,
    plots: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            sweeps: SWEEPS.iter().collect(),
            rounds: 3,
            quick: false,
            json: None,
            plots: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--only" => {
                    let named = |name| SWEEPS.iter().find(|sweep| sweep.name == name);
                    let each = value()?.split(',').map(|name| named(name).ok_or(USAGE.to_owned()));
                    options.sweeps = each.collect::<Result<_, _>>()?;
                }
                "--rounds" => {
                    let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
                    options.rounds = rounds.ok_or("--rounds needs a number from 1")?;
                }
                "--quick" => options.quick = true,
                "--json" => options.json = Some(value()?.into()),
                "--plots" => options.plots = Some(value()?.into()),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// Takes all samples, prints, writes and draws them.
///
/// # Errors
///
/// What is wrong with the arguments, or cannot be written.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    let began = Instant::now();
    let facts = Value::Object(host::json(&[]));
    let mut sweeps = Vec::new();
    for sweep in &options.sweeps {
        let grown = Grown::measure(sweep, &options);
        grown.print();
        if let Some(folder) = &options.plots {
            grown.draw(folder, &processor(&facts), &report::date())?;
        }
        sweeps.push(grown.json());
    }
    if let Some(file) = &options.json {
        let report = json!({
            "schema": SCHEMA,
            "date": report::date(),
            "commit": report::commit(),
            "command": format!("goro-bench {COMMAND} {}", arguments.join(" ")),
            "host": facts,
            "seconds": began.elapsed().as_secs_f64(),
            "sweeps": sweeps,
        });
        report::write(file, &report)?;
    }
    Ok(())
}

fn processor(facts: &Value) -> String {
    facts["processor"].as_str().unwrap_or_default().to_owned()
}

/// Draws a file's sweeps once more, if it is such a file.
///
/// # Errors
///
/// The folder could not be written.
pub fn draw(json: &Value, folder: &Path) -> Result<bool, String> {
    if json["schema"] != SCHEMA {
        return Ok(false);
    }
    let date = json["date"].as_str().unwrap_or_default();
    for grown in json["sweeps"].as_array().into_iter().flatten().filter_map(Grown::read) {
        grown.draw(folder, &processor(&json["host"]), date)?;
    }
    Ok(true)
}

/// The child: takes one sample here and prints it.
///
/// # Errors
///
/// What is wrong with the arguments.
pub fn grow(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("{GROW} SWEEP COLUMN SIZE");
    let [name, column, size] = arguments else { return Err(usage()) };
    let size = size.parse().map_err(|_| usage())?;
    sample::limit();
    let taken = match name.as_str() {
        "tasks" => tasks::sample(column, size),
        "workers" => workers::sample(column, size),
        "connections" => connections::sample(column, size),
        "producers" => channels::sample(column, size, 1),
        "pairs" => channels::sample(column, size, size),
        "timers" => timers::sample(column, size),
        _ => None,
    };
    let Sample { checksum, values } = taken.ok_or_else(usage)?;
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    println!("{checksum} {}", values.join(" "));
    Ok(())
}

/// A sweep's samples.
struct Grown {
    sweep: &'static Sweep,
    points: Vec<usize>,
    /// By point, column, round and figure.
    samples: Vec<Vec<Vec<Vec<f64>>>>,
}

impl Grown {
    fn measure(sweep: &'static Sweep, options: &Options) -> Self {
        let count = if options.quick { sweep.quick } else { sweep.points.len() };
        let points: Vec<_> = sweep.points[..count].to_vec();
        let samples = points.iter().map(|&point| Self::point(sweep, point, options)).collect();
        Self { sweep, points, samples }
    }

    /// By column, round and figure; rounds that failed are not there.
    fn point(sweep: &'static Sweep, point: usize, options: &Options) -> Vec<Vec<Vec<f64>>> {
        let mut columns = vec![Vec::new(); sweep.columns.len()];
        let (wanted, free) = (point as u64 * sweep.bytes, host::free_memory().unwrap_or(0));
        if wanted > free / 10 * SHARE {
            eprintln!("{} {point}: left out, {wanted} bytes of {free}", sweep.name);
            return columns;
        }
        let rounds = if options.quick || point >= sweep.once_from { 1 } else { options.rounds };
        let mut expected = None;
        for _ in 0..rounds {
            for (column, taken) in sweep.columns.iter().zip(&mut columns) {
                match take(sweep.name, column, point) {
                    Ok(Sample { checksum, values })
                        if *expected.get_or_insert(checksum) == checksum =>
                    {
                        taken.push(values);
                    }
                    Ok(_) => eprintln!("{} {point}: {column} computed something else", sweep.name),
                    Err(error) => eprintln!("{error}"),
                }
            }
        }
        columns
    }

    fn median(&self, point: usize, column: usize, figure: usize) -> Option<f64> {
        let rounds = self.samples[point][column].iter();
        let values: Vec<_> = rounds.filter_map(|values| values.get(figure).copied()).collect();
        Spread::of(&values).map(|spread| spread.median)
    }

    /// The medians of one column in one figure, by point.
    fn curve(&self, column: usize, figure: usize) -> Vec<Option<f64>> {
        (0..self.points.len()).map(|point| self.median(point, column, figure)).collect()
    }

    fn print(&self) {
        println!("\n{}\n", self.sweep.title);
        println!("| {} | figure | {} |", self.sweep.across, self.sweep.columns.join(" | "));
        println!("|---:|---|{}", "---:|".repeat(self.sweep.columns.len()));
        for (figure, (name, unit)) in self.sweep.figures.iter().enumerate() {
            for (at, point) in self.points.iter().enumerate() {
                let cell = |column| {
                    self.median(at, column, figure).map_or(String::new(), crate::print::number)
                };
                let cells: Vec<_> = (0..self.sweep.columns.len()).map(cell).collect();
                println!("| {point} | {name}, {unit} | {} |", cells.join(" | "));
            }
        }
    }

    fn json(&self) -> Value {
        let figures = self.sweep.figures.iter().enumerate().map(|(figure, (name, unit))| {
            let columns = self.sweep.columns.iter().enumerate();
            let curves: Map<_, _> = columns
                .map(|(column, name)| ((*name).to_owned(), json!(self.curve(column, figure))))
                .collect();
            json!({ "figure": name, "unit": unit, "medians": curves })
        });
        json!({
            "sweep": self.sweep.name,
            "title": self.sweep.title,
            "across": self.sweep.across,
            "points": self.points,
            "figures": figures.collect::<Vec<_>>(),
            "columns": self.sweep.columns,
            "samples": self.samples,
        })
    }

    /// A sweep as its file has it, if it is one that is known here.
    fn read(json: &Value) -> Option<Self> {
        let sweep = SWEEPS.iter().find(|sweep| json["sweep"] == sweep.name)?;
        let points = serde_json::from_value(json["points"].clone()).ok()?;
        let samples = serde_json::from_value(json["samples"].clone()).ok()?;
        Some(Self { sweep, points, samples })
    }

    fn draw(&self, folder: &Path, processor: &str, date: &str) -> Result<(), String> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let panel = |(figure, (name, unit)): (usize, &(&str, &str))| {
            let curve = |(column, label): (usize, &&str)| {
                let medians = self.curve(column, figure).into_iter();
                let points = self.points.iter().zip(medians);
                let points = points.filter_map(|(&point, median)| Some((point as f64, median?)));
                ((*label).to_owned(), points.collect())
            };
            Panel {
                title: (*name).to_owned(),
                across: self.sweep.across.to_owned(),
                up: (*unit).to_owned(),
                scale: Scale::Log,
                names: Vec::new(),
                curves: self.sweep.columns.iter().enumerate().map(curve).collect(),
            }
        };
        let chart = Panels {
            title: self.sweep.title.to_owned(),
            subtitle: format!("{processor}, {date}; less is better"),
            panels: self.sweep.figures.iter().enumerate().map(panel).collect(),
        };
        let file = folder.join(format!("growth-{}.svg", self.sweep.name));
        let written = fs::write(&file, chart::curves(&chart));
        written.map_err(|error| format!("{}: {error}", file.display()))
    }
}

fn take(sweep: &str, column: &str, point: usize) -> Result<Sample, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(own);
    command.args([GROW, sweep, column, &point.to_string()]).env(THREADS, "2");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("the child did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("{sweep} {point} on {column}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    sample::parse(&text).ok_or_else(|| format!("{sweep} {point} on {column} printed {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::{Grown, Options, SWEEPS};

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<_> = line.split_whitespace().map(String::from).collect();
        Options::parse(&words)
    }

    #[test]
    fn sweeps_are_named() {
        let options = parse("--only timers,tasks --rounds 5 --quick").unwrap();
        let names: Vec<_> = options.sweeps.iter().map(|sweep| sweep.name).collect();
        assert_eq!((names, options.rounds, options.quick), (vec!["timers", "tasks"], 5, true));
        for wrong in ["--only nothing", "--rounds 0", "--plots", "x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn points_rise_and_quick_ones_are_the_first() {
        for sweep in SWEEPS {
            assert!(
                sweep.points.is_sorted() && sweep.quick <= sweep.points.len(),
                "{}",
                sweep.name
            );
            assert!(sweep.columns.contains(&"goro") && !sweep.figures.is_empty());
        }
    }

    #[test]
    fn a_curve_has_medians_and_holes() {
        let sweep = &SWEEPS[0];
        let figures = sweep.figures.len();
        let round = |value| vec![value; figures];
        let point = vec![vec![round(1.0), round(9.0), round(3.0)], Vec::new()];
        let grown = Grown { sweep, points: vec![10], samples: vec![point] };
        assert_eq!((grown.curve(0, 0), grown.curve(1, 0)), (vec![Some(3.0)], vec![None]));
        let json = grown.json();
        let again = Grown::read(&json).unwrap();
        assert_eq!((again.curve(0, 0), again.points), (vec![Some(3.0)], vec![10]));
        assert_eq!(json["figures"][0]["medians"]["goro"][0].as_f64(), Some(3.0));
        assert!(json["figures"][0]["medians"]["tokio"][0].is_null());
    }
}
