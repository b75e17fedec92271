//! Names that say nothing.

use crate::Rule;

pub(crate) const FILES: Rule = Rule {
    wants: "A file is named after its one idea; `x.rs` is the door, `x/` the rooms.",
    check: |house| {
        house
            .rust()
            .filter_map(|(file, _)| {
                let name = file.path.rsplit('/').next().unwrap_or(&file.path);
                let parts = file.path.trim_end_matches(".rs").split('/');
                let vague = parts.clone().find(|part| VAGUE_FILES.contains(part));
                if name == "mod.rs" {
                    return Some(file.finding(0, "move it to a file beside the folder, `x.rs`"));
                }
                vague.map(|part| {
                    file.finding(0, format!("`{part}` names no idea: which one is it?"))
                })
            })
            .collect()
    },
    broken: &[
        (&[("crates/a/src/x/mod.rs", "")], "crates/a/src/x/mod.rs:1:"),
        (&[("crates/a/src/utils.rs", "")], "crates/a/src/utils.rs:1:"),
        (&[("crates/a/tests/common/x.rs", "")], "crates/a/tests/common/x.rs:1:"),
    ],
    kept: &[&[("crates/a/src/model.rs", ""), ("crates/a/src/commonwealth.rs", "")]],
};

pub(crate) const TYPES: Rule = Rule {
    wants: "A type is named after its role, not after its place in a ladder of types.",
    check: |house| {
        let mut findings = Vec::new();
        for (file, source) in house.rust() {
            for keyword in ["struct", "enum", "union", "trait", "type"] {
                for at in source.words(keyword) {
                    let rest = source.code[at + keyword.len()..].trim_start();
                    let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
                    let name = name.unwrap_or_default();
                    if let Some(suffix) = VAGUE_ENDINGS.iter().find(|&end| name.ends_with(end)) {
                        let fix = format!("`{name}`: say what it does instead of `{suffix}`");
                        findings.push(file.finding(at, fix));
                    }
                }
            }
        }
        findings
    },
    broken: &[
        (&[("crates/a/src/x.rs", "\nstruct TaskInner<T>(T);")], "crates/a/src/x.rs:2:"),
        (&[("crates/a/src/x.rs", "pub trait WorkerImpl {}")], "crates/a/src/x.rs:1:"),
        (&[("crates/a/tests/x.rs", "struct TestHarness;")], "crates/a/tests/x.rs:1:"),
        (&[("benches/src/main.rs", "enum TaskManager {}")], "benches/src/main.rs:1:"),
        (&[("crates/a/src/x.rs", "type TaskRaw = u8;")], "crates/a/src/x.rs:1:"),
    ],
    kept: &[&[(
        "crates/a/src/x.rs",
        "// struct AInner\nstruct Innermost; let t: RawWaker = Raw();",
    )]],
};

const VAGUE_FILES: [&str; 7] = ["utils", "util", "common", "misc", "helpers", "helper", "stuff"];
const VAGUE_ENDINGS: [&str; 5] = ["Inner", "Raw", "Harness", "Manager", "Impl"];
