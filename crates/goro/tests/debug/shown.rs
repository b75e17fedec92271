//! The rows, and what is asked of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Types by their paths behind `goro::`, with the text of each state.
#[derive(Default)]
pub(crate) struct Shown(BTreeMap<&'static str, Vec<(&'static str, String)>>);

impl Shown {
    /// What `value` looks like in this state.
    pub(crate) fn add(&mut self, of: &'static str, state: &'static str, value: &dyn Debug) {
        let text = without_chance(&format!("{value:?}")).replace('\n', " / ");
        self.0.entry(of).or_default().push((state, text));
        // The other way to print it, which takes a way of its own through every implementation.
        assert!(!format!("{value:#?}").is_empty());
    }

    /// The same, with nothing asked of its numbers.
    pub(crate) fn add_blurred(&mut self, of: &'static str, state: &'static str, value: &dyn Debug) {
        let text = without_chance(&format!("{value:?}"));
        let blurred = text.split(|c: char| c.is_ascii_digit()).filter(|it| !it.is_empty());
        let text = blurred.collect::<Vec<_>>().join("#").replace("##", "#");
        self.0.entry(of).or_default().push((state, text));
        assert!(!format!("{value:#?}").is_empty());
    }

    pub(crate) fn check_against(&self, api: &str, kept: &str) {
        let mut lines = String::new();
        let mut wrong = String::new();
        for (of, states) in &self.0 {
            for (state, text) in states {
                lines.push_str(&format!("{of} | {state} | {text}\n"));
            }
            let texts: BTreeSet<&String> = states.iter().map(|(_, text)| text).collect();
            if texts.len() != states.len() {
                wrong.push_str(&format!("states of {of} that look the same: {states:#?}\n"));
            }
        }
        for line in api.lines() {
            let (path, what) = line.split_once(": ").expect("a line is a path and a signature");
            let of = path.trim_start_matches("goro::");
            let kinds = ["pub struct ", "pub enum ", "pub union "];
            if kinds.iter().any(|kind| what.starts_with(kind)) && !self.0.contains_key(of) {
                wrong.push_str(&format!("{of} has no row\n"));
            }
        }
        if std::env::var("GORO_SURFACE").is_ok_and(|it| it == "update") {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/debug.txt");
            std::fs::write(path, &lines).expect("the list can be written");
        } else {
            let (kept, found): (BTreeSet<&str>, BTreeSet<&str>) =
                (kept.lines().collect(), lines.lines().collect());
            kept.difference(&found).for_each(|line| wrong.push_str(&format!("- {line}\n")));
            found.difference(&kept).for_each(|line| wrong.push_str(&format!("+ {line}\n")));
        }
        assert!(wrong.is_empty(), "{wrong}");
        let states: usize = self.0.values().map(Vec::len).sum();
        println!("{states} states of {} types", self.0.len());
    }
}

/// Without what differs from run to run: long numbers, times, addresses, places in files.
fn without_chance(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let in_number = |c: char| c.is_ascii_digit() || c == '.';
        let number = &rest[..rest.find(|c| !in_number(c)).unwrap_or(rest.len())];
        rest = &rest[number.len()..];
        let unit = ["ns", "µs", "ms", "s"].into_iter().find(|unit| {
            rest.strip_prefix(unit).is_some_and(|it| !it.starts_with(char::is_alphabetic))
        });
        let marked = [
            " Kind(",
            "TaskId(",
            "Id(",
            "0x",
            "rs:",
            ":",
            "line: ",
            "column: ",
            "number: ",
            "id: ",
            "fd: ",
            "tv_sec: ",
            "tv_nsec: ",
        ];
        if let Some(unit) = unit {
            rest = &rest[unit.len()..];
            out.push_str("#s");
        } else if marked.iter().any(|it| out.ends_with(it)) || number.len() > 6 {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
            out.push('#');
        } else {
            out.push_str(number);
        }
    }
    out + rest
}

/// Polls once, with a waker that does nothing.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls once, and expects it to wait.
pub(crate) fn waits<F: Future + Unpin>(future: &mut F) {
    assert!(poll(future).is_pending(), "it does not wait");
}
