//! The table of the field's faults, and the tests that show that goro has none of them.
//!
//! Left out: whether a test shows what its row says. That is for whoever reads both.

use std::collections::BTreeMap;

use crate::Rule;
use crate::house::{File, Finding, House};
use crate::source::{Function, Source, attributes};

const PAGE: &str = "docs/pitfalls.md";

/// What the cell of a row without a test begins with; a reason follows.
const WITHOUT_A_TEST: [&str; 2] = ["cannot happen: ", "not built: "];

pub(crate) const TABLE: Rule = Rule {
    wants: "docs/pitfalls.md has a row for each pitfall, in order; a row names exactly the tests \
            whose documentation says `pitfall N`, or says why it `cannot happen: ..` or is \
            `not built: ..`; what the page counts is so.",
    check: |house| match house.file(PAGE) {
        Some(page) => compare(house, page),
        None => mentions(house)
            .map(|at| at.file.finding(at.offset, "docs/pitfalls.md is missing"))
            .collect(),
    },
    broken: &[
        (&[("crates/a/tests/x.rs", "/// Pitfall 1.\n#[test] fn a() {}")], "crates/a/tests/x.rs:1:"),
        (
            &[("docs/pitfalls.md", "1 by tests, 0 without, 0 open\n| 1 | x | `a/tests/x.rs::a` |")],
            "docs/pitfalls.md:2:",
        ),
        (
            &[
                (
                    "docs/pitfalls.md",
                    "1 by tests, 0 without, 0 open\n| 1 | x | `a/tests/x.rs::a` |",
                ),
                ("crates/a/tests/x.rs", "/// Pitfall 1.\nfn a() {}"),
            ],
            "docs/pitfalls.md:2:",
        ),
        (
            &[
                (
                    "docs/pitfalls.md",
                    "0 by tests, 1 without, 0 open\n| 1 | x | cannot happen: as y does not |",
                ),
                ("crates/a/tests/x.rs", "\n/// Pitfall 1.\n#[test] fn a() {}"),
            ],
            "crates/a/tests/x.rs:3:",
        ),
        (
            &[
                (
                    "docs/pitfalls.md",
                    "0 by tests, 1 without, 0 open\n| 1 | x | not built: as y is not |",
                ),
                ("crates/a/src/x.rs", "// As in pitfall 2."),
            ],
            "crates/a/src/x.rs:1:",
        ),
        (
            &[("docs/pitfalls.md", "0 by tests, 1 without, 0 open\n| 1 | x | not built: |")],
            "docs/pitfalls.md:2:",
        ),
        (
            &[(
                "docs/pitfalls.md",
                "0 by tests, 1 without, 0 open\n| 2 | x | not built: as y is not |",
            )],
            "docs/pitfalls.md:2:",
        ),
        (
            &[("docs/pitfalls.md", "1 by tests, 0 without, 0 open\n| 1 | x | open |")],
            "docs/pitfalls.md:1:",
        ),
    ],
    kept: &[
        &[
            (
                "docs/pitfalls.md",
                "2 by tests, 1 without, 1 open\n| 1 | x | `a/tests/x.rs::a`, `a/tests/x.rs::b` |\n\
                 | 2 | y | `a/tests/x.rs::b` |\n| 3 | z | cannot happen: there is no z |\n| 4 | o | open |",
            ),
            (
                "crates/a/tests/x.rs",
                "//! Not this one: pitfall 3.\n/// Pitfall 1.\n#[test]\nfn a() {}\n\
                 proptest! { /// B, see pitfalls 1 to\n/// 2.\n#[test] fn b(x in 1..2) {} }",
            ),
        ],
        &[("crates/a/src/x.rs", "//! Pitfalls are many.\nfn a() {}")],
    ],
};

/// A place in a comment that names a pitfall.
struct Mention<'a> {
    file: &'a File,
    offset: usize,
    number: usize,
    /// The test that it documents.
    test: Option<&'a Function>,
}

/// Each of them, in all comments.
fn mentions(house: &House) -> impl Iterator<Item = Mention<'_>> {
    house.rust().flat_map(|(file, source)| {
        numbers(&source.comments).into_iter().map(move |(offset, number)| Mention {
            file,
            offset,
            number,
            test: documented_test(source, offset),
        })
    })
}

/// The test whose documentation stands at `offset`.
fn documented_test(source: &Source, offset: usize) -> Option<&Function> {
    let next = source.functions.iter().find(|function| function.keyword > offset)?;
    let line = source.comments[..offset].rfind('\n').map_or(0, |end| end + 1);
    let documents = source.comments[line..].trim_start().starts_with("///");
    let head = &source.code[next.start..next.keyword];
    let is_test = attributes(head, "#[").any(|range| {
        let path =
            head[range].trim_start_matches("#[").split(['(', ']']).next().unwrap_or_default();
        path.trim().rsplit("::").next() == Some("test")
    });
    (documents && next.start <= offset && is_test).then_some(next)
}

