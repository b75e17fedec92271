//! What is read, and what is refused where.

use super::*;
use crate::fake::{self, Fake};

fn read(source: &str) -> Result<Arguments, Refusal<usize>> {
    parse::<Fake>(Entry::Main, &fake::tokens(source))
}

/// Asserts that `source` is refused at the first `at` in it, with words that contain `fix`.
#[track_caller]
fn check_refused(source: &str, at: &str, fix: &str) {
    let refusal = read(source).expect_err(source);
    assert!(refusal.message.contains(fix), "{source}: {}", refusal.message);
    assert_eq!(refusal.at, source.rfind(at), "{source}: {}", refusal.message);
}

#[test]
fn no_arguments_leave_everything_to_the_defaults() {
    let main = read("").unwrap();
    let (flavor, facade) = (Flavor::Multi, "::goro".into());
    assert_eq!(main, Arguments { flavor, workers: None, seeds: None, shutdown: false, facade });
    let test = parse::<Fake>(Entry::Test, &[]).unwrap();
    assert_eq!(test.workers, Some(2));
}

#[test]
fn all_arguments_in_any_order_with_or_without_a_last_comma() {
    let (flavor, facade) = (Flavor::Multi, "a::b".into());
    let expected = Arguments { flavor, workers: Some(3), seeds: None, shutdown: false, facade };
    for source in [
        r#"workers = 3, flavor = "multi", crate = "a::b""#,
        r#"crate = "a::b", workers = 3, flavor = "multi","#,
    ] {
        assert_eq!(read(source).unwrap(), expected, "{source}");
    }
}

#[test]
fn a_simulation_has_seeds_and_leaves_the_workers_to_them() {
    let read = |source| parse::<Fake>(Entry::Test, &fake::tokens(source)).unwrap();
    for (source, workers, seeds) in [
        ("sim", None, 100),
        ("sim,", None, 100),
        ("sim, seeds = 1_000", None, 1_000),
        ("seeds = 5, workers = 2, sim", Some(2), 5),
    ] {
        let arguments = read(source);
        assert_eq!((arguments.workers, arguments.seeds), (workers, Some(seeds)), "{source}");
    }
}

#[test]
fn simulations_that_are_none_are_refused() {
    let refused = |source: &str, at: &str, fix: &str| {
        let refusal = parse::<Fake>(Entry::Test, &fake::tokens(source)).expect_err(source);
        assert!(refusal.message.contains(fix), "{source}: {}", refusal.message);
        assert_eq!(refusal.at, source.rfind(at), "{source}: {}", refusal.message);
    };
    refused("seeds = 7", "seeds", "write `sim, seeds = 7`");
    refused("sim, seeds = 0", "0", "`seeds = 1` or more");
    refused("sim, seeds = N", "N", "goro::sim::explore");
    refused("sim, sim", "sim", "given twice");
    refused(r#"sim, flavor = "local""#, "flavor", "leave `flavor` out");
    refused("sim = 4", "=", "expected `,` or the end after `sim`");
    refused("simulated", "simulated", "write `sim`");
    check_refused("sim", "sim", "it knows `workers = N`");
}

#[test]
fn numbers_may_have_a_suffix_and_underscores() {
    for (source, count) in [("workers = 1_0", 10), ("workers = 4usize", 4)] {
        assert_eq!(read(source).unwrap().workers, Some(count), "{source}");
    }
}

#[test]
fn a_value_captured_by_a_macro_is_seen_through_its_invisible_fences() {
    assert_eq!(read("workers = \u{ab}4\u{bb}").unwrap().workers, Some(4));
}

#[test]
fn counts_that_are_none_are_refused_at_the_value() {
    check_refused("workers = 0", "0", "at least one worker");
    check_refused(r#"workers = "4""#, "\"4\"", "without quotes");
    check_refused("workers = 4.0", "4.0", "whole number");
    check_refused("workers = 4u8", "4u8", "whole number");
    check_refused("workers = -1", "-", "whole number");
    check_refused("workers = N", "N", "goro::runtime::Builder");
    check_refused("workers = 99999999999999999999999", "99999999999999999999999", "whole");
}

#[test]
fn flavors_that_are_none_are_refused_with_goros_word_for_them() {
    check_refused(r#"flavor = "current_thread""#, "\"current_thread\"", "`flavor = \"local\"`");
    check_refused(r#"flavor = "multi_thread""#, "\"multi_thread\"", "goro's word");
    check_refused(r#"flavor = "warp""#, "\"warp\"", "\"multi\" and \"local\"");
    check_refused("flavor = multi", "multi", "takes a string");
}

#[test]
fn a_local_runtime_has_no_number_of_workers() {
    for source in [r#"flavor = "local""#, r#"flavor = "local", crate = "::goro""#] {
        for entry in [Entry::Main, Entry::Test] {
            let arguments = parse::<Fake>(entry, &fake::tokens(source)).unwrap();
            let facade = "::goro".into();
            let expected = Arguments {
                flavor: Flavor::Local,
                workers: None,
                seeds: None,
                shutdown: false,
                facade,
            };
            assert_eq!(arguments, expected);
        }
    }
    check_refused(r#"flavor = "local", workers = 1"#, "workers", "leave `workers` out");
    check_refused(r#"workers = 1, flavor = "local""#, "workers", "`flavor = \"multi\"`");
}

#[test]
fn names_that_are_none_are_refused_at_the_name() {
    check_refused("worker_threads = 4", "worker_threads", "write `workers = N`");
    check_refused("workers = 4, colour = 1", "colour", "it knows `workers = N`");
    check_refused("4", "4", "expected an argument's name");
    check_refused("workers = 4,, ", ",", "expected an argument's name");
}

#[test]
fn an_argument_given_twice_is_refused_at_the_second() {
    check_refused("workers = 1, workers = 2", "workers", "given twice");
    check_refused(r#"flavor = "multi", flavor = "multi""#, "flavor", "given twice");
    check_refused(r#"crate = "a", crate = "b""#, "crate", "given twice");
}

#[test]
fn missing_pieces_are_refused_where_they_are_missing() {
    check_refused("workers", "workers", "write `workers = 4`");
    check_refused("workers =", "=", "write `workers = 4`");
    check_refused("workers: 4", ":", "expected `=`");
    check_refused("workers = 4 flavor = \"multi\"", "flavor", "expected `,`");
    check_refused("workers(4)", "(4)", "write `workers = 4`");
}

#[test]
fn paths_are_checked() {
    for path in ["goro", "::goro", "a::b::c", "crate::goro", "r#try::goro", "_x"] {
        assert_eq!(read(&format!("crate = {path:?}")).unwrap().facade, path);
    }
    for path in ["", "a b", "a::", "a:b", "9a", "a::b()", "a-b"] {
        check_refused(&format!("crate = {path:?}"), &format!("{path:?}"), "is not a path");
    }
    check_refused("crate = goro", "goro", "between quotes");
    check_refused("crate = \"a\\n\"", "\"a\\n\"", "between quotes");
}
