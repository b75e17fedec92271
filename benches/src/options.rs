//! The command line.
use std::path::PathBuf;

use crate::rival::GORO;
use crate::workload::{self, Workload};

/// What `--help` prints.
pub const HELP: &str = "\
goro beside its rivals, interleaved in one call.

  --only A,B       these workloads only (--list names them)
  --rivals A,B     these rivals only [goro,tokio,smol,static,go]
  --workers 1,2    worker threads; each number is a run of its own [1,2]
  --rounds N       samples of each rival [7]
  --quota N        samples may use N hundredths of a processor (where control
                   groups can be written)
  --quick          small counts, 3 rounds: to see that it runs
  --check          exit 1 if goro misses a goal
  --json FILE      also write all samples and facts there
  --list           print the workloads and their goals

  counts           instead of all that: instructions per operation, against counts.txt
  counts --write   writes counts.txt
  pairs            instead of all that: goro beside itself; says how
";

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
    /// How many hundredths of a processor each sample may use.
    pub quota: Option<usize>,
    /// Whether the counts are small.
    pub quick: bool,
    /// Whether a missed goal fails the call.
    pub check: bool,
    /// Where to write the samples.
    pub json: Option<PathBuf>,
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
            workers: vec![1, 2],
            rounds: 0,
            quota: None,
            quick: false,
            check: false,
            json: None,
            list: false,
        };
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
                "--quota" => {
                    options.quota =
                        Some(positive(&value()?).ok_or("--quota needs a number from 1")?);
                }
                "--quick" => options.quick = true,
                "--check" => options.check = true,
                "--json" => options.json = Some(value()?.into()),
                "--list" => options.list = true,
                _ => return Err(format!("{argument} is not known; --help lists what is")),
            }
        }
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
        if options.check && !(options.rivals.contains(&GORO) && options.rivals.len() > 1) {
            return Err("--check needs goro and a rival to hold it against".into());
        }
        Ok(options)
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
    fn what_is_not_known_is_refused() {
        for line in [
            "--only nothing",
            "--workers 0",
            "--rounds",
            "--rounds 0",
            "--quota x",
            "--rivals x",
            "-x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
