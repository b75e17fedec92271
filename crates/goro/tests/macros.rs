//! `#[goro::main]` and `#[goro::test]` on the real runtime.
//!
//! What the attributes refuse, and where the compiler points, is tested in goro-macros.
#![cfg(feature = "macros")]
#![allow(clippy::disallowed_methods, reason = "a test uses the crate as a program does")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

mod program {
    /// Parses what the environment says, as programs do.
    #[goro::main(workers = 1)]
    pub(crate) async fn main() -> Result<u8, Box<dyn std::error::Error>> {
        let text = goro::spawn(async { "7" }).await?;
        let number: u8 = text.parse()?;
        let _: u8 = "not a number".parse()?;
        Ok(number)
    }
}

mod program_without_arguments {
    #[goro::main]
    pub(crate) async fn main() {
        println!("the program ran");
    }
}

mod program_on_one_thread {
    /// Its threads, while it runs, and where tasks of each sort were run.
    #[goro::main(flavor = "local")]
    pub(crate) async fn main() -> (usize, bool) {
        let here = std::thread::current().id();
        let own = std::rc::Rc::new(here);
        let local = goro::spawn_local(async move { *own });
        let sent = goro::spawn(async { std::thread::current().id() });
        // A thread that is in no runtime finds this one.
        let (tell, told) = goro::oneshot::channel();
        let outside = std::thread::spawn(move || {
            let spawned = goro::spawn(async { std::thread::current().id() });
            tell.send(goro::block_on(spawned).unwrap()).unwrap();
        });
        let threads = [local.await.unwrap(), sent.await.unwrap(), told.await.unwrap()];
        outside.join().unwrap();
        let workers = goro::runtime::Handle::current().metrics().workers.len();
        (workers, threads.iter().all(|&thread| thread == here))
    }
}

/// In a process of its own, since it sets the default.
#[test]
fn a_local_main_and_its_tasks_are_one_thread() {
    if is_child() {
        assert_eq!(program_on_one_thread::main(), (1, true));
        println!("one thread");
        return;
    }
    let ended = in_a_child("a_local_main_and_its_tasks_are_one_thread", "3");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("one thread"));
}

#[goro::test(flavor = "local")]
async fn a_local_test_may_spawn_what_is_not_send() {
    let own = std::rc::Rc::new(7);
    assert_eq!(goro::spawn_local(async move { *own }).await.unwrap(), 7);
}

#[goro::test(flavor = "local")]
#[should_panic(expected = "out of the local body")]
async fn a_panic_in_a_local_body_fails_the_test() {
    goro::task::yield_now().await;
    panic!("out of the local body");
}

#[test]
fn main_returns_what_its_body_returns() {
    let error = program::main().expect_err("the second number is none");
    assert_eq!(error.to_string(), "not a number".parse::<u8>().unwrap_err().to_string());
}

/// Runs one of this file's tests in a process of its own, where it takes the branch for children.
fn in_a_child(test: &str, workers: &str) -> std::process::Output {
    Command::new(std::env::current_exe().expect("this test has a file"))
        .args(["--exact", test, "--nocapture"])
        .env("GORO_TEST_CHILD", "1")
        .env("GORO_WORKERS", workers)
        .output()
        .expect("a child can be started")
}

fn is_child() -> bool {
    std::env::var_os("GORO_TEST_CHILD").is_some()
}

#[test]
fn a_program_whose_runtime_cannot_be_built_says_why_and_exits_with_1() {
    if is_child() {
        program_without_arguments::main();
        return;
    }
    let ended =
        in_a_child("a_program_whose_runtime_cannot_be_built_says_why_and_exits_with_1", "some");
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{errors}");
    assert!(errors.contains("error: ") && errors.contains("GORO_WORKERS"), "{errors}");
    assert!(!String::from_utf8_lossy(&ended.stdout).contains("the program ran"));
}

#[test]
fn the_environment_says_how_many_workers_a_program_has() {
    if is_child() {
        program_without_arguments::main();
        return;
    }
    let ended = in_a_child("the_environment_says_how_many_workers_a_program_has", "3");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("the program ran"));
}

/// Two tasks that each wait, without ever yielding, until the other has begun.
#[goro::test]
async fn a_test_has_two_workers_that_run_at_once() {
    let begun = Arc::new(AtomicUsize::new(0));
    let tasks = [(); 2].map(|()| {
        let begun = Arc::clone(&begun);
        goro::spawn(async move {
            begun.fetch_add(1, Ordering::Relaxed);
            while begun.load(Ordering::Relaxed) < 2 {
                std::thread::yield_now();
            }
        })
    });
    for task in tasks {
        assert!(task.await.is_ok());
    }
}

#[goro::test(workers = 1)]
async fn a_test_may_return_a_result() -> Result<(), goro::task::JoinError> {
    assert_eq!(goro::spawn(async { 1 + 1 }).await?, 2);
    Ok(())
}

#[goro::test]
#[should_panic(expected = "out of the body")]
async fn a_panic_in_the_body_fails_the_test() {
    goro::task::yield_now().await;
    panic!("out of the body");
}

#[goro::test]
async fn a_panic_in_a_task_stays_in_its_handle() {
    let task = goro::spawn(async { panic!("in the task") });
    assert!(task.await.is_err_and(|error| error.is_panic()));
}

mod program_with_an_end {
    use goro::ShutdownHandle;

    /// Ends itself, as a signal would, and goes on until its own work is done.
    #[goro::main(shutdown, workers = 1)]
    pub(crate) async fn main(shutdown: ShutdownHandle) -> Result<u8, std::io::Error> {
        let own = shutdown.clone();
        drop(goro::spawn(async move { own.initiate("enough") }));
        shutdown.draining().await;
        assert!(goro::spawn(async {}).await.is_err());
        // It is waited for.
        goro::time::sleep(std::time::Duration::from_millis(20)).await;
        assert_eq!(shutdown.phase(), goro::runtime::Phase::Draining);
        Ok(9)
    }
}

mod program_that_does_not_know {
    #[goro::main(shutdown, flavor = "local")]
    pub(crate) async fn main() {
        let shutdown = goro::runtime::Handle::current().shutdown();
        shutdown.initiate("enough");
        std::future::pending::<()>().await;
    }
}

/// Each in a process of its own, since it sets the default.
#[test]
fn a_main_that_takes_the_handle_is_waited_for() {
    if is_child() {
        assert_eq!(program_with_an_end::main().unwrap(), 9);
        println!("waited for");
        return;
    }
    let ended = in_a_child("a_main_that_takes_the_handle_is_waited_for", "3");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("waited for"));
}

#[test]
fn a_main_without_the_handle_ends_with_its_runtime() {
    if is_child() {
        program_that_does_not_know::main();
        unreachable!("main does not return");
    }
    let ended = in_a_child("a_main_without_the_handle_ends_with_its_runtime", "3");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
