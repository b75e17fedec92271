//! The process's default runtime. There is one for all tests of a process, so each life of it is one
//! test, and each has a process to itself.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::{Builder, Handle, block_on, spawn, spawn_blocking, spawn_many, try_spawn};
use std::process::Command;

/// Runs `life` in a process of its own: this test's, called again with a word in its environment.
fn alone(test: &str, settings: &[(&str, &str)], life: fn()) {
    const WORD: &str = "GORO_TEST_ALONE";
    if std::env::var_os(WORD).is_some() {
        return life();
    }
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args(["--exact", test, "--nocapture"]).env(WORD, "1").env_remove("GORO_WORKERS");
    let output = child.envs(settings.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ran = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(ran, "the child ran something else than {test}");
}

fn here() -> String {
    Handle::current().name().to_owned()
}

#[test]
fn the_first_call_that_needs_one_starts_it() {
    alone("the_first_call_that_needs_one_starts_it", &[("GORO_WORKERS", "3")], || {
        assert!(Handle::try_default().is_err());
        // Neither of these starts it.
        assert!(try_spawn(async {}).is_err());
        block_on(goro_runtime::time::sleep(goro_runtime::time::Duration::from_millis(1)));
        assert!(Handle::try_current().is_err() && Handle::try_default().is_err());
        let threads: Vec<_> = (0..8)
            .map(|n| std::thread::spawn(move || block_on(spawn(async move { n })).unwrap()))
            .collect();
        let sum: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(sum, 28);
        let default = Handle::try_default().unwrap();
        assert_eq!(default.metrics().tasks_spawned, 8, "all of them on one");
        assert_eq!(default.metrics().workers.len(), 3);
        assert!(Handle::try_current().is_err(), "it is not entered");
        assert_eq!(block_on(spawn_blocking(here)).unwrap(), "goro");
        let many = spawn_many((0..10).map(|n| async move { n }));
        let many: u32 = many.into_iter().map(|task| block_on(task).unwrap()).sum();
        assert_eq!((many, here()), (45, "goro".to_owned()));
        // Who is in a runtime stays there.
        let own = Builder::new().workers(1).name("own").build().unwrap();
        let place = own.block_on(async { spawn(async { here() }).await });
        assert_eq!(place.unwrap(), "own");
    });
}

#[test]
fn one_that_was_set_is_found_and_is_not_started_again() {
    alone("one_that_was_set_is_found_and_is_not_started_again", &[], || {
        let first = Builder::new().workers(1).name("first").build().unwrap();
        first.set_default();
        assert_eq!(block_on(spawn(async { here() })).unwrap(), "first");
        let second = Builder::new().workers(1).name("second").build().unwrap();
        second.set_default();
        assert_eq!(block_on(spawn(async { here() })).unwrap(), "second");
        drop(second);
        let error = block_on(spawn(async {})).unwrap_err();
        assert!(error.is_cancelled(), "{error}");
        assert!(block_on(spawn_blocking(|| ())).unwrap_err().is_cancelled());
        assert_eq!(here(), "second");
        assert!(Handle::current().is_shutting_down());
        // The one before it goes on, for those who hold it.
        assert_eq!(block_on(first.spawn(async { 5 })).unwrap(), 5);
    });
}

#[test]
fn a_variable_that_says_nothing_is_not_obeyed() {
    for value in ["0", "many", "100000"] {
        alone("a_variable_that_says_nothing_is_not_obeyed", &[("GORO_WORKERS", value)], || {
            assert_eq!(block_on(spawn(async { 6 })).unwrap(), 6);
        });
    }
}

#[test]
fn a_start_that_is_refused_is_the_tasks_error_and_is_tried_again() {
    alone("a_start_that_is_refused_is_the_tasks_error_and_is_tried_again", &[], || {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: before.maximum }).unwrap();
        let error = block_on(spawn(async {})).unwrap_err();
        let text = error.to_string();
        assert!(error.is_cancelled() && text.contains("ulimit -n"), "{text}");
        let text = block_on(spawn_blocking(|| ())).unwrap_err().to_string();
        assert!(text.contains("the default runtime was not started"), "{text}");
        for task in spawn_many((0..2).map(|_| async {})) {
            assert!(block_on(task).is_err());
        }
        assert!(Handle::or_default().unwrap_err().to_string().contains("ulimit -n"));
        assert!(Handle::try_default().is_err());
        setrlimit(Resource::Nofile, before).unwrap();
        assert_eq!(block_on(spawn(async { 7 })).unwrap(), 7);
    });
}

/// Beside a simulation, what would start real threads names the call that would.
#[test]
fn a_simulated_test_does_not_reach_it() {
    alone("a_simulated_test_does_not_reach_it", &[], || {
        let mut script = Builder::new().workers(1).build_scripted(Some(1)).unwrap();
        let panicked = std::panic::catch_unwind(|| drop(spawn(async {}))).unwrap_err();
        let text = panicked.downcast_ref::<String>().unwrap();
        assert!(text.contains("default.rs:") && text.contains("simulated test"), "{text}");
        // Inside of it all is well, and so it is afterwards.
        assert_eq!(script.run(async { spawn(async { 1 }).await.unwrap() }), Ok(1));
        assert!(Handle::try_default().is_err());
        drop(script);
        assert_eq!(block_on(spawn(async { 2 })).unwrap(), 2);
    });
}

/// As the process ends nothing waits for it, and nothing is torn down under it.
#[test]
fn it_is_not_dropped_at_the_end() {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            assert_eq!(block_on(spawn(async { 3 })).unwrap(), 3);
        }
    }
    thread_local! {
        static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) };
    }
    alone("it_is_not_dropped_at_the_end", &[], || {
        drop(spawn(std::future::pending::<()>()));
        LATE.set(Some(Late));
    });
}
