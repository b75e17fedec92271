//! What each runtime costs beside its speed: bytes, a binary, a build, a start, idle wake-ups.
//!
//! The bytes and the wake-ups are workloads of the table. For the rest it writes one small program for each
//! runtime, the same in all of them (a task is spawned and its answer printed), into a folder of its own, and
//! builds each from nothing, with the versions of this workspace's lock file.
//!
//! Left out: smol's static executor, which is smol's crates once more.
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::print::number;
use crate::rival::go;
use crate::sample::{Order, Taker};
use crate::stats::Spread;
use crate::workload;

/// The first argument that asks for it.
pub const COMMAND: &str = "costs";

const USAGE: &str = "costs [--quick] [--json FILE]: bytes, binary, build, start and idle wake-ups beside the \
     peers, as a Markdown table";

const RIVALS: &[&str] = &["goro", "tokio", "smol", "go"];
const WORKERS: usize = 2;
/// Starts of each program.
const STARTS: usize = 40;

/// Workload, metric, how many of its unit make one of the row's, and the row.
const BYTES: &[(&str, &str, f64, &str)] = &[
    ("parked_memory", "memory", 1.0, "a task that waits, bytes"),
    ("parked_channel", "memory", 1.0, "the same, each with a channel of its own, bytes"),
    ("channel_bytes", "one place", 1.0, "a channel with one place, bytes"),
    ("channel_bytes", "128 places", 1.0, "a channel with 128 places, bytes"),
    ("channel_bytes", "oneshot", 1.0, "a channel for one answer, bytes"),
    ("timer_storm", "peak", 0.0, "a task that sleeps, at the peak of a million, bytes"),
    ("idle_connections", "memory", 1.0, "an idle connection with its task, bytes"),
    ("idle", "switches", 1.0, "context switches a second with 10,000 waiting tasks"),
    ("idle", "cpu", 1.0, "CPU of these, us a second"),
];

/// What the table's place in a page is called.
pub const REGION: &str = "costs";
const SCHEMA: &str = "goro-costs/1";

/// One line of the table: a value for each rival.
type Row = (String, Vec<Option<f64>>);

/// Measures and prints.
///
/// # Errors
///
/// What is wrong with the arguments, or could not be written or built.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (mut quick, mut json) = (false, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--json" => json = Some(PathBuf::from(rest.next().ok_or(USAGE)?)),
            _ => return Err(USAGE.into()),
        }
    }
    let taker = Taker::of(RIVALS)?;
    let mut rows = bytes(&taker, quick)?;
    let folder = env::temp_dir().join(format!("goro-bench-costs-{}", std::process::id()));
    let programs = RIVALS.iter().map(|rival| Program::build(rival, &folder.join(rival)));
    let programs = programs.collect::<Result<Vec<_>, _>>();
    if let Ok(programs) = &programs {
        rows.extend(of_programs(programs)?);
    }
    fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    programs?;
    println!("{}", table(&rows));
    if let Some(file) = json {
        let rows = rows.iter().map(|(row, values)| {
            let values = RIVALS
                .iter()
                .zip(values)
                .map(|(rival, value)| ((*rival).to_owned(), (*value).into()));
            serde_json::json!({ "row": row, "values": values.collect::<serde_json::Map<_, _>>() })
        });
        let report = serde_json::json!({
            "schema": SCHEMA,
            "date": crate::report::date(),
            "commit": crate::report::commit(),
            "host": crate::host::json(RIVALS),
            "rows": rows.collect::<Vec<_>>(),
        });
        crate::report::write(&file, &report)?;
    }
    Ok(())
}

/// The table of a file, if it is one of these.
pub fn read(json: &serde_json::Value) -> Option<String> {
    if json["schema"] != SCHEMA {
        return None;
    }
    let row = |row: &serde_json::Value| {
        let values = RIVALS.iter().map(|rival| row["values"][rival].as_f64()).collect();
        Some((row["row"].as_str()?.to_owned(), values))
    };
    let rows: Vec<Row> = json["rows"].as_array()?.iter().filter_map(row).collect();
    let (date, commit) = (json["date"].as_str()?, json["commit"].as_str().unwrap_or("unknown"));
    Some(format!("{}\n{date}, commit {commit}", table(&rows)))
}

