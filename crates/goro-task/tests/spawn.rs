//! A task's way from its spawn to its end.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;

use home::Line;

#[test]
fn a_task_runs_when_its_runnable_is_run_and_not_before() {
    let home = Line::leak();
    let handle = home.spawn(async { 7 });
    assert!(!handle.is_finished());
    assert_eq!(home.drain(), 1);
    assert!(handle.is_finished());
    assert_eq!(home.block_on(handle).unwrap(), 7);
}
