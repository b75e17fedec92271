//! Tables and plots from a run's file, so that nobody types a figure.
//!
//! A page has marked regions, each between two comments, which are written afresh:
//!
//! ```text
//! <!-- figures: tasks -->
//! ...
//! <!-- end -->
//! ```
//!
//! `facts` is when and where the run was; a group's name (`--list` has them in order) is its table; `missed`
//! is what stands short of its goal.
use std::fs;
use std::path::{Path, PathBuf};

use crate::workload::GROUPS;

mod draw;
mod figures;
mod tables;

pub use figures::Report;

/// The first argument that asks for it.
pub const COMMAND: &str = "render";

const USAGE: &str = "render FILE [--page PAGE] [--plots DIR]: writes the marked regions of a page, and \
     plots, from what --json has written";

/// Writes them.
///
/// # Errors
///
/// What is wrong with the arguments, the file, or the page.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let [file, rest @ ..] = arguments else { return Err(USAGE.into()) };
    let (mut page, mut plots) = (None, None);
    let mut rest = rest.iter();
    while let Some(option) = rest.next() {
        let value = Some(PathBuf::from(rest.next().ok_or(USAGE)?));
        match option.as_str() {
            "--page" => page = value,
            "--plots" => plots = value,
            _ => return Err(USAGE.into()),
        }
    }
    let text = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let json = serde_json::from_slice(&text).map_err(|error| format!("{file}: {error}"))?;
    let report = Report::read(&json).map_err(|error| format!("{file}: {error}"))?;
    if let Some(page) = page {
        write(&page, |name| region(&report, name))?;
    }
    if let Some(folder) = plots {
        report.draw(&folder)?;
    }
    Ok(())
}

fn region(report: &Report, name: &str) -> Option<String> {
    match name {
        "facts" => Some(tables::facts(report)),
        "missed" => Some(tables::missed(report)),
        "waits" => Some(tables::waits(report)),
        name => {
            GROUPS.iter().find(|group| group.name == name).map(|group| tables::group(report, group))
        }
    }
}

/// Writes a page's regions afresh.
///
/// # Errors
///
/// The page cannot be read or written, or has a region that is not known.
fn write(page: &Path, region: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let told = |error| format!("{}: {error}", page.display());
    let text = fs::read_to_string(page).map_err(|error| told(error.to_string()))?;
    let text = filled(&text, region).map_err(told)?;
    fs::write(page, text).map_err(|error| told(error.to_string()))
}

const BEGIN: &str = "<!-- figures: ";
const END: &str = "<!-- end -->";

fn filled(page: &str, region: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut text, mut rest) = (String::new(), page);
    while let Some((before, marked)) = rest.split_once(BEGIN) {
        let (name, inside) = marked.split_once(" -->").ok_or("a mark has no end")?;
        let (_, after) = inside.split_once(END).ok_or(format!("region {name} has no end"))?;
        let inside = region(name).ok_or(format!("region {name} is not known"))?;
        text += &format!("{before}{BEGIN}{name} -->\n\n{}\n\n{END}", inside.trim());
        rest = after;
    }
    Ok(text + rest)
}

#[cfg(test)]
mod tests {
    use super::filled;

    fn named(name: &str) -> Option<String> {
        (name == "a").then(|| "new".into())
    }

    #[test]
    fn regions_are_written_afresh_and_all_else_stays() {
        let page = "x\n<!-- figures: a -->\nold\n<!-- end -->\ny <!-- other -->\n";
        let once = filled(page, named).unwrap();
        assert_eq!(once, "x\n<!-- figures: a -->\n\nnew\n\n<!-- end -->\ny <!-- other -->\n");
        assert_eq!(filled(&once, named).unwrap(), once, "writing twice is writing once");
    }

    #[test]
    fn a_page_that_is_not_understood_is_left_alone() {
        for page in
            ["<!-- figures: b -->\n<!-- end -->", "<!-- figures: a -->\n", "<!-- figures: a"]
        {
            assert!(filled(page, named).is_err(), "{page}");
        }
    }
}
