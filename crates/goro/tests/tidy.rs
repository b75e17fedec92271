//! The house rules that no compiler and no linter checks, as one table.
//!
//! Reads the repository as text: no parser, no dependency, a fraction of a second. Each row of
//! [`RULES`] says what it wants, finds what breaks it as `path:line`, and carries samples of both
//! kinds, so that a rule that cannot fail is itself a failure.
//!
//! What is text stays text: a rule here knows comments and strings from code, finds functions and
//! test modules, and nothing more. Whatever needs types is clippy's (`Cargo.toml`, `clippy.toml`).

#[path = "tidy/decisions.rs"]
mod decisions;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/homes.rs"]
mod homes;
#[path = "tidy/house.rs"]
mod house;
#[path = "tidy/leftovers.rs"]
mod leftovers;
#[path = "tidy/links.rs"]
mod links;
#[path = "tidy/manifest.rs"]
mod manifest;
#[path = "tidy/msrv.rs"]
mod msrv;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/orderings.rs"]
mod orderings;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/pitfalls.rs"]
mod pitfalls;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tests_assert.rs"]
mod tests_assert;
#[path = "tidy/unsafety.rs"]
mod unsafety;

use house::{Finding, House};

/// One rule of the house.
struct Rule {
    /// What the house wants, as a sentence.
    wants: &'static str,
    /// Every place that breaks it.
    check: fn(&House) -> Vec<Finding>,
    /// Small repositories that break the rule, each with the place that must be found.
    broken: &'static [(Sample, &'static str)],
    /// Small repositories that keep it, with what is easily mistaken for a breach.
    kept: &'static [Sample],
}

/// A small repository: paths and texts.
type Sample = &'static [(&'static str, &'static str)];

const RULES: &[Rule] = &[
    sizes::FILES,
    sizes::FUNCTIONS,
    floors::EDGES,
    floors::TABLE,
    homes::PLATFORM,
    homes::TRACING,
    unsafety::LEDGER,
    unsafety::ROOTS,
    unsafety::SAFETY,
    orderings::NOTES,
    orderings::FENCES,
    names::FILES,
    names::TYPES,
    leftovers::UNFINISHED,
    leftovers::IGNORED,
    tests_assert::ASSERTIONS,
    msrv::SYNTAX,
    links::RELATIVE,
    decisions::LISTED,
    paths::MACHINE,
    pitfalls::TABLE,
    homes::CELLS,
];

/// Pitfalls 6 and 10: what is declared to be `Send` or `Sync` says why, and cells have one home.
#[test]
fn the_house_is_tidy() {
    let house = House::on_disk();
    assert!(house.files.len() > 20, "only {} files found: wrong folder?", house.files.len());
    for note in sizes::over_goal(&house) {
        println!("note: {note}");
    }
    let mut report = String::new();
    for rule in RULES {
        let findings = (rule.check)(&house);
        if !findings.is_empty() {
            report.push_str(&format!("\n{}\n", rule.wants));
            for finding in findings {
                report.push_str(&format!("  {finding}\n"));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn every_rule_finds_what_breaks_it_and_only_that() {
    for rule in RULES {
        assert!(!rule.broken.is_empty(), "no sample breaks: {}", rule.wants);
        assert!(!rule.kept.is_empty(), "no sample keeps: {}", rule.wants);
        for (sample, place) in rule.broken {
            let found: Vec<String> =
                (rule.check)(&House::of(sample)).iter().map(ToString::to_string).collect();
            let at_place = |line: &String| line.starts_with(place);
            assert!(
                found.len() == 1 && found.iter().all(at_place),
                "{}\nexpected one finding at {place} in {sample:#?}\nfound {found:#?}",
                rule.wants,
            );
        }
        for sample in rule.kept {
            let found: Vec<String> =
                (rule.check)(&House::of(sample)).iter().map(ToString::to_string).collect();
            assert!(found.is_empty(), "{}\nfound {found:#?}\nin {sample:#?}", rule.wants);
        }
    }
}