/// Every `pitfall N`, `pitfalls N, M and O` and `pitfalls N to M`, with where the word stands.
fn numbers(comments: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, _) in comments.match_indices("itfall") {
        let rest = comments[at + "itfall".len()..].trim_start_matches('s');
        let mut range = false;
        for word in rest.split([' ', '\n', '/']).filter(|word| !word.is_empty()) {
            let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if let Ok(number) = word[..digits].parse() {
                let next = found.last().map(|&(_, last)| last + 1);
                let first = next.filter(|_| range).unwrap_or(number);
                found.extend((first..=number).map(|number| (at, number)));
                if !matches!(&word[digits..], "" | ",") {
                    break;
                }
            } else if !matches!(word, "and" | "to") {
                break;
            }
            range = word == "to";
        }
    }
    found
}

fn compare(house: &House, page: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let rows: Vec<Row<'_>> = page.text.lines().filter_map(|line| Row::of(page, line)).collect();
    let mut tests: BTreeMap<(usize, String), (Mention<'_>, bool)> = BTreeMap::new();
    for mention in mentions(house) {
        if mention.number == 0 || mention.number > rows.len() {
            let fix = format!("{PAGE} has no row {}", mention.number);
            findings.push(mention.file.finding(mention.offset, fix));
        } else if let Some(test) = mention.test {
            let path = mention.file.path.trim_start_matches("crates/");
            tests.insert((mention.number, format!("{path}::{}", test.name)), (mention, false));
        }
    }
    let mut counts = [0; 3];
    for (row, number) in rows.iter().zip(1..) {
        if row.number != number {
            findings.push(page.finding(row.offset, format!("row {number} belongs here")));
        }
        let reason = WITHOUT_A_TEST.iter().find_map(|begin| row.evidence.strip_prefix(begin));
        match (row.evidence, reason) {
            ("open", _) => counts[2] += 1,
            (_, Some(reason)) if reason.split_whitespace().count() > 2 => counts[1] += 1,
            (evidence, None) if evidence.starts_with('`') => counts[0] += 1,
            _ => findings.push(page.finding(row.offset, "name a test, or a reason for none")),
        }
        for test in row.evidence.split('`').filter(|word| word.contains(".rs::")) {
            match tests.get_mut(&(number, test.to_owned())) {
                Some((_, seen)) => *seen = true,
                None => {
                    let fix =
                        format!("no test `{test}` says in its documentation `pitfall {number}`");
                    findings.push(page.finding(row.offset, fix));
                }
            }
        }
    }
    for ((number, test), (mention, seen)) in &tests {
        if !seen {
            let fix = format!("{PAGE}, row {number}: add `{test}`");
            findings.push(mention.file.finding(mention.test.map_or(0, |test| test.keyword), fix));
        }
    }
    let [tested, without, open] = counts;
    let says = format!("{tested} by tests, {without} without, {open} open");
    if findings.is_empty() && !page.text.contains(&says) {
        findings.push(page.finding(0, format!("the page is to say \"{says}\"")));
    }
    findings
}

/// A line of the table.
struct Row<'a> {
    offset: usize,
    number: usize,
    evidence: &'a str,
}

impl<'a> Row<'a> {
    fn of(page: &'a File, line: &'a str) -> Option<Self> {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
        let [number, _fault, evidence] = cells.as_slice() else { return None };
        let offset = line.as_ptr().addr() - page.text.as_ptr().addr();
        Some(Self { offset, number: number.trim().parse().ok()?, evidence: evidence.trim() })
    }
}

#[test]
fn numbers_are_found_however_they_are_listed() {
    let found = |text| numbers(text).into_iter().map(|(_, number)| number).collect::<Vec<_>>();
    assert_eq!(found("/// Pitfalls 1, 2 and 4 to\n    /// 6: 7 of 8"), [1, 2, 4, 5, 6]);
    assert_eq!(
        found("(pitfall 63), pitfall 64's kin. Pitfalls 2, 6, and 3 of these"),
        [63, 64, 2, 6, 3]
    );
    assert!(found("/// Pitfall: 5. Pitfalls are 6.").is_empty());
}

/// The list that the page is made after has as many.
#[test]
fn all_of_them_have_a_row() {
    let house = House::on_disk();
    let page = house.file(PAGE).expect("the page is there");
    let rows: Vec<_> = page.text.lines().filter_map(|line| Row::of(page, line)).collect();
    assert_eq!(rows.len(), 162);
    let open = rows.iter().filter(|row| row.evidence == "open").count();
    println!("pitfalls: {} rows, {open} open", rows.len());
    assert_eq!(open, 0, "a row is a test, or a reason for none");
}
