//! What a run found, as JSON. The README beside this package says what is in it.
//!
//! A figure that is no finite number is `null`.
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::board::Board;
use crate::host;
use crate::options::Options;

/// The form of the file; another number if a reader of this one could not read it.
pub const SCHEMA: &str = "goro-bench/2";

/// What is known before the first sample.
pub struct Facts(Map<String, Value>);

impl Facts {
    /// Of the machine, the program and the call.
    pub fn gather(options: &Options) -> Self {
        let command: Vec<_> = std::env::args().skip(1).collect();
        let facts = json!({
            "schema": SCHEMA,
            "date": date(),
            "commit": commit(),
            "command": format!("goro-bench {}", command.join(" ")),
            "host": host::json(&options.rivals),
            "workers": options.workers,
            "rounds": options.rounds,
            "size": if options.quick { "quick" } else { "full" },
            "quota": options.quota,
        });
        let Value::Object(facts) = facts else { unreachable!("it is one") };
        Self(facts)
    }

    /// With what these boards have so far.
    pub fn report(&self, boards: &[Board], took: Duration) -> Value {
        let mut report = self.0.clone();
        let boards: Vec<_> = boards.iter().map(Board::json).collect();
        report.insert("seconds".into(), took.as_secs_f64().into());
        report.insert("boards".into(), boards.into());
        Value::Object(report)
    }
}

/// Writes it.
///
/// # Errors
///
/// The file could not be written.
pub fn write(file: &Path, json: &Value) -> Result<(), String> {
    let text = serde_json::to_string_pretty(json).map_err(|error| error.to_string())?;
    fs::write(file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))
}

/// Today, as `2026-01-31`, by the clock of the machine.
pub fn date() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil(now.as_secs() / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// Year, month and day of that many days after the first of January 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= months[month] {
        left -= months[month];
        month += 1;
    }
    (year, month as u64 + 1, left + 1)
}

/// The commit of the tree, if it stands in one and git is there; with a `+` if files were changed.
pub fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-C", env!("CARGO_MANIFEST_DIR")]).args(arguments).stderr(Stdio::null());
        let output = git.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let clean = git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if clean { commit } else { commit + "+" })
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_have_dates() {
        assert_eq!(
            [0, 59, 11_016, 20_786].map(civil),
            [(1970, 1, 1), (1970, 3, 1), (2000, 2, 29), (2026, 11, 29),]
        );
    }
}
