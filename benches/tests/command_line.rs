//! The program as it is called: what it prints and writes, and how it exits.
use std::env;
use std::fs;
use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_goro-bench");
    Command::new(program).args(arguments).output().expect("the program starts")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn the_list_names_workloads_and_goals() {
    let output = bench(&["--list"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["spawn_join: ", "parked_memory: ", "    time in ns/task, at most 0.50 of the best"]
    {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for wrong in [&["--nonsense"][..], &["--only", "nothing"], &["sample", "yield"]] {
        let output = bench(wrong);
        assert_eq!(code(&output), Some(2), "{wrong:?}");
        assert!(!output.stderr.is_empty(), "{wrong:?} says nothing");
    }
}

#[test]
fn a_run_writes_every_sample_of_every_rival() {
    let file = env::temp_dir().join(format!("goro-bench-{}.json", std::process::id()));
    let path = file.to_str().expect("a plain path");
    let call = "--quick --only timeout_ready,spawn_join --workers 1,2 --rounds 2 --json";
    let mut arguments: Vec<_> = call.split(' ').collect();
    arguments.push(path);
    let output = bench(&arguments);
    assert_eq!(code(&output), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(&file).unwrap();

    let boards = report["boards"].as_array().unwrap();
    let ran: Vec<_> = boards.iter().map(|board| (&board["workload"], &board["workers"])).collect();
    assert_eq!(ran.len(), 4, "{ran:?}");
    assert!(boards[0]["metrics"][0]["verdict"]["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0));
    for metric in boards.iter().flat_map(|board| board["metrics"].as_array().unwrap()) {
        for rival in ["goro", "tokio", "smol", "static"] {
            assert_eq!(metric["samples"][rival].as_array().map(Vec::len), Some(2), "{metric}");
        }
    }
    assert!(report["host"]["compiler"].as_str().unwrap().starts_with("rustc"));
}

#[test]
fn a_check_needs_somebody_to_be_held_against() {
    for alone in ["goro", "tokio,smol"] {
        assert_eq!(code(&bench(&["--check", "--rivals", alone])), Some(2), "{alone}");
    }
}

#[test]
fn a_check_fails_exactly_when_a_goal_is_missed() {
    let call = "--quick --only timeout_ready --workers 1 --rounds 1 --check";
    let output = bench(&call.split(' ').collect::<Vec<_>>());
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let missed = i32::from(!text.contains("1 of 1 goals reached"));
    assert_eq!(code(&output), Some(missed), "{text}");
}
