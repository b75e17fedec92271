//! One sample: one workload on one rival in a process of its own.
//!
//! The program runs itself for each sample, so that no rival inherits another's threads, memory or
//! warmed pages, and peaks of memory can be read at all. What the child prints on its standard
//! output is its checksum and its values in one line; all else it says goes to standard error.
use std::env;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::quota::Group;
use crate::rival::talk::Talk;
use crate::rival::web::Web;
use crate::rival::{self, Fixed, Goro, GoroRuntime, OwnedSmol, Smol, Stop, Tokio};
use crate::rival::{TokioRuntime, go};
use crate::workload::{self, Among, Sample, Workload};

/// The hidden first argument that makes the program a child.
pub const COMMAND: &str = "sample";

/// A sample that takes longer has hung.
const LIMIT: Duration = Duration::from_secs(120);

/// Which sample to take.
#[derive(Clone, Copy)]
pub struct Order {
    /// The workload.
    pub workload: &'static Workload,
    /// The rival's name.
    pub rival: &'static str,
    /// Worker threads.
    pub workers: usize,
    /// Whether it is a quick one.
    pub quick: bool,
}

/// Takes samples in child processes.
pub struct Taker {
    go: Option<go::Program>,
    quota: Option<Group>,
}

impl Taker {
    /// One that can take samples of these rivals.
    ///
    /// # Errors
    ///
    /// Go is among them and could not be made ready.
    pub fn of(rivals: &[&str]) -> Result<Self, String> {
        let go = rivals.contains(&go::GO).then(go::Program::build).transpose()?;
        Ok(Self { go, quota: None })
    }

    /// The same, whose samples are taken inside of that group, if there is one.
    pub fn within(self, quota: Option<Group>) -> Self {
        Self { quota, ..self }
    }

    /// Takes the sample in a child process.
    ///
    /// # Errors
    ///
    /// What went wrong, in words: the child could not be started, failed, hung, or spoke nonsense.
    pub fn take(&self, order: Order) -> Result<Sample, String> {
        let Order { workload, rival, .. } = order;
        let name = workload.name;
        let output = || self.command(order)?.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output().map_err(|error| format!("the child did not start: {error}"))?;
        if !output.status.success() {
            return Err(format!("{name} on {rival}: {}", output.status));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        parse(&text).ok_or_else(|| format!("{name} on {rival} printed {text:?}"))
    }

    fn command(&self, order: Order) -> io::Result<Command> {
        let own = env::current_exe()?;
        let command = self.free_command(order, own.clone());
        Ok(match &self.quota {
            Some(group) => group.around(own, &command),
            None => command,
        })
    }

    fn free_command(&self, order: Order, own: PathBuf) -> Command {
        let Order { workload, rival, workers, quick } = order;
        if let (go::GO, Some(program)) = (rival, &self.go) {
            let mut command = program.command(workload.name, workload.size.pick(quick), workers);
            command.env("GORO_BENCH_CLIENTS", own);
            return command;
        }
        let mut command = Command::new(own);
        command
            .args([COMMAND, workload.name, rival, &workers.to_string()])
            .args(quick.then_some("quick"))
            .env(rival::THREADS, workers.to_string());
        command
    }
}

/// What a child has printed.
pub fn parse(text: &str) -> Option<Sample> {
    let mut words = text.split_whitespace();
    let checksum = words.next()?.parse().ok()?;
    let values = words.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Sample { checksum, values })
}

/// The child: takes the sample here and prints it. Gives what to say of a wrong command line.
pub fn give(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("{COMMAND} WORKLOAD RIVAL WORKERS [quick]");
    let [workload, rival, workers, rest @ ..] = arguments else { return Err(usage()) };
    let workload = workload::named(workload).ok_or_else(usage)?;
    let rival = rival::named(rival).ok_or_else(usage)?;
    let workers = workers.parse().map_err(|_| usage())?;
    let order = Order { workload, rival, workers, quick: !rest.is_empty() };
    limit();
    let sample = match rival {
        column if workload.among == Among::Channels && column != go::GO => {
            let size = workload.size.pick(order.quick);
            workload::run_channels(workload.name, column, workers, size)
        }
        "goro" => start_or_stop::<Goro, GoroRuntime>(order),
        "tokio" => start_or_stop::<Tokio, TokioRuntime>(order),
        "smol" => start_or_stop::<Smol, OwnedSmol>(order),
        "static" => start::<Fixed>(order),
        other => Some(Taker::of(&[other])?.take(order)?),
    };
    let Sample { checksum, values } = sample.ok_or_else(usage)?;
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    println!("{checksum} {}", values.join(" "));
    Ok(())
}

/// Ends this process if it takes longer than a sample may.
pub fn limit() {
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("the sample takes longer than {LIMIT:?}");
        std::process::exit(3);
    });
}

fn start_or_stop<R: Talk + Web, S: Stop>(order: Order) -> Option<Sample> {
    let Order { workload, workers, quick, .. } = order;
    let sample = workload::run_stop::<S>(workload.name, workers, workload.size.pick(quick));
    sample.or_else(|| start::<R>(order))
}

fn start<R: Talk + Web>(order: Order) -> Option<Sample> {
    let Order { workload, workers, quick, .. } = order;
    workload::run(workload.name, R::start(workers), workload.size.pick(quick))
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
