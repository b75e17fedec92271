//! A runtime's beginning: what refuses to be built says why, and leaves nothing behind.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::{BuildError, Builder};
use std::process::Command;

#[test]
fn zero_workers_are_refused() {
    let error = Builder::new().workers(0).build().unwrap_err();
    assert!(matches!(error, BuildError::NoWorkers), "{error:?}");
    assert!(error.to_string().contains("ask for 1 or more"));
}

#[test]
fn more_workers_than_the_limit_are_refused() {
    let error = Builder::new().workers(1025).build().unwrap_err();
    assert!(matches!(error, BuildError::TooManyWorkers { asked: 1025, limit: 1024 }), "{error:?}");
    assert!(error.to_string().contains("at most 1024"));
}

#[test]
fn a_blocking_pool_of_no_threads_is_refused() {
    let error = Builder::new().blocking_threads(0).build().unwrap_err();
    assert!(matches!(error, BuildError::NoBlockingThreads), "{error:?}");
}

#[test]
fn a_name_that_no_thread_can_have_is_refused() {
    let error = Builder::new().name("a\0b").build().unwrap_err();
    assert!(matches!(error, BuildError::Name(_)), "{error:?}");
}

#[test]
fn an_error_is_an_io_error_for_those_who_have_one() {
    let error = std::io::Error::from(Builder::new().workers(0).build().unwrap_err());
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

/// Runs one test of this file in a process of its own, as `part`, and returns what it printed.
fn in_own_process(test: &str, part: &str, variable: Option<&str>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("GORO_TEST_PART", part);
    match variable {
        Some(value) => command.env("GORO_WORKERS", value),
        None => command.env_remove("GORO_WORKERS"),
    };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{test} as {part}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn part() -> Option<String> {
    std::env::var("GORO_TEST_PART").ok()
}

#[test]
fn the_variable_decides_where_the_builder_does_not() {
    let test = "the_variable_decides_where_the_builder_does_not";
    match part().as_deref() {
        None => {
            assert!(in_own_process(test, "count", Some("3")).contains("workers: 3"));
            assert!(in_own_process(test, "count", Some(" 5 ")).contains("workers: 5"));
            assert!(in_own_process(test, "explicit", Some("3")).contains("workers: 2"));
        }
        Some("count") => {
            let runtime = Builder::new().build().unwrap();
            println!("workers: {}", runtime.metrics().workers.len());
        }
        Some(_) => {
            let runtime = Builder::new().workers(2).build().unwrap();
            println!("workers: {}", runtime.metrics().workers.len());
        }
    }
}

#[test]
fn a_variable_that_is_no_number_is_refused() {
    let test = "a_variable_that_is_no_number_is_refused";
    if part().is_some() {
        println!("error: {}", Builder::new().build().unwrap_err());
        return;
    }
    for value in ["abc", "", "-1", "1.5", "99999999999999999999"] {
        let printed = in_own_process(test, "build", Some(value));
        assert!(printed.contains("GORO_WORKERS") && printed.contains("unset it"), "{printed}");
    }
    assert!(in_own_process(test, "build", Some("0")).contains("at least one worker"));
    assert!(in_own_process(test, "build", Some("2000")).contains("at most 1024"));
}

#[cfg(target_os = "linux")]
mod refused {
    use super::*;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    fn count(path: &str) -> usize {
        std::fs::read_dir(path).unwrap().count()
    }

    /// The address space this process uses, in bytes.
    fn address_space() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmSize:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Pitfall 159: the builder panics, or hangs when the first thread came up and the second did
    /// not.
    #[test]
    fn a_refused_thread_is_an_error_and_the_others_end() {
        let test = "refused::a_refused_thread_is_an_error_and_the_others_end";
        let Some(part) = part() else {
            for room in ["0", "1", "2", "3"] {
                let printed = in_own_process(test, room, None);
                assert!(
                    printed.contains(&format!("refused after {room} had started")),
                    "{printed}"
                );
                assert!(printed.contains("nothing is left"), "{printed}");
            }
            return;
        };
        let stack = 1_u64 << 33;
        let (threads, descriptors) = (count("/proc/self/task"), count("/proc/self/fd"));
        let room = part.parse::<u64>().unwrap();
        let limit = address_space() + room * stack + stack / 2;
        let before = getrlimit(Resource::As);
        setrlimit(Resource::As, Rlimit { current: Some(limit), ..before }).unwrap();
        let built = Builder::new().workers(4).stack_size(stack as usize).build();
        setrlimit(Resource::As, before).unwrap();
        println!("{}", built.unwrap_err());
        assert_eq!(count("/proc/self/task"), threads, "threads");
        assert_eq!(count("/proc/self/fd"), descriptors, "descriptors");
        Builder::new().workers(2).build().unwrap().block_on(async {});
        println!("nothing is left");
    }

    /// A reactor's descriptors refused: pitfalls 151 and section 3, "eventfd EMFILE at build".
    #[test]
    fn refused_descriptors_are_an_error_at_each_of_them() {
        let test = "refused::refused_descriptors_are_an_error_at_each_of_them";
        if part().is_none() {
            assert!(in_own_process(test, "build", None).contains("each was refused once"));
            return;
        }
        let used = count("/proc/self/fd") as u64 - 1;
        let before = getrlimit(Resource::Nofile);
        let mut refusals = 0;
        for room in 0..20 {
            setrlimit(Resource::Nofile, Rlimit { current: Some(used + room), ..before }).unwrap();
            let built = Builder::new().workers(1).build();
            setrlimit(Resource::Nofile, before).unwrap();
            match built {
                Ok(_) => break,
                Err(error) => {
                    assert!(matches!(error, BuildError::Reactor(_)), "{error:?}");
                    assert!(error.to_string().contains("ulimit -n"), "{error}");
                    refusals += 1;
                }
            }
            assert_eq!(count("/proc/self/fd") as u64 - 1, used, "with room for {room}");
        }
        assert!((2..20).contains(&refusals), "{refusals} refusals");
        println!("each was refused once");
    }

    /// Pitfall 158: a refused thread of the blocking pool must not orphan its job.
    #[test]
    fn a_blocking_job_without_a_thread_is_an_error_and_with_one_it_waits() {
        let test = "refused::a_blocking_job_without_a_thread_is_an_error_and_with_one_it_waits";
        if part().is_none() {
            assert!(in_own_process(test, "jobs", None).contains("no job was lost"));
            return;
        }
        let stack = 1_usize << 33;
        let runtime = Builder::new().workers(1).stack_size(stack).build().unwrap();
        let before = getrlimit(Resource::As);
        let tighten = |room: u64| {
            let limit = address_space() + room * stack as u64 + stack as u64 / 2;
            setrlimit(Resource::As, Rlimit { current: Some(limit), ..before }).unwrap();
        };
        tighten(0);
        let error = runtime.block_on(runtime.spawn_blocking(|| 1)).unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
        tighten(1);
        let jobs: Vec<_> = (0..50).map(|i| runtime.spawn_blocking(move || i)).collect();
        let sum: i32 = jobs.into_iter().map(|job| runtime.block_on(job).unwrap()).sum();
        setrlimit(Resource::As, before).unwrap();
        assert_eq!(sum, 49 * 50 / 2);
        println!("no job was lost");
    }
}
