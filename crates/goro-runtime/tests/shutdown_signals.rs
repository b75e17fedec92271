//! What signals do to a program that listens to them: each case in a process of its own.
//!
//! The test runs itself again, with the name of a case in the environment.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]
#![cfg(unix)]

use goro_runtime::time::Duration;
use goro_runtime::{Builder, DrainPolicy, Phase, Runtime, ShutdownHandle};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

const CASE: &str = "GORO_TEST_CASE";

fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "\n> {line}").and_then(|()| out.flush()).unwrap();
}

fn runtime() -> (Runtime, ShutdownHandle) {
    let runtime = Builder::new().workers(1).build().unwrap();
    let shutdown = runtime.handle().shutdown();
    shutdown.set_policy(DrainPolicy::fixed(Duration::from_secs(3600)));
    shutdown.set_grace(Duration::from_secs(3600));
    shutdown.listen_signals().unwrap();
    shutdown.listen_signals().unwrap();
    (runtime, shutdown)
}

/// A worker that never comes round, and a task that would not end by itself.
fn stuck(runtime: &Runtime) {
    drop(runtime.spawn(std::future::pending::<()>()));
    drop(runtime.spawn(async {
        loop {
            std::thread::park();
        }
    }));
}

/// The cases, as the child runs them.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    if case == "is refused" {
        return is_refused();
    }
    let (runtime, shutdown) = runtime();
    match case.as_str() {
        "drains" => {
            say("ready");
            let report = runtime.block_on(shutdown.wait());
            say(&report.reason.to_string());
            assert!(report.is_clean());
        }
        "forces" => {
            let _guard = shutdown.guard().unwrap();
            drop(runtime.spawn(std::future::pending::<()>()));
            say("ready");
            runtime.block_on(shutdown.draining());
            say("draining");
            let report = runtime.block_on(shutdown.wait());
            say(&format!("forced: {}, {} aborted", report.forced, report.aborted));
        }
        "exits" => {
            let _guard = shutdown.guard().unwrap();
            stuck(&runtime);
            say("ready");
            runtime.block_on(shutdown.draining());
            say("draining");
            runtime.block_on(shutdown.terminating());
            say("terminating");
            std::thread::park_timeout(Duration::from_secs(60));
        }
        "reads" => {
            shutdown.set_grace(Duration::ZERO);
            drop(runtime.spawn_blocking(|| {
                let mut line = String::new();
                say("reading");
                std::io::stdin().read_line(&mut line)
            }));
            let report = runtime.block_on(shutdown.wait());
            let left = report.left.first().map(|left| left.what);
            say(&format!("{} abandoned: {left:?}", report.abandoned));
        }
        "quits" => {
            shutdown.on_quit(|| say("a dump")).unwrap();
            say("ready");
            runtime.block_on(shutdown.wait());
            assert_eq!(shutdown.phase(), Phase::Stopped);
            say("over");
            std::thread::park_timeout(Duration::from_secs(60));
        }
        other => panic!("no case is called {other}"),
    }
}

/// Listens while there is no descriptor to be had, and once more when there are.
fn is_refused() {
    let runtime = Builder::new().workers(1).build().unwrap();
    let shutdown = runtime.handle().shutdown();
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit }).unwrap();
    assert!(shutdown.listen_signals().is_err());
    setrlimit(Resource::Nofile, limit).unwrap();
    shutdown.listen_signals().unwrap();
    say("ready");
    say(&runtime.block_on(shutdown.wait()).reason.to_string());
}

struct Program {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(case: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(CASE, case)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn says(&mut self, wanted: &str) {
        for line in self.lines.by_ref().map_while(Result::ok) {
            if let Some(said) = line.strip_prefix("> ") {
                return assert_eq!(said, wanted);
            }
        }
        panic!("it ended before it said {wanted:?}");
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it has ended; its standard input stays open until then.
    fn code(&mut self) -> Option<i32> {
        let _open = self.child.stdin.take();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_signal_drains() {
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let mut program = Program::start("drains");
        program.says("ready");
        program.send(signal);
        program.says(name);
        assert_eq!(program.code(), Some(0));
    }
}

#[test]
fn who_was_refused_may_listen_later() {
    let mut program = Program::start("is refused");
    program.says("ready");
    program.send(Signal::TERM);
    program.says("SIGTERM");
    assert_eq!(program.code(), Some(0));
}

#[test]
fn the_second_signal_forces() {
    let mut program = Program::start("forces");
    program.says("ready");
    program.send(Signal::TERM);
    program.says("draining");
    program.send(Signal::INT);
    program.says("forced: true, 1 aborted");
    assert_eq!(program.code(), Some(0));
}

/// Also while the only worker is inside a poll that does not end.
#[test]
fn the_third_signal_ends_the_process() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut program = Program::start("exits");
        program.says("ready");
        program.send(Signal::TERM);
        program.says("draining");
        program.send(Signal::TERM);
        program.says("terminating");
        program.send(signal);
        assert_eq!(program.code(), Some(code));
    }
}

/// A job that reads standard input, to which nobody writes, is named, and does not hold the exit.
#[test]
fn standard_input_does_not_hold_the_exit() {
    let mut program = Program::start("reads");
    program.says("reading");
    program.send(Signal::TERM);
    program.says("1 abandoned: Some(Job)");
    assert_eq!(program.code(), Some(0));
}

#[test]
fn a_signal_when_all_is_over_ends_the_process_and_quit_is_for_the_hook() {
    let mut program = Program::start("quits");
    program.says("ready");
    program.send(Signal::QUIT);
    program.says("a dump");
    program.send(Signal::QUIT);
    program.says("a dump");
    program.send(Signal::TERM);
    program.says("over");
    program.send(Signal::INT);
    assert_eq!(program.code(), Some(130));
}
