//! The program as it is called: what it prints and writes, and how it exits.
use std::env;
use std::fs;
use std::process::{Command, Output};

/// Those that need nothing installed.
const RUST: &str = "goro,tokio,smol,static";

fn bench(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_goro-bench");
    Command::new(program).args(arguments).output().expect("the program starts")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn the_list_names_workloads_gates_and_goals() {
    let output = bench(&["--list"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "spawn_join: ",
        "    time in ns/task, at most 0.80 of static, at most 0.35 of tokio, goal 0.50 of the best",
        "hard_stop: ",
        "    not on static, go",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for wrong in [
        &["--nonsense"][..],
        &["--only", "nothing"],
        &["sample", "yield"],
        &["render"],
        &["render", "x", "--nonsense"],
    ] {
        let output = bench(wrong);
        assert_eq!(code(&output), Some(2), "{wrong:?}");
        assert!(!output.stderr.is_empty(), "{wrong:?} says nothing");
    }
}

#[test]
fn a_run_writes_every_sample_of_every_rival() {
    let file = env::temp_dir().join(format!("goro-bench-{}.json", std::process::id()));
    let path = file.to_str().expect("a plain path");
    let call = "--quick --only timeout_ready,spawn_join --workers 1,2 --rounds 2";
    let mut arguments: Vec<_> = call.split(' ').collect();
    arguments.extend(["--rivals", RUST, "--json", path]);
    let output = bench(&arguments);
    assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(&file).unwrap();

    let boards = report["boards"].as_array().unwrap();
    let ran: Vec<_> = boards.iter().map(|board| (&board["workload"], &board["workers"])).collect();
    assert_eq!(ran.len(), 4, "{ran:?}");
    let verdict = &boards[0]["metrics"][0]["verdicts"][0];
    assert!(verdict["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0), "{verdict}");
    for metric in boards.iter().flat_map(|board| board["metrics"].as_array().unwrap()) {
        for rival in RUST.split(',') {
            assert_eq!(metric["samples"][rival].as_array().map(Vec::len), Some(2), "{metric}");
        }
    }
    assert!(report["host"]["compiler"].as_str().unwrap().starts_with("rustc"));
    assert_eq!(report["schema"], "goro-bench/2");
    assert_eq!(report["date"].as_str().map(str::len), Some("2026-01-31".len()));
}

#[test]
fn tables_and_plots_are_made_of_a_run_s_file() {
    let folder = env::temp_dir().join(format!("goro-bench-plots-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().expect("a plain path").to_owned();
    let call = "--quick --only chained_spawn,sleep_50us --workers 1 --rounds 1 --rivals";
    let (json, plots, page) = (path("run.json"), path("plots"), path("page.md"));
    let mut arguments: Vec<_> = call.split(' ').collect();
    arguments.extend([RUST, "--json", &json, "--plots", &plots]);
    let output = bench(&arguments);
    assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(format!("{plots}/{name}")).unwrap();
    let drawn = read("ratios-tasks.svg");
    assert!(drawn.contains("chained_spawn, time") && drawn.ends_with("</svg>\n"));
    assert_eq!(read("latency-sleep_50us.svg").matches("<polyline").count(), 4, "one of each rival");

    let again = path("again");
    fs::write(&page, "# A page\n<!-- figures: tasks -->\n<!-- end -->\nits end\n").unwrap();
    let output = bench(&["render", &json, "--page", &page, "--plots", &again]);
    assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("| chained_spawn | time, ns/task | 0.50 |"), "{text}");
    assert!(text.starts_with("# A page") && text.ends_with("its end\n"), "{text}");
    assert!(text.contains("(again/ratios-tasks.svg)"), "{text}");
    assert_eq!(fs::read_to_string(format!("{again}/ratios-tasks.svg")).unwrap(), drawn);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_grows_is_drawn_and_written() {
    let folder = env::temp_dir().join(format!("goro-bench-growth-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().expect("a plain path").to_owned();
    let (json, plots) = (path("growth.json"), path("plots"));
    let only = "connections";
    let output = bench(&["growth", "--quick", "--only", only, "--json", &json, "--plots", &plots]);
    assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    for (at, name) in only.split(',').enumerate() {
        let sweep = &report["sweeps"][at];
        let points = sweep["points"].as_array().map_or(0, Vec::len);
        let curve = sweep["figures"][0]["medians"]["goro"].as_array().unwrap();
        let there = curve.iter().filter_map(serde_json::Value::as_f64).filter(|it| *it > 0.0);
        assert!(points > 2 && there.count() == points, "{sweep}");
        let drawn = fs::read_to_string(format!("{plots}/growth-{name}.svg")).unwrap();
        assert!(drawn.contains("<polyline") && drawn.ends_with("</svg>\n"), "{name}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_check_needs_somebody_to_be_held_against() {
    for alone in ["goro", "tokio,smol"] {
        assert_eq!(code(&bench(&["--check", "--rivals", alone])), Some(2), "{alone}");
    }
}

#[test]
fn a_check_fails_exactly_when_a_gate_is_missed() {
    let call = "--quick --only chained_spawn --workers 1 --rounds 1 --check --rivals";
    let mut arguments: Vec<_> = call.split(' ').collect();
    arguments.push(RUST);
    let output = bench(&arguments);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let missed = i32::from(!text.contains("1 of 1 gates kept"));
    assert_eq!(code(&output), Some(missed), "{text}");
}

/// 64 connections cannot be had with 60 descriptors.
#[test]
fn a_failure_costs_its_row_and_no_other() {
    let call = "--quick --rounds 1 --workers 1 --only echo_64,chained_spawn --rivals goro";
    let script = format!("ulimit -n 60; exec {} {call}", env!("CARGO_BIN_EXE_goro-bench"));
    let output = Command::new("sh").args(["-c", &script]).output().expect("there is a shell");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(code(&output), Some(2), "{text}");
    assert!(text.contains("| chained_spawn |") && !text.contains("| echo_64 |"), "{text}");
}

/// Runs every workload once. The program fails if a checksum differs from the others'.
///
/// Without the one that needs a program which is not there: a test installs nothing.
fn all_agree(rivals: &str) {
    let list = String::from_utf8(bench(&["--list"]).stdout).unwrap();
    let names = list.lines().filter(|line| !line.starts_with(' '));
    let names = names.filter_map(|line| line.split_once(": ")).map(|(name, _)| name);
    let wrk = Command::new("wrk").arg("--version").output().is_ok();
    let names: Vec<_> = names.filter(|name| wrk || *name != "http").collect();
    let only = names.join(",");
    let call = ["--quick", "--rounds", "1", "--workers", "2", "--rivals", rivals, "--only", &only];
    let output = bench(&call);
    assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_workload_computes_the_same_on_tokio() {
    all_agree("goro,tokio");
}

#[test]
fn every_workload_computes_the_same_on_smol() {
    all_agree("goro,smol,static");
}

/// Where Go has been installed: a test downloads nothing.
#[test]
fn every_workload_computes_the_same_in_go() {
    let compiler = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/go/bin/go");
    if fs::exists(compiler).expect("the folder can be read") {
        all_agree("goro,go");
    }
}
