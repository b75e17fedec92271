//! Links between our pages lead somewhere.

use crate::Rule;
use crate::house::{File, Finding, House};

pub(crate) const RELATIVE: Rule = Rule {
    wants: "A link from page to page leads to a file that is there, and to a heading in it.",
    check: dead_links,
    broken: &[
        (&[("docs/a.md", "x\n[b](b.md)")], "docs/a.md:2:"),
        (&[("a.md", "[b](docs/b.md)"), ("b.md", "")], "a.md:1:"),
        (&[("a.md", "[b](b.md#the-end)"), ("b.md", "# The start")], "a.md:1:"),
        (&[("a.md", "# One\n[x](#two)")], "a.md:2:"),
    ],
    kept: &[
        &[
            ("docs/a.md", "[b](../b.md#the-end-of-it) [c](https://x.y/z)"),
            ("b.md", "## The end, of `it`\n"),
        ],
        &[("a.md", "`[x](y)` [d](docs/)\n```text\n[x](y)\n```\n"), ("docs/b.md", "")],
    ],
};

fn dead_links(house: &House) -> Vec<Finding> {
    let pages = house.files.iter().filter(|file| file.path.ends_with(".md"));
    pages
        .flat_map(|page| {
            let targets = targets(&page.text);
            targets.into_iter().filter_map(|(at, target)| {
                problem(house, page, &target).map(|problem| page.finding(at, problem))
            })
        })
        .collect()
}

fn problem(house: &House, page: &File, target: &str) -> Option<String> {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { page.path.clone() } else { resolve(&page.path, path) };
    let folder = format!("{}/", file.trim_end_matches('/'));
    if house.files.iter().any(|other| other.path.starts_with(&folder)) {
        return None;
    }
    let Some(other) = house.file(&file) else {
        return Some(format!("no file at {file}"));
    };
    let is_there = heading.is_empty() || headings(&other.text).iter().any(|name| name == heading);
    (!is_there).then(|| format!("{file} has no heading #{heading}"))
}

/// Where `[text](target)` leads, outside of code; links to elsewhere are left out.
fn targets(text: &str) -> Vec<(usize, String)> {
    let prose = prose(text);
    let links = prose.match_indices("](").filter_map(|(at, _)| {
        let start = at + 2;
        let end = start + prose[start..].find(')')?;
        let target = prose[start..end].split_whitespace().next()?;
        let elsewhere = target.contains("://") || target.starts_with("mailto:");
        (!elsewhere).then(|| (at, target.to_owned()))
    });
    links.collect()
}

/// The text with blanks in place of code, fenced or quoted.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        let mut quoted = false;
        for c in line.chars() {
            quoted ^= c == '`';
            let keep = c == '\n' || !(fenced || is_fence || quoted);
            if keep { prose.push(c) } else { prose.extend((0..c.len_utf8()).map(|_| ' ')) }
        }
        fenced ^= is_fence;
    }
    prose
}

/// The anchors of a page's headings: lower case, blanks as hyphens, other marks left out.
fn headings(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// `path` as seen from the folder of `page`.
fn resolve(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
