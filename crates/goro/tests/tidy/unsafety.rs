//! Unsafe code: where it may stand, and what must stand with it.

use crate::Rule;
use crate::house::{File, Finding, House};
use crate::source::{Source, attributes, words};

const PAGE: &str = "docs/unsafe-ledger.md";

pub(crate) const LEDGER: Rule = Rule {
    wants: "Unsafe code that ships stands only in the files that docs/unsafe-ledger.md lists, each \
            with its reason.",
    check: ledger,
    broken: &[
        (
            &[LEDGER_OF_A, UNSAFE_A, ("crates/b/src/x.rs", "\nunsafe fn f() {}")],
            "crates/b/src/x.rs:2:",
        ),
        (
            &[("docs/unsafe-ledger.md", "\n| `crates/a/src/x.rs` | gone |")],
            "docs/unsafe-ledger.md:2:",
        ),
        (&[LEDGER_OF_A, ("crates/a/src/x.rs", "// unsafe\nuse x;")], "docs/unsafe-ledger.md:1:"),
        (
            &[("docs/unsafe-ledger.md", "| `crates/a/src/x.rs` | |"), UNSAFE_A],
            "docs/unsafe-ledger.md:1:",
        ),
    ],
    kept: &[
        &[LEDGER_OF_A, UNSAFE_A, ("crates/b/src/x.rs", "#![forbid(unsafe_code)] // unsafe")],
        &[("benches/src/main.rs", "unsafe { f() }")],
        &[("crates/b/src/x.rs", "#[cfg(test)]\nmod tests { fn f() { unsafe { g() } } }")],
    ],
};

pub(crate) const ROOTS: Rule = Rule {
    wants: "A crate's lib.rs forbids unsafe code, or denies it where the ledger lists a file of \
            the crate.",
    check: roots,
    broken: &[
        (&[("crates/a/src/lib.rs", "mod x;")], "crates/a/src/lib.rs:1:"),
        (&[("crates/a/src/lib.rs", "// #![forbid(unsafe_code)]")], "crates/a/src/lib.rs:1:"),
        (&[LEDGER_OF_A, ("crates/a/src/lib.rs", "mod x;")], "crates/a/src/lib.rs:1:"),
    ],
    kept: &[
        &[("crates/a/src/lib.rs", "//! A.\n#![forbid(unsafe_code)]")],
        &[LEDGER_OF_A, ("crates/a/src/lib.rs", "#![deny(unsafe_code, missing_docs)]")],
    ],
};

pub(crate) const SAFETY: Rule = Rule {
    wants: "Each unsafe block and impl has its own `// SAFETY:` above it, each unsafe trait and \
            each unsafe fn that others can call a `# Safety` section.",
    check: safety,
    broken: &[
        (&[("crates/a/src/x.rs", "fn f() {\n    unsafe { g() }\n}")], "crates/a/src/x.rs:2:"),
        (
            &[("crates/a/src/x.rs", "// SAFETY: x\n\nunsafe impl Send for A {}")],
            "crates/a/src/x.rs:3:",
        ),
        (
            &[(
                "crates/a/src/x.rs",
                "// SAFETY: x\nlet a = unsafe { g() };\nlet b = unsafe { h() };",
            )],
            "crates/a/src/x.rs:3:",
        ),
        (&[("crates/a/src/x.rs", "/// Does.\npub unsafe fn f() {}")], "crates/a/src/x.rs:2:"),
    ],
    kept: &[
        &[("crates/a/src/x.rs", "// SAFETY: one\n// reason.\nlet a =\n    unsafe { g() };")],
        &[("crates/a/src/x.rs", "/// # Safety\n/// Be.\n#[inline]\npub unsafe fn f() {}")],
        &[(
            "crates/a/src/x.rs",
            "/// # Safety\n/// Be.\nunsafe trait A {\n /// # Safety\n /// Be.\n unsafe fn f();\n}",
        )],
        &[(
            "crates/a/src/x.rs",
            "// SAFETY: as declared\nunsafe impl A for B {\n    unsafe fn f() {}\n}",
        )],
        &[("crates/a/src/x.rs", "type F = unsafe fn(u8);\nunsafe extern \"C\" { }")],
    ],
};

