//! What has one home: std's primitives in goro-shim, tracing in the runtime's observer.

use crate::Rule;
use crate::house::{Finding, House};
use crate::source::{group_end, words};

pub(crate) const PLATFORM: Rule = Rule {
    wants: "std's synchronisation, threads and clock have one home, goro-shim, which chooses \
            between them and loom's.",
    check: platform,
    broken: &[
        (&[("crates/a/src/x.rs", "\nuse std::sync::Arc;")], "crates/a/src/x.rs:2:"),
        (
            &[("crates/a/src/x.rs", "fn f() { core::sync::atomic::fence(o) }")],
            "crates/a/src/x.rs:1:",
        ),
        (&[("crates/a/src/x.rs", "use std::{\n  fmt,\n  thread,\n};")], "crates/a/src/x.rs:3:"),
        (&[("crates/a/src/x.rs", "let t = Instant::now();")], "crates/a/src/x.rs:1:"),
        (&[("crates/a/src/x.rs", "let t = SystemTime::now();")], "crates/a/src/x.rs:1:"),
        (&[("crates/a/src/x.rs", "loom::model(f);")], "crates/a/src/x.rs:1:"),
    ],
    kept: &[
        &[("crates/goro-shim/src/x.rs", "use std::sync::Arc; let t = Instant::now();")],
        &[("crates/a/tests/x.rs", "use std::sync::Arc;")],
        &[("benches/src/main.rs", "use std::thread;")],
        &[("crates/a/src/x.rs", "// std::sync::Arc\nuse goro_shim::{Arc, thread};")],
        &[(
            "crates/a/src/x.rs",
            "#[cfg(all(test, loom))] mod models { fn f() { loom::model(g) } }",
        )],
        &[
            ("crates/a/src/x.rs", "#[cfg(test)]\nmod y;"),
            ("crates/a/src/x/y.rs", "use std::thread;"),
        ],
    ],
};

pub(crate) const TRACING: Rule = Rule {
    wants: "`tracing` is named in one module, goro-runtime's `observe`: elsewhere there is nothing \
            to switch off.",
    check: |house| {
        let strangers = house.shipped().filter(|(file, _)| {
            let home = file.path.strip_prefix("crates/goro-runtime/src/observe");
            !home.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        strangers
            .flat_map(|(file, source)| {
                let paths = source.words("tracing").filter(|&at| {
                    source.code[at..].starts_with("tracing::")
                        || source.code[..at].trim_end().ends_with("use")
                });
                paths.map(|at| file.finding(at, "call goro-runtime's `observe` instead"))
            })
            .collect()
    },
    broken: &[
        (&[("crates/a/src/x.rs", "fn f() {\ntracing::info!(1) }")], "crates/a/src/x.rs:2:"),
        (
            &[("crates/goro-runtime/src/observed.rs", "use tracing;")],
            "crates/goro-runtime/src/observed.rs:1:",
        ),
    ],
    kept: &[
        &[("crates/goro-runtime/src/observe.rs", "use tracing::Span;")],
        &[("crates/goro-runtime/src/observe/spans.rs", "use tracing::Span;")],
        &[("crates/a/src/x.rs", "/// Uses `tracing::Span`.\nlet tracing = true;")],
    ],
};

pub(crate) const CELLS: Rule = Rule {
    wants: "Cells that are shared unsafely come from goro-shim, so that a model watches each access.",
    check: |house| {
        let others =
            house.shipped().filter(|(file, _)| !file.path.starts_with("crates/goro-shim/"));
        others
            .filter(|(_, source)| !source.code.contains("use goro_shim::cell::UnsafeCell;"))
            .flat_map(|(file, source)| {
                let cells = source.words("UnsafeCell").filter(|&at| !file.is_test(at));
                cells.map(|at| file.finding(at, "use goro_shim::cell::UnsafeCell"))
            })
            .collect()
    },
    broken: &[
        (&[("crates/a/src/x.rs", "\nuse core::cell::UnsafeCell;")], "crates/a/src/x.rs:2:"),
        (
            &[("crates/a/src/x.rs", "struct A {\n    a: std::cell::UnsafeCell<u8>,\n}")],
            "crates/a/src/x.rs:2:",
        ),
    ],
    kept: &[
        &[("crates/goro-shim/src/x.rs", "use core::cell::UnsafeCell;")],
        &[("crates/a/src/x.rs", "use goro_shim::cell::UnsafeCell;\ntype A = UnsafeCell<u8>;")],
        &[(
            "crates/a/src/x.rs",
            "/// No `UnsafeCell`.\n#[cfg(test)] mod t { use core::cell::UnsafeCell; }",
        )],
    ],
};

/// What the shim wraps, and what to write instead.
const WRAPPED: [(&str, &str); 7] = [
    ("std::sync", "use goro_shim's Arc, atomic, lock or global"),
    ("core::sync", "use goro_shim::atomic"),
    ("std::thread", "use goro_shim::thread"),
    ("Instant::now", "use the context's or goro_shim::time's `now`"),
    ("SystemTime::now", "use the context's or goro_shim::time's `now`"),
    ("loom::sync", "use goro_shim, which is loom's in a model"),
    ("loom::model", "models stand in modules under #[cfg(all(test, loom))]"),
];

fn platform(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in house.shipped() {
        if file.folder().is_some_and(|(folder, _)| folder == "goro-shim") {
            continue;
        }
        let mut note = |at, fix: &str| {
            if !file.is_test(at) {
                findings.push(file.finding(at, fix));
            }
        };
        for (path, fix) in WRAPPED {
            source.words(path).for_each(|at| note(at, fix));
        }
        for root in ["std::{", "core::{"] {
            for (at, _) in source.code.match_indices(root) {
                let open = at + root.len() - 1;
                let Some(end) = group_end(&source.code, open) else { continue };
                for module in ["sync", "thread"] {
                    let inside = words(&source.code[open..end], module);
                    inside.for_each(|found| note(open + found, "take it from goro_shim"));
                }
            }
        }
    }
    findings
}
