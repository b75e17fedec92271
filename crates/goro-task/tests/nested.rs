//! Outcomes that nest handles of ended tasks, a million deep.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

use goro_shim::global::Arc;
use goro_shim::thread;
use goro_task::{JoinHandle, Meta};
use home::Line;
use parts::{PanicsOnDrop, alive};

const DEPTH: usize = 1_000_000;

/// One link of the chain: the task before, which has ended, and a token.
struct Link {
    _before: Option<JoinHandle<Link>>,
    _token: Arc<()>,
    _bad: Option<PanicsOnDrop>,
}

fn chain(home: &'static Line, token: &Arc<()>, depth: usize) -> JoinHandle<Link> {
    let mut last: Option<JoinHandle<Link>> = None;
    for n in 0..depth {
        let bad = (n % 1000 == 999).then(|| PanicsOnDrop("one in a thousand"));
        let link = Link { _before: last.take(), _token: token.clone(), _bad: bad };
        let (task, handle) = goro_task::spawn(async move { link }, home, Meta::OTHER);
        let _ = task.run(home);
        last = Some(handle);
    }
    last.expect("a chain has links")
}

fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    thread::start("small".into(), Some(512 << 10), body).unwrap().join().unwrap();
}

/// Pitfall 42: dropped by the handle, unread; one in a thousand panics as it is dropped.
#[test]
fn a_million_nested_outputs_are_dropped_on_a_small_stack() {
    on_a_small_stack(|| {
        let token = Arc::new(());
        let last = chain(Line::leak(), &token, DEPTH);
        assert_eq!(alive(&token), DEPTH);
        drop(last);
        assert_eq!(alive(&token), 0);
    });
}

/// Pitfall 42: dropped by the completer of a detached task, and as part of an aborted future.
#[test]
fn nested_outputs_are_dropped_by_others_on_a_small_stack() {
    on_a_small_stack(|| {
        let (home, token) = (Line::leak(), Arc::new(()));
        let last = chain(home, &token, DEPTH / 4);
        let task = goro_task::spawn_detached(std::future::ready(last), home, Meta::OTHER);
        let _ = task.run(home);
        assert_eq!(alive(&token), 0);
        let last = chain(home, &token, DEPTH / 4);
        let (task, handle) = goro_task::spawn(async move { last.await.is_ok() }, home, Meta::OTHER);
        drop(task);
        assert!(home.block_on(handle).unwrap_err().is_cancelled());
        assert_eq!(alive(&token), 0);
    });
}
