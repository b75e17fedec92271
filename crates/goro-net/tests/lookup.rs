//! Names that wait for the blocking pool.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};

use futures::FutureExt;
use goro_context::{CurrentTask, Kind, Op, TaskId, budget, note, task};
use goro_net::{TcpListener, lookup};
use goro_runtime::{Builder, Runtime};
use goro_shim::thread;

/// A runtime whose one blocking thread is busy until the sender is dropped.
fn with_a_busy_pool() -> (Runtime, impl Drop) {
    let runtime = Builder::new().workers(1).blocking_threads(1).build().unwrap();
    let (busy, until_dropped) = futures::channel::oneshot::channel::<()>();
    let (started, starting) = futures::channel::oneshot::channel();
    drop(runtime.spawn_blocking(move || {
        started.send(()).unwrap();
        futures::executor::block_on(until_dropped)
    }));
    futures::executor::block_on(starting).unwrap();
    (runtime, busy)
}

#[test]
fn waiting_for_a_name_is_free_and_says_so() {
    let (runtime, busy) = with_a_busy_pool();
    let entered = runtime.enter();
    let scope = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    budget::reset();
    let mut looking = pin!(lookup("localhost:80"));
    for _ in 0..300 {
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(looking.as_mut().poll(cx).is_pending());
        assert_eq!(note::take().op, Op::Resolve);
    }
    assert_eq!(budget::remaining(), budget::LIMIT);
    drop((scope, entered, busy));
    let found = runtime.block_on(looking).unwrap();
    assert!(found.iter().all(|address| address.ip().is_loopback()));
}

#[test]
fn a_name_that_a_stopping_runtime_never_came_to_is_an_error() {
    let (runtime, busy) = with_a_busy_pool();
    let mut looking = {
        let _entered = runtime.enter();
        let mut looking = Box::pin(TcpListener::bind("localhost:0"));
        assert!(looking.as_mut().now_or_never().is_none());
        looking
    };
    let stopping = thread::start("stopping".into(), None, move || drop(runtime)).unwrap();
    let error = match futures::executor::block_on(&mut looking) {
        Ok(_) => panic!("nobody looked it up"),
        Err(e) => e.to_string(),
    };
    assert!(error.contains("TcpListener::bind: looking up \"localhost\""), "{error}");
    assert!(error.contains("stopped"), "{error}");
    drop(busy);
    stopping.join().unwrap();
}

#[test]
fn a_look_up_that_is_given_up_hurts_nobody() {
    let (runtime, busy) = with_a_busy_pool();
    {
        let _entered = runtime.enter();
        assert!(lookup("localhost:80").now_or_never().is_none());
    }
    drop(busy);
    assert!(!runtime.block_on(lookup("localhost:80")).unwrap().is_empty());
}
