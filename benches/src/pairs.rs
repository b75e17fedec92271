//! What one thing costs: goro as it is beside goro without it, in pairs of samples that take turns.
//!
//! The other one is the same program with the monitor switched off, or another program: this one, built
//! with something left out. Whatever slows the machine for a while slows both samples of a pair, and
//! the median of the pairs' ratios leaves out the pairs in which it did not.
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::rival::{GORO, THREADS};
use crate::sample;
use crate::stats::Spread;
use crate::workload;

/// The first argument that asks for pairs.
pub const COMMAND: &str = "pairs";

/// The word for this program with the monitor switched off.
const UNWATCHED: &str = "unwatched";

const USAGE: &str = "pairs unwatched|PROGRAM WORKLOAD WORKERS PAIRS: ratios of the first metric, goro as it is \
     over goro without its monitor, or as PROGRAM has it";

/// Takes and prints them.
///
/// # Errors
/// What is wrong with the arguments, or with a sample.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let [other, name, workers, pairs] = arguments else { return Err(USAGE.into()) };
    let workload = workload::named(name).ok_or(USAGE)?;
    let pairs: usize = pairs.parse().map_err(|_| USAGE)?;
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let take = |program: PathBuf, unwatched: bool| -> Result<f64, String> {
        let mut command = Command::new(program);
        command.args([sample::COMMAND, workload.name, GORO, workers]).env(THREADS, workers);
        if unwatched {
            command.env("GORO_UNWATCHED", "1");
        }
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("{command:?}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let values = sample::parse(&text).map(|sample| sample.values);
        values.and_then(|v| v.first().copied()).ok_or_else(|| format!("{command:?}: {text:?}"))
    };
    let without = || match &**other {
        UNWATCHED => take(own.clone(), true),
        program => take(program.into(), false),
    };
    let (mut with, mut rest, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Neither is always the first.
        let (this, that) = if pair % 2 == 0 {
            (take(own.clone(), false)?, without()?)
        } else {
            let that = without()?;
            (take(own.clone(), false)?, that)
        };
        with.push(this);
        rest.push(that);
        ratios.push(this / that);
    }
    let spreads = [with, rest, ratios].map(|numbers| Spread::of(&numbers));
    let [Some(with), Some(rest), Some(ratios)] = spreads else { return Err(USAGE.into()) };
    println!(
        "{name}, {workers} workers, {pairs} pairs: {:.1} as it is, {:.1} {other}; median ratio {:.3} ({:.3} to {:.3})",
        with.median, rest.median, ratios.median, ratios.min, ratios.max
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn what_is_no_pair_is_refused() {
        for line in ["", "unwatched", "unwatched nothing 1 1", "unwatched yield 1 many"] {
            let words: Vec<_> = line.split_whitespace().map(String::from).collect();
            assert!(run(&words).unwrap_err().starts_with("pairs"), "{line}");
        }
    }
}
