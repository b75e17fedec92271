//! The floors of ARCHITECTURE.md against the manifests.
//!
//! The table is the law: a crate may depend on floors below its own, in tests as well, and on
//! nothing beside or above it. What cargo forbids is only the cycle.

use crate::Rule;
use crate::house::{File, Finding, House};
use crate::manifest;

const PAGE: &str = "ARCHITECTURE.md";

pub(crate) const EDGES: Rule = Rule {
    wants: "A crate depends only on floors below its own (the table of ARCHITECTURE.md).",
    check: upward_edges,
    broken: &[
        (
            &[TABLE_OF_THREE, ("crates/a/Cargo.toml", "[dependencies]\nb = 1\n")],
            "crates/a/Cargo.toml:2:",
        ),
        (
            &[TABLE_OF_THREE, ("crates/b/Cargo.toml", "[dev-dependencies]\nc.workspace = true\n")],
            "crates/b/Cargo.toml:2:",
        ),
    ],
    kept: &[&[TABLE_OF_THREE, ("crates/b/Cargo.toml", "[dependencies]\na = 1\nserde = 1\n")]],
};

pub(crate) const TABLE: Rule = Rule {
    wants: "Every crate stands in the table of ARCHITECTURE.md, and every row is a crate.",
    check: unlisted,
    broken: &[
        (&[TABLE_OF_ONE, MANIFEST_A, ("crates/d/Cargo.toml", "\n")], "crates/d/Cargo.toml:1:"),
        (&[TABLE_OF_ONE], "ARCHITECTURE.md:1:"),
        (&[MANIFEST_A], "crates/a/Cargo.toml:1:"),
    ],
    kept: &[&[TABLE_OF_ONE, MANIFEST_A, ("benches/Cargo.toml", "")]],
};

const TABLE_OF_ONE: (&str, &str) = (PAGE, "| 0 | `a` | x |\n");
const TABLE_OF_THREE: (&str, &str) = (PAGE, "| 0 | `a` |\n| 1 | [`b`](x) |\n| 1 | `c` |\n");
const MANIFEST_A: (&str, &str) = ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");

/// A row of the table.
struct Row<'a> {
    floor: u32,
    package: &'a str,
    offset: usize,
}

/// Rows that begin with a number and then a name in backquotes: `| 2 | `goro-task` | ...`.
fn rows(house: &House) -> Vec<Row<'_>> {
    let Some(page) = house.file(PAGE) else { return Vec::new() };
    let mut offset = 0;
    let mut rows = Vec::new();
    for line in page.text.split_inclusive('\n') {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let floor = cells.next().and_then(|cell| cell.parse().ok());
        let package = cells.next().and_then(|cell| cell.split('`').nth(1));
        if let (Some(floor), Some(package)) = (floor, package) {
            rows.push(Row { floor, package, offset });
        }
        offset += line.len();
    }
    rows
}

/// The manifests of the house's crates with their packages' names.
fn manifests(house: &House) -> impl Iterator<Item = (&File, &str)> {
    house.files.iter().filter_map(|file| {
        let (folder, name) = file.folder()?;
        (name == "Cargo.toml").then(|| (file, manifest::package(&file.text).unwrap_or(folder)))
    })
}

fn upward_edges(house: &House) -> Vec<Finding> {
    let rows = rows(house);
    let floor = |package: &str| rows.iter().find(|row| row.package == package).map(|row| row.floor);
    let mut findings = Vec::new();
    for (file, package) in manifests(house) {
        let Some(from) = floor(package) else { continue };
        for dependency in manifest::dependencies(&file.text) {
            let Some(to) = floor(&dependency.package) else { continue };
            if to >= from {
                let fix = format!(
                    "{package} (floor {from}) must not know {} (floor {to}): ask the context, or \
                     move the need up",
                    dependency.package
                );
                findings.push(file.finding(dependency.offset, fix));
            }
        }
    }
    findings
}

fn unlisted(house: &House) -> Vec<Finding> {
    let rows = rows(house);
    let packages: Vec<&str> = manifests(house).map(|(_, package)| package).collect();
    let without_row = manifests(house)
        .filter(|(_, package)| !rows.iter().any(|row| row.package == *package))
        .map(|(file, package)| {
            file.finding(0, format!("{package} has no row in {PAGE}: give it a floor"))
        });
    let without_crate =
        rows.iter().filter(|row| !packages.contains(&row.package)).filter_map(|row| {
            let fix = format!("no crate is called {}: remove the row", row.package);
            Some(house.file(PAGE)?.finding(row.offset, fix))
        });
    without_row.chain(without_crate).collect()
}