fn bytes(taker: &Taker, quick: bool) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut taken: Vec<(&str, Vec<Vec<f64>>)> = Vec::new();
    for &(name, metric, times, row) in BYTES {
        let workload = workload::named(name).ok_or(format!("no row {name}"))?;
        if !taken.iter().any(|(known, _)| *known == name) {
            let each = RIVALS.iter().map(|rival| {
                let order = Order { workload, rival, workers: WORKERS, quick };
                taker.take(order).map(|sample| sample.values)
            });
            taken.push((name, each.collect::<Result<_, _>>()?));
        }
        let at = workload.metrics.iter().position(|known| known.name == metric);
        let at = at.ok_or(format!("{name} has no {metric}"))?;
        let of = |(_, values): &(&str, Vec<Vec<f64>>)| {
            values.iter().map(|values| Some(values[at])).collect::<Vec<_>>()
        };
        let values = taken.iter().find(|(known, _)| *known == name).map(of).unwrap_or_default();
        // The peak is in mebibytes of all sleepers.
        let each = f64::from(1 << 20) / workload.size.pick(quick) as f64;
        let times = if times == 0.0 { each } else { times };
        rows.push((row.to_owned(), values.into_iter().map(|v| v.map(|v| v * times)).collect()));
    }
    Ok(rows)
}

/// A program that has been built from nothing.
struct Program {
    file: PathBuf,
    /// How long it took, in seconds.
    built: f64,
    /// How many packages it is made of, without itself.
    packages: Option<f64>,
}

impl Program {
    fn build(rival: &str, folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder.join("src")).map_err(|error| error.to_string())?;
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))
        };
        if rival == go::GO {
            write("go.mod", "module hello\n\ngo 1.24\n")?;
            write("main.go", GO)?;
            let mut build = Command::new(go::compiler());
            build.args(["build", "-ldflags=-s -w", "-o", "hello", "."]).current_dir(folder);
            build.env("GOCACHE", folder.join("cache")).env("CGO_ENABLED", "0");
            build.env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
            let built = timed(&mut build)?;
            return Ok(Self { file: folder.join("hello"), built, packages: Some(0.0) });
        }
        let (dependency, source) = match rival {
            "goro" => (GORO_MANIFEST, GORO),
            "tokio" => (TOKIO_MANIFEST, TOKIO),
            _ => (SMOL_MANIFEST, SMOL),
        };
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        write("Cargo.toml", &(MANIFEST.to_owned() + &dependency.replace("ROOT", root)))?;
        write("src/main.rs", source)?;
        fs::copy(format!("{root}/Cargo.lock"), folder.join("Cargo.lock"))
            .map_err(|error| error.to_string())?;
        let cargo = |arguments: &[&str]| {
            let mut cargo = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
            cargo.args(arguments).current_dir(folder);
            cargo.env("CARGO_TARGET_DIR", folder.join("target"));
            cargo
        };
        // Not part of the build's time: the lock file is cut down to what is used.
        let tree = ["tree", "--quiet", "--edges", "normal,build", "--prefix", "none"];
        let tree = cargo(&tree).stderr(Stdio::inherit()).output();
        let tree = tree.map_err(|error| error.to_string())?;
        let packages = packages(&String::from_utf8_lossy(&tree.stdout));
        let built = timed(&mut cargo(&["build", "--quiet", "--release", "--locked"]))?;
        let file = folder.join("target/release/hello");
        Ok(Self { file, built, packages: Some(packages as f64) })
    }

    fn start(&self) -> Result<f64, String> {
        let began = Instant::now();
        let output = Command::new(&self.file).stdin(Stdio::null()).output();
        let output = output.map_err(|error| error.to_string())?;
        let took = began.elapsed().as_secs_f64() * 1e3;
        match output.stdout.as_slice() {
            b"hello\n" => Ok(took),
            other => Err(format!("{} printed {other:?}", self.file.display())),
        }
    }
}

