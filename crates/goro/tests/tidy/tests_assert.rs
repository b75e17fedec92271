//! A test that cannot fail is none.

use crate::Rule;
use crate::house::{Finding, House};
use crate::source::{Function, Source, attributes, words};

pub(crate) const ASSERTIONS: Rule = Rule {
    wants: "Every test can fail by something it says: an assertion, `?`, an expected panic or \
            error, a function of the same file that can fail so, or a helper from elsewhere \
            that is called `check_..` or `expect_..`.",
    check: without_assertion,
    broken: &[
        (&[("crates/a/tests/x.rs", "#[test]\nfn a() { f().unwrap(); }")], "crates/a/tests/x.rs:2:"),
        (
            &[(
                "crates/a/src/x.rs",
                "#[goro::test(workers = 1)]\nasync fn a() { /* assert!() */ }",
            )],
            "crates/a/src/x.rs:2:",
        ),
    ],
    kept: &[
        &[(
            "crates/a/tests/x.rs",
            "#[test] fn a() { assert_eq!(1, 1) }\n#[test] fn b() { prop_assert!(true) }",
        )],
        &[("crates/a/tests/x.rs", "#[should_panic]\n#[test]\nfn a() { f() }")],
        &[("crates/a/tests/x.rs", "#[test]\n#[should_panic(expected = \"x\")]\nfn a() { f() }")],
        &[(
            "crates/a/tests/x.rs",
            "#[test] fn a() -> R { f()?; Ok(()) }\n#[test] fn b() { check_it(1) }",
        )],
        &[("crates/a/tests/x.rs", "#[test] fn a() { f().unwrap_err(); }\nfn not_a_test() { }")],
        &[(
            "crates/a/tests/x.rs",
            "#[test] fn a() { run() }\nfn run() { on() }\nfn on() { assert!(x) }",
        )],
        &[("crates/a/tests/x.rs", "#[test] fn a() { fn sent<T: Send>() {} sent::<A>(); }")],
        // What a compile-fail test feeds to the compiler is no test.
        &[
            ("crates/a/tests/x/y.rs", "#[goro::test] fn a() {}"),
            ("crates/a/tests/x/y.stderr", "error"),
        ],
    ],
};

/// Words that begin a way to fail; each must begin a word of the test.
const WAYS: [&str; 9] = [
    "assert",
    "debug_assert",
    "prop_assert",
    "check_",
    "expect_",
    "unwrap_err",
    "compile_fail",
    "panic!",
    "unreachable!",
];

fn without_assertion(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in house.rust() {
        if house.file(&file.path.replace(".rs", ".stderr")).is_some() {
            continue;
        }
        let able = functions_that_can_fail(source);
        for attribute in attributes(&source.code, "#[") {
            if !is_test(&source.code[attribute.clone()]) {
                continue;
            }
            let functions = source.functions.iter();
            let next = functions.filter(|function| function.keyword > attribute.end);
            let Some(function) = next.min_by_key(|function| function.keyword) else { continue };
            let head = &source.code[function.start..function.keyword];
            let expects_panic = words(head, "should_panic").next().is_some();
            if !expects_panic && !able.contains(&function.name.as_str()) {
                let fix = format!("`{}` asserts nothing: what must hold?", function.name);
                findings.push(file.finding(function.keyword, fix));
            }
        }
    }
    findings
}

/// The names of a file's functions that can fail by what they say, or by what those they call say.
fn functions_that_can_fail(source: &Source) -> Vec<&str> {
    let mut able: Vec<&str> = Vec::new();
    loop {
        let before = able.len();
        for function in &source.functions {
            let body = &source.code[function.body.clone()];
            let calls = |name: &&str| {
                let mut after = words(body, name).map(|at| &body[at + name.len()..]);
                after.any(|after| after.starts_with('(') || after.starts_with("::<"))
            };
            let name = function.name.as_str();
            let fails = can_fail(body) || is_bound(source, function) || able.iter().any(calls);
            if !able.contains(&name) && fails {
                able.push(name);
            }
        }
        if able.len() == before {
            return able;
        }
    }
}

/// Whether a function does nothing but ask the compiler for a bound: `fn f<T: Send>() {}`.
fn is_bound(source: &Source, function: &Function) -> bool {
    let head = &source.code[function.keyword..function.body.start];
    let generics = head.split('(').next().unwrap_or_default();
    let body = source.code[function.body.clone()].trim_matches(['{', '}']);
    generics.contains('<') && generics.contains(':') && body.trim().is_empty()
}

/// `#[test]`, or any path that ends so, with or without arguments.
fn is_test(attribute: &str) -> bool {
    let path = attribute.trim_start_matches("#[").split(['(', ']', '=']).next();
    path.is_some_and(|path| path.trim().rsplit("::").next() == Some("test"))
}

fn can_fail(body: &str) -> bool {
    let begins_word = |way: &str| {
        body.match_indices(way)
            .any(|(at, _)| !body[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    body.contains('?') || WAYS.iter().any(|way| begins_word(way))
}

#[test]
fn the_way_a_test_fails_must_begin_a_word() {
    assert!(can_fail("{ x.unwrap_err() }") && can_fail("{ f()? }") && can_fail("{ check_x() }"));
    assert!(!can_fail("{ recheck_x(); no_assert(); }"));
    assert!(Source::new("").functions.is_empty() && !is_test("#[test_case(1)]"));
}
