//! `serve --drive`: the built-in client, its report and its verdict.

use std::time::Duration;

use crate::program::{Ended, Program};

/// The number that follows `label` at the start of a line.
fn number(report: &str, label: &str) -> u64 {
    let line = report.lines().find(|line| line.starts_with(label));
    let line = line.unwrap_or_else(|| panic!("no {label} in:\n{report}"));
    let number = line[label.len()..].split_whitespace().next().unwrap_or_default();
    number.replace(',', "").parse().unwrap_or_else(|_| panic!("no number in {line:?}"))
}

fn assert_complete(report: &str) {
    let requests = number(report, "requests");
    assert!(requests > 0, "{report}");
    assert_eq!(number(report, "errors"), 0, "{report}");
    let rows = ["/ ", "/work?ms=1", "/compute?n=1000"].map(|target| number(report, target));
    assert_eq!(rows.iter().sum::<u64>(), requests, "{report}");
    assert_eq!(number(report, "all"), requests, "{report}");
    assert!(report.ends_with("no request was lost\n"), "{report}");
}

#[test]
fn a_second_of_driving_loses_nothing() {
    let args = ["--drive", "1", "--connections", "8", "--workers", "2"];
    let Ended { code, out, err } = Program::run("serve", &args);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_complete(&out);
    assert!(out.contains("\n8 connections for 1."), "{out}");
    // Per connection: the loop, the client's half and the server's half; and the listener.
    assert!(number(&out, "tasks spawned") > 3 * 8, "{out}");
    assert_eq!(out.matches("% busy").count(), 2, "{out}");
    let bars = out.lines().filter(|line| line.contains('|') && line.contains('#'));
    assert!(bars.count() > 0, "{out}");
}

#[test]
fn more_connections_than_requests_a_moment_are_fine() {
    let Ended { code, out, err } =
        Program::run("serve", &["--drive=0.5", "--connections=300", "--workers=1"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_complete(&out);
}

/// Ctrl-C ends the driving, not the report.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_drive_reports_what_was_done() {
    let program = Program::start("serve", &["--drive", "3600", "--connections", "4"]);
    assert!(program.line().starts_with("driving http://127.0.0.1:"));
    // Both ends of each connection: from then on each has a request to answer.
    while program.sockets() < 2 * 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    program.interrupt();
    let Ended { code, out, err } = program.wait();
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_complete(&out);
}
