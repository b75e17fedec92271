//! One sample: one workload on one rival in a process of its own.
//!
//! The program runs itself for each sample, so that no rival inherits another's threads, memory or
//! warmed pages, and peaks of memory can be read at all. What the child prints on its standard
//! output is its checksum and its values in one line; all else it says goes to standard error.
use std::env;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::rival::{self, Fixed, Goro, Rival, Smol, Tokio};
use crate::workload::{self, Sample, Scale};

/// The hidden first argument that makes the program a child.
pub const COMMAND: &str = "sample";

/// A sample that takes longer has hung.
const LIMIT: Duration = Duration::from_secs(120);

/// Which sample to take.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The workload's name.
    pub workload: &'a str,
    /// The rival's name.
    pub rival: &'a str,
    /// Worker threads.
    pub workers: usize,
    /// How large.
    pub scale: Scale,
}

/// Takes the sample in a child process.
///
/// # Errors
///
/// What went wrong, in words: the child could not be started, failed, hung, or spoke nonsense.
pub fn take(order: Order<'_>) -> Result<Sample, String> {
    let Order { workload, rival, workers, scale } = order;
    let command = || -> io::Result<_> {
        Command::new(env::current_exe()?)
            .args([COMMAND, workload, rival, &workers.to_string()])
            .args(scale.quick.then_some("quick"))
            .env(rival::THREADS, workers.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
    };
    let output = command().map_err(|error| format!("the child did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("{workload} on {rival}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).ok_or_else(|| format!("{workload} on {rival} printed {text:?}"))
}

fn parse(text: &str) -> Option<Sample> {
    let mut words = text.split_whitespace();
    let checksum = words.next()?.parse().ok()?;
    let values = words.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Sample { checksum, values })
}

/// The child: takes the sample here and prints it. Gives what to say of a wrong command line.
pub fn give(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("{COMMAND} WORKLOAD RIVAL WORKERS [quick]");
    let [workload, rival, workers, rest @ ..] = arguments else { return Err(usage()) };
    let workers = workers.parse().map_err(|_| usage())?;
    let order = Order { workload, rival, workers, scale: Scale { quick: !rest.is_empty() } };
    thread::spawn(move || {
        thread::sleep(LIMIT);
        eprintln!("the sample takes longer than {LIMIT:?}");
        std::process::exit(3);
    });
    let sample = match order.rival {
        "goro" => start::<Goro>(order),
        "tokio" => start::<Tokio>(order),
        "smol" => start::<Smol>(order),
        "static" => start::<Fixed>(order),
        _ => None,
    };
    let Sample { checksum, values } = sample.ok_or_else(usage)?;
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    println!("{checksum} {}", values.join(" "));
    Ok(())
}

fn start<R: Rival>(order: Order<'_>) -> Option<Sample> {
    workload::run(order.workload, R::start(order.workers), order.scale)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_child_s_line_is_read_back() {
        let sample = parse("18446744073709551615 1.5 3\n").unwrap();
        assert_eq!((sample.checksum, sample.values), (u64::MAX, vec![1.5, 3.0]));
        assert!(parse("").is_none());
        assert!(parse("1 x").is_none());
    }
}
