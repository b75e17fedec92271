//! The front door: what a program finds behind `goro::`, used as a program would.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use futures::task::SpawnExt;
use goro::runtime::{Builder, Handle, Runtime};
use goro::task::{AbortHandle, JoinError, JoinHandle};
use goro::time::{Duration, Instant};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn a_program_needs_nothing_but_the_door() {
    let runtime: Runtime = Builder::new().workers(2).name("door").build().unwrap();
    let sum = runtime.block_on(async {
        let one: JoinHandle<u32> = goro::spawn(async { 1 });
        let two = goro::go! {
            goro::task::yield_now().await;
            2
        };
        let four = goro::spawn_blocking(|| 4);
        let eight = goro::task::Builder::new().name("eight").spawn(async { 8 });
        assert_eq!(eight.kind().name(), "eight");
        one.await.unwrap() + two.await.unwrap() + four.await.unwrap() + eight.await.unwrap()
    });
    assert_eq!(sum, 15);
    assert_eq!(runtime.handle().name(), "door");
    assert!(runtime.shutdown_timeout(Duration::from_secs(20)));
}

#[test]
fn a_library_only_spawns_and_gets_its_future_back_where_there_is_no_runtime() {
    let library = || goro::try_spawn(async { "done" });
    let refused = library().unwrap_err();
    assert!(!refused.is_shutting_down());
    assert_eq!(goro::block_on(refused.into_future()), "done");
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    assert_eq!(goro::block_on(library().unwrap()).unwrap(), "done");
    assert!(Handle::try_current().is_ok());
}

#[test]
fn an_abort_says_so_and_a_panic_stays_in_its_handle() {
    let runtime = Runtime::new().unwrap();
    let task = runtime.spawn(std::future::pending::<()>());
    let abort: AbortHandle = task.abort_handle();
    abort.abort();
    let error: JoinError = runtime.block_on(task).unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic());
    let panics = runtime.spawn(async { std::panic::resume_unwind(Box::new(7)) });
    let result: Result<(), _> = runtime.block_on(panics);
    assert_eq!(result.unwrap_err().into_panic().downcast_ref(), Some(&7));
}

#[test]
fn time_is_behind_the_door() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let began: Instant = goro::time::now();
        goro::time::sleep(Duration::from_millis(2)).await;
        assert!(goro::time::now() >= began + Duration::from_millis(2));
        let limit = Duration::from_millis(2);
        assert!(goro::time::timeout(limit, std::future::pending::<()>()).await.is_err());
        let mut ticks = goro::time::interval(Duration::from_millis(1));
        for _ in 0..3 {
            ticks.tick().await;
        }
    });
}

/// The smallest executor there is.
fn drive_elsewhere<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}

#[test]
fn any_executor_may_await_what_is_spawned_here() {
    let runtime = Runtime::new().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let count = count.clone();
            runtime.spawn(async move { count.fetch_add(1, Ordering::Relaxed) })
        })
        .collect();
    let results = drive_elsewhere(futures::future::join_all(tasks));
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(count.load(Ordering::Relaxed), 100);
}

#[test]
fn a_runtime_is_a_spawner_for_those_who_take_any() {
    let runtime = Runtime::new().unwrap();
    let (tell, told) = mpsc::channel();
    let handle = runtime.handle().clone();
    SpawnExt::spawn(&handle, async move { tell.send(5).unwrap() }).unwrap();
    assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(5));
    drop(runtime);
    assert!(SpawnExt::spawn(&handle, async {}).unwrap_err().is_shutdown());
}

#[test]
fn whichever_comes_first_is_behind_the_door() {
    use goro::race::OneOf2;
    use goro::select::{CancelSafe, cancel_safe};
    fn safe(_: &impl CancelSafe) {}
    goro::block_on(async {
        let word = goro::select! {
            strict;
            word = cancel_safe(async { "ready" }) => word,
            () = goro::time::sleep(Duration::from_secs(60)) => "late",
            timeout(Duration::from_secs(60)) => "late",
        };
        assert_eq!(word, "ready");
        let limit = goro::time::sleep(Duration::from_secs(60));
        let race = goro::race((limit, async { 7 }));
        assert_eq!(race.await, OneOf2::B(7));
        assert_eq!(goro::race_ok((async { Err(1) }, async { Ok(2) })).await, Ok::<_, [i32; 2]>(2));
        safe(&cancel_safe(async {}));
    });
}