const LEDGER_OF_A: (&str, &str) = (PAGE, "| `crates/a/src/x.rs` | reason |");
const UNSAFE_A: (&str, &str) = ("crates/a/src/x.rs", "unsafe fn f() {}");

/// Files, reasons and offsets of the ledger's rows: `| `crates/x/src/y.rs` | reason |`.
fn rows(house: &House) -> Vec<(&str, &str, usize)> {
    let Some(page) = house.file(PAGE) else { return Vec::new() };
    let mut offset = 0;
    let mut rows = Vec::new();
    for line in page.text.split_inclusive('\n') {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let file = cells.next().and_then(|cell| cell.split('`').nth(1));
        if let Some(file) = file.filter(|file| file.starts_with("crates/")) {
            rows.push((file, cells.next().unwrap_or_default(), offset));
        }
        offset += line.len();
    }
    rows
}

fn ledger(house: &House) -> Vec<Finding> {
    let rows = rows(house);
    let mut findings = Vec::new();
    for (file, source) in house.shipped() {
        if let Some(at) = source.words("unsafe").find(|&at| !file.is_test(at)) {
            if !rows.iter().any(|(path, ..)| *path == file.path) {
                findings.push(file.finding(at, format!("no row in {PAGE}: do without, or argue")));
            }
        }
    }
    let Some(page) = house.file(PAGE) else { return findings };
    for (path, reason, offset) in rows {
        let source = house.file(path).and_then(|file| file.source.as_ref());
        if source.is_none_or(|source| source.words("unsafe").next().is_none()) {
            findings
                .push(page.finding(offset, format!("{path} has no unsafe code: strike the row")));
        } else if reason.is_empty() {
            findings.push(page.finding(offset, format!("say why {path} needs unsafe code")));
        }
    }
    findings
}

fn roots(house: &House) -> Vec<Finding> {
    let rows = rows(house);
    let roots = house.shipped().filter(|(file, _)| file.path.ends_with("/src/lib.rs"));
    roots
        .filter_map(|(file, source)| {
            let folder = file.path.trim_end_matches("lib.rs");
            let listed = rows.iter().any(|(path, ..)| path.starts_with(folder));
            let level = if listed { "deny" } else { "forbid" };
            let stated = attributes(&source.code, "#![").any(|range| {
                let attribute = &source.code[range];
                attribute.contains(&format!("{level}(")) && attribute.contains("unsafe_code")
            });
            (!stated).then(|| file.finding(0, format!("add `#![{level}(unsafe_code)]`")))
        })
        .collect()
}

fn safety(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in house.shipped() {
        for at in source.words("unsafe") {
            let after = source.code[at + "unsafe".len()..].trim_start();
            let (note, fix) = if after.starts_with('{') || after.starts_with("impl") {
                ("SAFETY:", "say in a `// SAFETY:` comment above why this is sound")
            } else if after.starts_with("trait") || is_shared(source, at) {
                ("# Safety", "say in a `# Safety` section what the caller promises")
            } else {
                continue;
            };
            if !has_note(file, source, at, note) {
                findings.push(file.finding(at, fix));
            }
        }
    }
    findings
}

/// Whether the `unsafe` at `at` is of a function with a visibility: `pub(crate) const unsafe fn`.
fn is_shared(source: &Source, at: usize) -> bool {
    let Some(function) =
        source.functions.iter().find(|function| function.start <= at && at < function.keyword)
    else {
        return false;
    };
    words(&source.code[function.start..at], "pub").next().is_some()
}

/// Whether `note` stands in the comment above the statement or item at `at`, which reaches up to
/// the first empty line and to the unsafe code before it.
fn has_note(file: &File, source: &Source, at: usize, note: &str) -> bool {
    let line_start = file.text[..at].rfind('\n').map_or(0, |end| end + 1);
    if source.comments[line_start..].lines().next().is_some_and(|line| line.contains(note)) {
        return true;
    }
    let lines = source.comments[..line_start].lines().rev();
    let code = source.code[..line_start].lines().rev();
    for (comment, code) in lines.zip(code) {
        if comment.contains(note) {
            return true;
        }
        if (comment.trim().is_empty() && code.trim().is_empty()) || code.contains("unsafe {") {
            return false;
        }
    }
    false
}
