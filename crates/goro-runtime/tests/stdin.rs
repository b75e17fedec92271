//! A job that reads a terminal nobody types at: the program ends all the same.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::blocking::Config;
use goro_runtime::{Builder, block_on};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Runs `test` of this file in a process of its own, whose standard input stays open and silent.
fn with_a_silent_terminal(test: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("GORO_TEST_PART", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn ends_by_itself(mut child: Child) -> String {
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("the program was held by its reader");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn is_part() -> bool {
    std::env::var_os("GORO_TEST_PART").is_some()
}

#[test]
fn a_job_that_reads_standard_input_does_not_hold_the_exit() {
    if !is_part() {
        let test = "a_job_that_reads_standard_input_does_not_hold_the_exit";
        assert!(ends_by_itself(with_a_silent_terminal(test)).contains("dropped"));
        return;
    }
    let runtime = Builder::new().workers(2).build().unwrap();
    let (begun, wait) = mpsc::channel();
    drop(runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)
    }));
    wait.recv().unwrap();
    drop(runtime);
    println!("dropped");
}

/// Another job that runs is waited for, reader or not.
#[test]
fn a_job_that_works_is_waited_for_beside_one_that_reads() {
    if !is_part() {
        let test = "a_job_that_works_is_waited_for_beside_one_that_reads";
        assert!(ends_by_itself(with_a_silent_terminal(test)).contains("it has worked"));
        return;
    }
    let runtime = Builder::new().workers(1).build().unwrap();
    let (begun, wait) = mpsc::channel();
    let also = begun.clone();
    drop(runtime.spawn_blocking(move || {
        begun.send(()).unwrap();
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)
    }));
    drop(runtime.spawn_blocking(move || {
        also.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        println!("it has worked");
    }));
    wait.recv().unwrap();
    wait.recv().unwrap();
    drop(runtime);
}

/// What never returns, and is no read of standard input, has a pool that nobody waits for.
#[test]
fn a_pool_that_is_not_waited_for_does_not_hold_the_exit() {
    if !is_part() {
        let test = "a_pool_that_is_not_waited_for_does_not_hold_the_exit";
        assert!(ends_by_itself(with_a_silent_terminal(test)).contains("dropped"));
        return;
    }
    let devices = Config::new("devices").waited_for(false);
    let runtime = Builder::new().workers(1).blocking_pool(devices).build().unwrap();
    let pool = runtime.handle().blocking_pool("devices").unwrap();
    let (begun, wait) = mpsc::channel();
    let stuck = pool.spawn(move || {
        begun.send(()).unwrap();
        loop {
            std::thread::park();
        }
    });
    wait.recv().unwrap();
    let done = pool.spawn(|| 5);
    assert_eq!(block_on(done).unwrap(), 5);
    drop(runtime);
    let _never: goro_runtime::task::JoinHandle<()> = stuck;
    println!("dropped");
}
