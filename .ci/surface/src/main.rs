//! What users see of the published crates, from rustdoc's JSON: every public name with its signature, compared
//! with the list that is kept (`tests/api.txt`), and who has no example that runs.
//!
//! `.ci/run surface` makes the JSON and runs this from the repository's root; with `GORO_SURFACE=update` the lists
//! are written anew.

#![forbid(unsafe_code)]

mod examples;
mod krate;
mod shape;
mod text;
mod walk;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

/// The crates that programs name, and where their lists are.
const DOORS: [(&str, &str); 2] =
    [("goro", "crates/goro/tests"), ("goro_hyper", "crates/goro-hyper/tests")];

fn main() -> ExitCode {
    let folder = env::args().nth(1).expect("the folder of rustdoc's JSON is given");
    let update = env::var("GORO_SURFACE").is_ok_and(|it| it == "update");
    let krates = krate::Krates::read(Path::new(&folder));
    let mut same = true;
    for (root, folder) in DOORS {
        let entries = walk::surface(&krates, root);
        let lines = entries.iter().map(|entry| format!("{}: {}", entry.path, entry.line));
        let lines: Vec<String> = lines.collect();
        same &= compare(&format!("{folder}/api.txt"), &lines, update);
        let (asked, lacking) = examples::without(&entries);
        println!(
            "{root}: {} lines, {asked} items, {} without an example",
            entries.len(),
            lacking.len()
        );
        same &= compare(&format!("{folder}/without_example.txt"), &lacking, update);
    }
    if same {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "error: what users see has changed. If it is meant: GORO_SURFACE=update .ci/run surface"
    );
    ExitCode::FAILURE
}

/// Whether the file has these lines; what it has too many or too few is printed.
fn compare(file: &str, lines: &[String], update: bool) -> bool {
    if update {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(file, text).expect("the list can be written");
        return true;
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    let kept: BTreeSet<&str> = text.lines().collect();
    let found: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
    kept.difference(&found).for_each(|line| println!("{file}: - {line}"));
    found.difference(&kept).for_each(|line| println!("{file}: + {line}"));
    kept == found
}