fn timed(command: &mut Command) -> Result<f64, String> {
    let began = Instant::now();
    let status = command.stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(began.elapsed().as_secs_f64()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// How many packages stand in a tree that is printed without its lines, the first one left out.
fn packages(tree: &str) -> usize {
    let name = |line: &str| line.trim_end_matches(" (*)").to_owned();
    let mut names: Vec<_> =
        tree.lines().skip(1).filter(|line| !line.is_empty()).map(name).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

fn of_programs(programs: &[Program]) -> Result<Vec<Row>, String> {
    let mut starts = vec![Vec::new(); programs.len()];
    for _ in 0..STARTS {
        for (program, starts) in programs.iter().zip(&mut starts) {
            starts.push(program.start()?);
        }
    }
    let size = |program: &Program| {
        fs::metadata(&program.file).ok().map(|facts| facts.len() as f64 / 1024.0)
    };
    let median = |starts: &Vec<f64>| Spread::of(starts).map(|spread| spread.median);
    Ok(vec![
        ("the program, stripped, KiB".into(), programs.iter().map(size).collect()),
        (
            "built from nothing, s".into(),
            programs.iter().map(|program| Some(program.built)).collect(),
        ),
        (
            "packages it is made of".into(),
            programs.iter().map(|program| program.packages).collect(),
        ),
        ("from its start to its end, ms".into(), starts.iter().map(median).collect()),
    ])
}

fn table(rows: &[Row]) -> String {
    let mut text = format!("| | {} |\n|---|{}\n", RIVALS.join(" | "), "---:|".repeat(RIVALS.len()));
    for (row, values) in rows {
        let cells: Vec<_> =
            values.iter().map(|value| value.map_or(String::new(), number)).collect();
        text += &format!("| {row} | {} |\n", cells.join(" | "));
    }
    text
}

const MANIFEST: &str = "[package]\nname = \"hello\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
     [workspace]\n\n[profile.release]\nstrip = true\n\n[dependencies]\n";
const GORO_MANIFEST: &str = "goro = { package = \"goro-rt\", path = \"ROOT/crates/goro\" }\n";
/// What goro has without being asked: workers, sockets, timers, channels, signals, the macro.
const TOKIO_MANIFEST: &str = "tokio = { version = \"1\", features = [\"io-util\", \"macros\", \"net\", \
     \"rt-multi-thread\", \"signal\", \"sync\", \"time\"] }\n";
const SMOL_MANIFEST: &str = "smol = \"2\"\n";

const GORO: &str = "#[goro::main]\nasync fn main() {\n    \
     println!(\"{}\", goro::spawn(async { \"hello\" }).await.unwrap());\n}\n";
const TOKIO: &str = "#[tokio::main]\nasync fn main() {\n    \
     println!(\"{}\", tokio::spawn(async { \"hello\" }).await.unwrap());\n}\n";
const SMOL: &str = "fn main() {\n    \
     println!(\"{}\", smol::block_on(async { smol::spawn(async { \"hello\" }).await }));\n}\n";
const GO: &str = "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tanswer := make(chan string)\n\t\
     go func() { answer <- \"hello\" }()\n\tfmt.Println(<-answer)\n}\n";

#[cfg(test)]
mod tests {
    use super::{BYTES, SCHEMA, packages, read, table};
    use crate::workload::named;

    #[test]
    fn every_row_is_a_metric_of_the_table() {
        for (name, metric, ..) in BYTES {
            let workload = named(name).unwrap();
            assert!(workload.metrics.iter().any(|known| known.name == *metric), "{name}, {metric}");
        }
    }

    #[test]
    fn a_file_is_a_table_again() {
        let json = serde_json::json!({
            "schema": SCHEMA, "date": "2026-11-30", "commit": "0123",
            "rows": [{ "row": "bytes", "values": { "goro": 74.0, "tokio": null, "go": 2738.0 } }],
        });
        let text = read(&json).unwrap();
        assert!(text.contains("| bytes | 74.00 |  |  | 2738 |\n"), "{text}");
        assert!(text.ends_with("\n2026-11-30, commit 0123"));
        assert_eq!(read(&serde_json::json!({ "schema": "other" })), None);
    }

    #[test]
    fn packages_are_counted_once() {
        let tree = "hello v0.0.0 (/x)\na v1.0.0\nb v1.0.0\na v1.0.0 (*)\na v2.0.0\n\n";
        assert_eq!(packages(tree), 3);
    }

    #[test]
    fn a_row_has_a_cell_for_each_rival() {
        let rows = [("bytes".to_owned(), vec![Some(74.0), Some(315.5), None, Some(2738.0)])];
        let text = table(&rows);
        assert!(text.ends_with("| bytes | 74.00 | 315.5 |  | 2738 |\n"), "{text}");
    }
}
