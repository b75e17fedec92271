//! Who has an example that runs.
//!
//! An item has one if its documentation holds one; or if one on its page, which is that of the type it belongs
//! to, or on the module's, of its introduction or a free function, uses it by name: a reader who looks for it finds it
//! there. A type has one
//! also if a function of its module returns it, and has an example: futures, guards and errors are met that
//! way. Of a family that differs by a number (`Race2`, `Race3`) one stands for all.
//!
//! Nothing is asked of fields, variants and implementations of traits.

use std::collections::{BTreeMap, BTreeSet};

use crate::walk::Entry;

/// All that should have an example, and those of them that have none.
pub(crate) fn without(entries: &[Entry]) -> (usize, Vec<String>) {
    let mut pages: BTreeMap<&str, String> = BTreeMap::new();
    for entry in entries {
        let page = entry.owner.as_deref().unwrap_or(&entry.path);
        let shown = examples(&entry.docs);
        if entry.kind == "function" && entry.owner.is_none() {
            pages.entry(module(&entry.path)).or_default().push_str(&shown);
        }
        pages.entry(page).or_default().push_str(&shown);
    }
    let none = String::new();
    let used = |entry: &Entry| {
        let page = entry.owner.as_deref().unwrap_or(&entry.path);
        let shown = [page, module(page)].map(|of| pages.get(of).unwrap_or(&none));
        !examples(&entry.docs).is_empty() || shown.iter().any(|text| has_word(text, name(entry)))
    };
    let asked: Vec<&Entry> = entries.iter().filter(|entry| is_asked(entry)).collect();
    let functions = asked.iter().filter(|entry| entry.kind == "function" && used(entry));
    let returned: BTreeSet<(&str, &str)> = functions
        .flat_map(|entry| {
            let output = entry.line.split_once("->").map_or("", |(_, output)| output);
            let page = entry.owner.as_deref().unwrap_or(&entry.path);
            words(output).map(move |word| (module(page), word))
        })
        .collect();
    let is_returned = |entry: &Entry| {
        entry.kind != "function" && returned.contains(&(module(&entry.path), name(entry)))
    };
    let lacking = asked.iter().filter(|entry| !used(entry) && !is_returned(entry));
    (asked.len(), lacking.map(|entry| entry.path.clone()).collect())
}

fn is_asked(entry: &Entry) -> bool {
    ["function", "struct", "enum", "trait", "union", "macro", "proc_macro"]
        .contains(&entry.kind.as_str())
}

/// The last part of the path, without the number of a family.
fn name(entry: &Entry) -> &str {
    let name = entry.path.rsplit("::").next().unwrap_or_default();
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn module(path: &str) -> &str {
    path.rsplit_once("::").map_or(path, |(module, _)| module)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
}

fn has_word(text: &str, word: &str) -> bool {
    words(text).any(|it| it == word)
}

/// The code of a page that is compiled and run.
fn examples(docs: &str) -> String {
    let mut code = String::new();
    let mut fence: Option<bool> = None;
    for line in docs.lines() {
        if let Some(marks) = line.trim_start().strip_prefix("```") {
            fence = match fence {
                Some(_) => None,
                None => Some(["", "rust"].contains(&marks.trim())),
            };
        } else if fence == Some(true) {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

#[test]
fn only_what_runs_is_an_example() {
    assert_eq!(
        examples("a\n```\nlet a = 1;\n```\nb\n```text\nc\n```\n```no_run\nd\n```"),
        "let a = 1;\n"
    );
    assert!(has_word("x.send(1)", "send") && !has_word("x.sends(1)", "send"));
}
