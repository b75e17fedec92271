//! Atomics that order something say what.

use crate::Rule;
use crate::house::{Finding, House};

pub(crate) const NOTES: Rule = Rule {
    wants: "Each atomic operation that is not Relaxed has an `// Ordering:` note, above it or in \
            its function, that names its partner.",
    check: notes,
    broken: &[
        (
            &[("crates/a/src/x.rs", "fn f() {\n    A.load(Ordering::Acquire);\n}")],
            "crates/a/src/x.rs:2:",
        ),
        (
            &[(
                "crates/a/src/x.rs",
                "fn e() { // Ordering: x\n}\n\n\n\n\n\n\n\n\nfn f() { fence(Ordering::SeqCst) }",
            )],
            "crates/a/src/x.rs:11:",
        ),
        (
            &[("crates/a/src/x.rs", "use std::sync::atomic::Ordering::{Acquire, Release};")],
            "crates/a/src/x.rs:1:",
        ),
        (&[("crates/a/src/x.rs", "use goro_shim::atomic::Ordering::*;")], "crates/a/src/x.rs:1:"),
    ],
    kept: &[
        &[("crates/a/src/x.rs", "fn f() {\n// Ordering: with g's\nA.load(Ordering::Acquire);\n}")],
        &[("crates/a/src/x.rs", "fn f() { A.load(Ordering::Relaxed); B::Acquire; }")],
        &[("crates/a/src/x.rs", "use std::cmp::Ordering::{Less, Greater};")],
        &[("crates/a/src/x.rs", "#[cfg(test)] mod t { fn f() { A.load(Ordering::SeqCst) } }")],
    ],
};

pub(crate) const FENCES: Rule = Rule {
    wants: "Sequential consistency is `goro_shim::atomic::fence_seqcst`, never an access: models \
            read a SeqCst access as AcqRel, and would not check what leans on one.",
    check: |house| {
        let users = house
            .shipped()
            .filter(|(file, _)| file.folder().is_none_or(|(folder, _)| folder != "goro-shim"));
        users
            .flat_map(|(file, source)| {
                let uses = source.words("SeqCst").filter(|&at| !file.is_test(at));
                uses.map(|at| file.finding(at, "call `fence_seqcst` between the two accesses"))
            })
            .collect()
    },
    broken: &[(
        &[("crates/a/src/x.rs", "// Ordering: x\nfn f() { A.load(Ordering::SeqCst) }")],
        "crates/a/src/x.rs:2:",
    )],
    kept: &[
        &[("crates/goro-shim/src/x.rs", "fn f() { fence(Ordering::SeqCst) } // Ordering: x")],
        &[("crates/a/src/x.rs", "#[cfg(test)] mod t { fn f() { A.load(Ordering::SeqCst) } }")],
    ],
};

const STRONG: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];

/// How many lines above an operation its note may begin.
const REACH: usize = 8;

fn notes(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in house.shipped() {
        for (at, name) in source.code.match_indices("Ordering::") {
            if file.is_test(at) {
                continue;
            }
            let rest = source.code[at + name.len()..].trim_start();
            let is_import = source.code[..at]
                .rsplit([';', '}'])
                .next()
                .is_some_and(|statement| statement.split_whitespace().any(|word| word == "use"));
            if is_import {
                let strong = STRONG
                    .iter()
                    .any(|name| rest.split(';').next().is_some_and(|list| list.contains(name)));
                if strong || rest.starts_with('*') {
                    findings
                        .push(file.finding(at, "import `Ordering` itself, so that each use shows"));
                }
                continue;
            }
            let strong = STRONG.iter().any(|name| rest.starts_with(name));
            let above = source.comments[..at].lines().rev().take(REACH + 1);
            let above = above.collect::<Vec<_>>().join("\n");
            let function = source.function_at(at).map_or(0..0, |function| function.body.clone());
            let noted = |text: &str| text.contains("Ordering:");
            if strong && !noted(&above) && !noted(&source.comments[function]) {
                findings.push(file.finding(at, "name the partner in an `// Ordering:` note"));
            }
        }
    }
    findings
}
