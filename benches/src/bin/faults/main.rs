//! What becomes of a program that makes a mistake, or runs out of something, on goro, tokio and smol: one
//! row for each fault, one process for each cell, so that one that hangs or dies is seen to.
//!
//! ```sh
//! cargo run -p goro-bench --bin faults           # the table; fails if goro has a bad cell
//! cargo run -p goro-bench --bin faults -- lock   # the rows with this word in their name
//! ```
//!
//! A cell is what the program said last, or how it ended: *panics*, *aborts*, *overflows the stack*, *hangs*.
//! **Bold** is what nobody wants: those, and whatever a probe itself calls bad.
//!
//! Left out: what needs unsafe code to provoke (a fork), what needs the kernel's help (`.ci/run kernel`), and
//! what becomes of values whose sends and receives are dropped (`conservation`).
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program of its own, written as users write theirs"
)]

mod goro_side;
mod parts;
mod smol_side;
mod tokio_side;

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a cell says: `Err` is bad.
type Said = Result<String, String>;

/// A runtime's way through a fault, if it can be put into it at all.
type Cell = Option<fn() -> Said>;

struct Probe {
    name: &'static str,
    goro: Cell,
    tokio: Cell,
    smol: Cell,
}

macro_rules! probes {
    ($($name:literal: $probe:ident $on:tt),* $(,)?) => {
        &[$(Probe {
            name: $name,
            goro: Some(goro_side::$probe),
            tokio: Some(tokio_side::$probe),
            smol: probes!(@ $probe $on),
        }),*]
    };
    (@ $probe:ident (all)) => { Some(smol_side::$probe) };
    (@ $probe:ident (without_smol)) => { None };
}

const PROBES: &[Probe] = probes![
    "a future's destructor panics when its task is aborted": drop_panics_on_abort (all),
    "an output's destructor panics, nobody having joined": output_panics (all),
    "a panic's payload panics when it is dropped": payload_panics (all),
    "a runtime is dropped in one of its tasks": dropped_in_task (without_smol),
    "a runtime is dropped on its own blocking thread": dropped_on_blocking_thread (without_smol),
    "block_on inside block_on": nested_block_on (all),
    "a task is spawned after the runtime is gone": spawned_late (without_smol),
    "100 tasks whose destructors spawn, at the end": spawning_from_drop (without_smol),
    "a blocking job that does not end: shutdown with 200 ms": stuck_job (without_smol),
    "a sleep of a runtime that is gone is polled elsewhere": late_sleep (without_smol),
    "a million outputs, one in the other, are dropped": nested_outputs (all),
    "a thread is refused as the runtime is built": no_thread (all),
    "the second worker's thread is refused": no_second_thread (all),
    "a blocking job's thread is refused": no_blocking_thread (all),
    "no descriptor for what is to be accepted, for a second": no_descriptor (all),
    "a loop whose channel is always ready, on one worker: a sibling runs": always_ready (all),
    "a task is woken by one that then blocks 800 ms, the other worker being idle": woken_by_blocker (all),
    "echo beside a task that blocks its worker 700 ms: the worst answer": echo_beside_blocker (all),
    "the next in line at a lock is not polled: the one behind it": unpolled_at_lock (all),
    "a select of two ready channels, 20,000 times": fair_select (all),
    "a channel's waker that calls the channel": reentrant_waker (all),
    "10 values of which one panics when the channel is dropped: the others": panicking_value (all),
    "10 values in a channel whose last receiver goes": left_in_channel (all),
    "a channel for 2^63 - 1 values": huge_channel (all),
    "a channel for 2^40 values": large_channel (all),
];

const NAMES: [&str; 3] = ["goro", "tokio", "smol"];

/// A child that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

impl Probe {
    fn cells(&self) -> [Cell; 3] {
        [self.goro, self.tokio, self.smol]
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name, rival] = arguments.as_slice() {
        if flag == "--probe" {
            return run(name, rival);
        }
    }
    println!("| fault | {} |\n|---|---|---|---|", NAMES.join(" | "));
    let mut bad = [0; 3];
    let chosen =
        |probe: &&Probe| arguments.is_empty() || arguments.iter().any(|a| probe.name.contains(a));
    for probe in PROBES.iter().filter(chosen) {
        let mut row = format!("| {}", probe.name);
        for ((cell, name), bad) in probe.cells().into_iter().zip(NAMES).zip(&mut bad) {
            let said = cell.map(|_| in_a_child(probe.name, name));
            row += &match said {
                None => " | -".to_owned(),
                Some(Ok(text)) => format!(" | {text}"),
                Some(Err(text)) => {
                    *bad += 1;
                    format!(" | **{text}**")
                }
            };
        }
        println!("{row} |");
    }
    println!("\nbad: {} of goro, {} of tokio, {} of smol", bad[0], bad[1], bad[2]);
    ExitCode::from(u8::from(bad[0] > 0))
}

/// One cell, in this process.
fn run(name: &str, rival: &str) -> ExitCode {
    let probe = PROBES.iter().find(|probe| probe.name == name).expect("a probe of this name");
    let at = NAMES.iter().position(|name| *name == rival).expect("a runtime of this name");
    let said = probe.cells()[at].expect("a cell that is there")();
    let (mark, text) = match &said {
        Ok(text) => ("good", text),
        Err(text) => ("bad", text),
    };
    println!("{mark}: {text}");
    // Not through destructors: what they do is a probe's business, and that has said what it had to.
    std::process::exit(0)
}

fn in_a_child(name: &str, rival: &str) -> Said {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(own)
        .args(["--probe", name, rival])
        .env("SMOL_THREADS", "2")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let began = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if began.elapsed() > PATIENCE => {
                child.kill().map_err(|error| error.to_string())?;
                child.wait().map_err(|error| error.to_string())?;
                return Err("hangs".to_owned());
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let mut said = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut said).map_err(|e| e.to_string())?;
    let mut complaint = Vec::new();
    child.stderr.take().expect("piped").read_to_end(&mut complaint).map_err(|e| e.to_string())?;
    verdict(status, &said, &String::from_utf8_lossy(&complaint))
}

fn verdict(status: ExitStatus, said: &str, complaint: &str) -> Said {
    match said.lines().last().and_then(|line| line.split_once(": ")) {
        Some(("good", text)) => Ok(text.to_owned()),
        Some((_, text)) => Err(text.to_owned()),
        None if complaint.contains("stack overflow")
            || complaint.contains("overflowed its stack") =>
        {
            Err("overflows the stack".to_owned())
        }
        None if status.code() == Some(101) => Err("panics".to_owned()),
        None => match status.signal() {
            Some(signal) => Err(format!("aborts (signal {signal})")),
            None => Err(format!("ends ({status})")),
        },
    }
}
