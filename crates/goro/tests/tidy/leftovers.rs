//! What is not finished, and what is switched off.

use crate::Rule;
use crate::source::words;

pub(crate) const UNFINISHED: Rule = Rule {
    wants: "What stands in the tree is finished.",
    check: |house| {
        let mut findings = Vec::new();
        for (file, source) in house.rust() {
            for name in ["todo!", "unimplemented!", "dbg!"] {
                for (at, _) in source.code.match_indices(name) {
                    let before = &source.code[..at];
                    if !before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                        findings.push(file.finding(at, format!("write what `{name}` stands for")));
                    }
                }
            }
            for mark in MARKS {
                for at in words(&source.comments, mark) {
                    let fix = format!("do it, or say why not, without `{mark}`");
                    findings.push(file.finding(at, fix));
                }
            }
        }
        findings
    },
    broken: &[
        (&[("crates/a/src/x.rs", "fn f() {\n    todo!()\n}")], "crates/a/src/x.rs:2:"),
        (&[("crates/a/tests/x.rs", "fn f() { unimplemented!(\"x\") }")], "crates/a/tests/x.rs:1:"),
        (&[("crates/a/src/x.rs", "// FIX\u{4d}E: later")], "crates/a/src/x.rs:1:"),
    ],
    kept: &[&[("crates/a/src/x.rs", "// no todo!() here\nlet x = \"todo!()\"; my_todo!();")]],
};

const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

pub(crate) const IGNORED: Rule = Rule {
    wants: "No test is switched off.",
    check: |house| {
        let mut findings = Vec::new();
        for (file, source) in house.rust() {
            for (at, _) in source.code.match_indices("#[ignore") {
                findings.push(file.finding(at, "make it pass, or make it a named step of .ci/run"));
            }
        }
        findings
    },
    broken: &[(
        &[("crates/a/tests/x.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}")],
        "crates/a/tests/x.rs:2:",
    )],
    kept: &[&[("crates/a/tests/x.rs", "// #[ignore]\n#[test] fn a() {}")]],
};
