//! Threads that end while the runtime goes on.

use super::*;

/// Nobody starts another one, who would find it.
#[test]
fn a_thread_that_has_ended_is_not_kept_to_be_joined() {
    let threads = Threads::new(ThreadPlan { name: "kept".into(), stack_size: None });
    let (end, ends) = crossbeam_channel::bounded::<()>(0);
    threads.start("not", Tie::WaitedFor, move || _ = ends.recv()).unwrap();
    assert_eq!(threads.roll.lock().started.len(), 1);
    drop(end);
    while let Some(one) = threads.roll.lock().started.first() {
        assert!(!one.handle.is_finished(), "it has ended, and its stack is kept");
        thread::yield_now();
    }
}
