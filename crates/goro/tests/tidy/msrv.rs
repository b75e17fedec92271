//! Syntax that came after the compiler we promise (1.85) and that no lint of ours sees.
//!
//! Library items that came later are clippy's (`incompatible_msrv`).

use crate::Rule;
use crate::house::{Finding, House};
use crate::source::{find_outside_groups, words};

pub(crate) const SYNTAX: Rule = Rule {
    wants: "The sources compile with Rust 1.85.",
    check: let_chains,
    broken: &[
        (
            &[("crates/a/src/x.rs", "fn f() {\n if let Some(x) = y && x > 1 { }\n}")],
            "crates/a/src/x.rs:2:",
        ),
        (&[("examples/x.rs", "while a && let Some(x) = y { }")], "examples/x.rs:1:"),
    ],
    kept: &[
        &[("crates/a/src/x.rs", "if let Some(x) = (a && b).then(f) { } while a && b { }")],
        &[("crates/a/src/x.rs", "if let A = b { c && d } let Some(x) = y else { z && w };")],
    ],
};

fn let_chains(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in house.rust() {
        let code = &source.code;
        for keyword in ["if", "while"] {
            for at in words(code, keyword) {
                let head = at + keyword.len();
                let end = find_outside_groups(code, head, b"{;").unwrap_or(head);
                let lets = words(&code[head..end], "let").next().is_some();
                let mut chained = false;
                let mut from = head;
                while let Some(and) = find_outside_groups(code, from, b"&{;") {
                    if and >= end {
                        break;
                    }
                    chained |= code[and..].starts_with("&&") && code[and + 2..].starts_with(' ');
                    from = and + 1;
                }
                if lets && chained {
                    findings
                        .push(file.finding(at, "a chain of `let`s needs Rust 1.88: nest the ifs"));
                }
            }
        }
    }
    findings
}
