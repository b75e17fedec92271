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
//! `facts` is when and where the run was; a group's name is its table; `missed` is what stands short of its goal,
//! `waits` how long single operations waited. What a file says nothing of stays as it is: `costs` is written from the
//! file of that command, and a table of rows that the run left out is of an earlier one, whose date stands below it.
use std::fs;
use std::path::{Path, PathBuf};

use crate::workload::GROUPS;
use crate::{costs, growth};

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
    if let Some(folder) = &plots {
        if growth::draw(&json, folder)? {
            return Ok(());
        }
    }
    if let Some(table) = costs::read(&json) {
        let text = |name: &str| match name {
            costs::REGION => Region::Text(table.clone()),
            _ => Region::AsItIs,
        };
        return page.map_or(Ok(()), |page| write(&page, text));
    }
    let report = Report::read(&json).map_err(|error| format!("{file}: {error}"))?;
    if let Some(page) = page {
        // As the page reaches them: below its own folder, or not at all.
        let home = page.parent().unwrap_or(Path::new(""));
        let shown = plots.as_deref().and_then(|folder| folder.strip_prefix(home).ok());
        write(&page, |name| region(&report, name, shown))?;
    }
    if let Some(folder) = plots {
        report.draw(&folder)?;
    }
    Ok(())
}

/// What is to stand in a region.
#[derive(Debug, PartialEq)]
enum Region {
    /// This.
    Text(String),
    /// What stands there: this file says nothing of it.
    AsItIs,
    /// Nobody knows.
    Unknown,
}

impl From<Option<String>> for Region {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::AsItIs, Self::Text)
    }
}

/// `plots` is where the page finds the plots, if it is to show them.
fn region(report: &Report, name: &str, plots: Option<&Path>) -> Region {
    match name {
        "facts" => Region::Text(tables::facts(report)),
        "missed" => Region::Text(tables::missed(report)),
        "waits" => tables::waits(report).into(),
        name => match GROUPS.iter().find(|group| group.name == name) {
            Some(group) => {
                let plot = |folder: &Path| {
                    let file = format!("ratios-{}.svg", group.name);
                    format!("![{}: ratios]({})\n\n", group.title, folder.join(file).display())
                };
                let plot = plots.map_or(String::new(), plot);
                tables::group(report, group).map(|table| plot + &table).into()
            }
            None if name == costs::REGION => Region::AsItIs,
            None => Region::Unknown,
        },
    }
}

/// Writes a page's regions afresh.
///
/// # Errors
///
/// The page cannot be read or written, or has a region that is not known.
fn write(page: &Path, region: impl Fn(&str) -> Region) -> Result<(), String> {
    let told = |error| format!("{}: {error}", page.display());
    let text = fs::read_to_string(page).map_err(|error| told(error.to_string()))?;
    let text = filled(&text, region).map_err(told)?;
    fs::write(page, text).map_err(|error| told(error.to_string()))
}

const BEGIN: &str = "<!-- figures: ";
const END: &str = "<!-- end -->";

fn filled(page: &str, region: impl Fn(&str) -> Region) -> Result<String, String> {
    let (mut text, mut rest) = (String::new(), page);
    while let Some((before, marked)) = rest.split_once(BEGIN) {
        let (name, inside) = marked.split_once(" -->").ok_or("a mark has no end")?;
        let (_, after) = inside.split_once(END).ok_or(format!("region {name} has no end"))?;
        let inside = match region(name) {
            Region::Text(text) => text,
            Region::AsItIs => inside[..inside.len() - after.len() - END.len()].to_owned(),
            Region::Unknown => return Err(format!("region {name} is not known")),
        };
        text += &format!("{before}{BEGIN}{name} -->\n\n{}\n\n{END}", inside.trim());
        rest = after;
    }
    Ok(text + rest)
}

#[cfg(test)]
mod tests {
    use super::{Region, filled};

    fn named(name: &str) -> Region {
        match name {
            "a" => Region::Text("new".into()),
            "c" => Region::AsItIs,
            _ => Region::Unknown,
        }
    }

    #[test]
    fn what_a_file_says_nothing_of_stays() {
        let page = "<!-- figures: c -->\n\nold\n\n<!-- end -->\n<!-- figures: a --><!-- end -->";
        let filled = filled(page, named).unwrap();
        assert!(filled.starts_with("<!-- figures: c -->\n\nold\n\n<!-- end -->\n"), "{filled}");
        assert!(filled.ends_with("<!-- figures: a -->\n\nnew\n\n<!-- end -->"), "{filled}");
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
