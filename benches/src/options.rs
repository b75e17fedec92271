//! The command line.
use std::path::PathBuf;
use std::time::Duration;

use crate::rival::GORO;
use crate::workload::{self, Workload};

/// What `--help` prints.
pub const HELP: &str = "\
goro beside its rivals, interleaved in one call.

  --only A,B       these workloads only (--list names them)
  --rivals A,B     these rivals only [goro,tokio,smol,static,go]
  --workers 1,2    worker threads; each number is a row of its own [1,2; with --quick 2]
  --rounds N       samples of each rival [7]
  --minutes N      begin no round that would end later; every row gets one, though
                   [none; with --quick 2]
  --quota N        samples may use N hundredths of a processor (where control
                   groups can be written)
  --quick          small counts, 3 rounds: to see that it runs
  --full           the counts to be measured by: what is done without --quick
  --check          exit 1 if goro misses a gate
  --json FILE      also write all samples and facts there, after each round
  --plots DIR      also draw them there, as SVG
  --list           print the workloads, their gates and goals

  counts           instead of all that: instructions per operation, against counts.txt
  counts --write   writes counts.txt
  pairs            instead of all that: goro beside itself; says how
  growth           instead of all that: figures as tasks, workers, connections,
                   producers, timers grow; says how
  costs            instead of all that: bytes, binary, build, start; says how
  render           instead of all that: tables and plots from a JSON file; says how
";

/// How long a quick run takes if nothing is said.
const QUICK: Duration = Duration::from_secs(120);

/// What to do.
pub struct Options {
    /// Which workloads.
    pub workloads: Vec<&'static Workload>,
    /// Which rivals, in the order of a round.
    pub rivals: Vec<&'static str>,
    /// Numbers of worker threads.
    pub workers: Vec<usize>,
    /// Samples of each.
    pub rounds: usize,
    /// How long it may take.
    pub limit: Option<Duration>,
    /// How many hundredths of a processor each sample may use.
    pub quota: Option<usize>,
    /// Whether the counts are small.
    pub quick: bool,
    /// Whether a missed gate fails the call.
    pub check: bool,
    /// Where to write the samples.
    pub json: Option<PathBuf>,
    /// Where to draw them.
    pub plots: Option<PathBuf>,
    /// Whether to print the workloads and do nothing.
    pub list: bool,
}

impl Options {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in words.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            workloads: workload::every().collect(),
            rivals: Vec::new(),
            workers: Vec::new(),
            rounds: 0,
            limit: None,
            quota: None,
            quick: false,
            check: false,
            json: None,
            plots: None,
            list: false,
        };
        let mut full = false;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--only" => options.workloads = each(&value()?, workload::named)?,
                "--rivals" => options.rivals = each(&value()?, rival)?,
                "--workers" => options.workers = each(&value()?, positive)?,
                "--rounds" => {
                    options.rounds = positive(&value()?).ok_or("--rounds needs a number from 1")?;
                }
                "--minutes" => {
                    let minutes = positive(&value()?).ok_or("--minutes needs a number from 1")?;
                    options.limit = Some(Duration::from_secs(minutes as u64 * 60));
                }
                "--quota" => {
                    options.quota =
                        Some(positive(&value()?).ok_or("--quota needs a number from 1")?);
                }
                "--quick" => options.quick = true,
                "--full" => full = true,
                "--check" => options.check = true,
                "--json" => options.json = Some(value()?.into()),
                "--plots" => options.plots = Some(value()?.into()),
                "--list" => options.list = true,
                _ => return Err(format!("{argument} is not known; --help lists what is")),
            }
        }
        if full && options.quick {
            return Err("--quick and --full are two different things".into());
        }
        options.fill();
        if options.check && !(options.rivals.contains(&GORO) && options.rivals.len() > 1) {
            return Err("--check needs goro and a rival to hold it against".into());
        }
        Ok(options)
    }

    /// What was left open.
    fn fill(&mut self) {
        let options = self;
        if options.rivals.is_empty() {
            let names = options.workloads.iter().flat_map(|workload| workload.among.names());
            for &name in names {
                if !options.rivals.contains(&name) {
                    options.rivals.push(name);
                }
            }
        }
        if options.rounds == 0 {
            options.rounds = if options.quick { 3 } else { 7 };
        }
        if options.workers.is_empty() {
            options.workers = if options.quick { vec![2] } else { vec![1, 2] };
        }
        if options.quick && options.limit.is_none() {
            options.limit = Some(QUICK);
        }
    }
}

fn each<T>(list: &str, find: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    list.split(',').map(|word| find(word).ok_or(format!("{word:?} is not known"))).collect()
}

fn rival(name: &str) -> Option<&'static str> {
    crate::rival::named(name)
}

fn positive(number: &str) -> Option<usize> {
    number.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn defaults_run_everything() {
        let options = parse("").unwrap();
        assert_eq!((options.rounds, options.workers), (7, vec![1, 2]));
        assert!(!options.check && options.workloads.len() == crate::workload::every().count());
    }

    #[test]
    fn lists_and_numbers_are_read() {
        let options = parse("--quick --only yield,echo_1 --workers 8 --check --json x").unwrap();
        let names: Vec<_> = options.workloads.iter().map(|workload| workload.name).collect();
        assert_eq!((names, options.workers, options.rounds), (vec!["yield", "echo_1"], vec![8], 3));
        assert!(options.check && options.json.is_some());
    }

    #[test]
    fn a_quick_run_is_short() {
        let options = parse("--quick").unwrap();
        assert_eq!((options.workers, options.limit), (vec![2], Some(super::QUICK)));
        let options = parse("--quick --workers 1,2 --minutes 5").unwrap();
        assert_eq!(options.workers, [1, 2]);
        assert_eq!(options.limit.map(|limit| limit.as_secs()), Some(300));
        assert_eq!(parse("--full").unwrap().limit, None);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            "--only nothing",
            "--workers 0",
            "--rounds",
            "--rounds 0",
            "--quota x",
            "--rivals x",
            "--minutes 0",
            "--full --quick",
            "--plots",
            "-x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
