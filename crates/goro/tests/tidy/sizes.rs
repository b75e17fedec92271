//! How long a file and a function may be.
//!
//! The goal is 400 and 70 lines; what is over it is printed, what is over the limit fails.

use crate::Rule;
use crate::house::{File, Finding, House};

/// 99 empty lines.
macro_rules! lines_99 {
    () => {
        concat!(lines_33!(), lines_33!(), lines_33!())
    };
}
macro_rules! lines_33 {
    () => {
        "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
    };
}

const FILE_GOAL: usize = 400;
const FILE_LIMIT: usize = 500;
const FUNCTION_GOAL: usize = 70;
const FUNCTION_LIMIT: usize = 100;

pub(crate) const FILES: Rule = Rule {
    wants: "A source file holds one idea: at most 500 lines, better 400. (Tests may be longer.)",
    check: |house| {
        long_files(house, FILE_LIMIT)
            .map(|(file, lines)| file.finding(0, format!("{lines} lines: move an idea out")))
            .collect()
    },
    broken: &[(&[("crates/a/src/x.rs", LINES_501)], "crates/a/src/x.rs:1:")],
    kept: &[&[("crates/a/src/x.rs", LINES_500)], &[("crates/a/tests/x.rs", LINES_501)]],
};

pub(crate) const FUNCTIONS: Rule = Rule {
    wants: "A function fits on a screen: at most 100 lines, better 70.",
    check: |house| {
        long_functions(house, FUNCTION_LIMIT)
            .map(|(file, offset, text)| file.finding(offset, format!("{text}: take it apart")))
            .collect()
    },
    broken: &[(&[("crates/a/tests/x.rs", FUNCTION_OF_101)], "crates/a/tests/x.rs:2:")],
    kept: &[&[("crates/a/src/x.rs", FUNCTION_OF_100)]],
};

/// What is over the goal and under the limit.
pub(crate) fn over_goal(house: &House) -> Vec<String> {
    let files = long_files(house, FILE_GOAL)
        .map(|(file, lines)| file.finding(0, format!("{lines} lines, goal {FILE_GOAL}")));
    let functions = long_functions(house, FUNCTION_GOAL)
        .map(|(file, at, text)| file.finding(at, format!("{text}, goal {FUNCTION_GOAL}")));
    let notes: Vec<Finding> = files.chain(functions).collect();
    notes.iter().map(ToString::to_string).collect()
}

fn long_files(house: &House, limit: usize) -> impl Iterator<Item = (&File, usize)> {
    let counted = house.shipped().map(|(file, _)| (file, file.text.lines().count()));
    counted.filter(move |(_, lines)| *lines > limit)
}

fn long_functions(house: &House, limit: usize) -> impl Iterator<Item = (&File, usize, String)> {
    let functions = house
        .rust()
        .flat_map(|(file, source)| source.functions.iter().map(move |function| (file, function)));
    functions.filter_map(move |(file, function)| {
        let lines = file.text[function.keyword..function.body.end].lines().count();
        let text = format!("`{}` has {lines} lines", function.name);
        (lines > limit).then_some((file, function.keyword, text))
    })
}

// Samples, in which a line is as short as a line can be.
const LINES_500: &str =
    concat!(lines_99!(), lines_99!(), lines_99!(), lines_99!(), lines_99!(), "\n\n\n\n\n");
const LINES_501: &str =
    concat!(lines_99!(), lines_99!(), lines_99!(), lines_99!(), lines_99!(), "\n\n\n\n\n\n");
const FUNCTION_OF_100: &str = concat!("\nfn x() {", lines_99!(), "}");
const FUNCTION_OF_101: &str = concat!("\nfn x() {", lines_99!(), "\n}");
