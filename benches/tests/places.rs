//! The table of every wrong place: each call that other runtimes refuse somewhere, made everywhere.
//!
//! Columns are places, rows are calls, and each cell is a test, `PLACE::CALL`. It passes when the call
//! comes back within a minute, panics nowhere, and what it has started ends as it should there: with
//! its value where a runtime is there to give it, with a cancellation or an error where the one that
//! is entered is ending or has ended.
//!
//! It stands here because one of the places is inside tokio, which only this package knows.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the runtimes as a program does"
)]

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use goro::net::TcpStream;
use goro::runtime::{Builder, Handle, Runtime};
use goro::time::{sleep, timeout};

const SOON: Duration = Duration::from_millis(2);
const HANG: Duration = Duration::from_secs(60);

/// What a call finds where it is made.
struct Here {
    /// A runtime to be reached through its handle; what `spawn` finds where the place is inside it.
    handle: Handle,
    /// Another runtime, running, to be driven from here.
    other: &'static Runtime,
    /// Wakes a task of `handle`'s runtime that waits for it.
    waker: Waker,
    /// Whether a task spawned here runs, and one spawned through the handle.
    runs: (bool, bool),
}

type Call = fn(&Here);

/// What runs in a place, and says whether it came to its end.
struct Errand {
    call: Call,
    here: Here,
    done: mpsc::Sender<Result<(), String>>,
}

impl Errand {
    fn run(self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.call)(&self.here)));
        let text = outcome.map_err(|payload| match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().unwrap_or(Box::new("?"))).to_owned(),
        });
        // Panic: nobody waits any more after a minute.
        let _ = self.done.send(text);
    }
}

/// A runtime of two workers with a task that waits to be woken.
struct World {
    runtime: Runtime,
    waker: Waker,
    woken: Arc<AtomicBool>,
}

fn runtime(name: &str, workers: usize) -> Runtime {
    Builder::new().workers(workers).name(name).build().unwrap()
}

impl World {
    fn new() -> Self {
        let runtime = runtime("own", 2);
        let woken = Arc::new(AtomicBool::new(false));
        let (lend, lent) = mpsc::channel();
        let seen = woken.clone();
        drop(runtime.spawn(poll_fn(move |cx| {
            match lend.send(cx.waker().clone()) {
                // The first poll; whoever lends it is gone by the second.
                Ok(()) => Poll::Pending,
                Err(_) => {
                    seen.store(true, Ordering::Release);
                    Poll::Ready(())
                }
            }
        })));
        let waker = lent.recv().unwrap();
        drop(lent);
        Self { runtime, waker, woken }
    }

    fn errand(
        &self,
        call: Call,
        runs: (bool, bool),
    ) -> (Errand, mpsc::Receiver<Result<(), String>>) {
        let (done, came) = mpsc::channel();
        let other: &'static Runtime = Box::leak(Box::new(runtime("other", 1)));
        let here =
            Here { handle: self.runtime.handle().clone(), other, waker: self.waker.clone(), runs };
        (Errand { call, here, done }, came)
    }
}

fn arrive(came: &mpsc::Receiver<Result<(), String>>) {
    match came.recv_timeout(HANG) {
        Ok(Ok(())) => {}
        Ok(Err(text)) => panic!("it panicked: {text}"),
        Err(_) => panic!("it hangs, or was dropped"),
    }
}

/// Drops its errand's call when it is dropped.
struct AtDrop(Option<Errand>);

impl Drop for AtDrop {
    fn drop(&mut self) {
        if let Some(errand) = self.0.take() {
            errand.run();
        }
    }
}

mod place {
    use super::*;

    /// On a worker, between two polls: a waker that is the user's.
    pub fn worker(call: Call) {
        struct OnWake(Mutex<Option<Errand>>);
        impl Wake for OnWake {
            fn wake(self: Arc<Self>) {
                let errand = self.0.lock().unwrap().take();
                errand.into_iter().for_each(Errand::run);
            }
        }
        let world = World::new();
        let (errand, came) = world.errand(call, (true, true));
        let waker = Waker::from(Arc::new(OnWake(Mutex::new(Some(errand)))));
        // Armed by a task, so it stands among a worker's own timers.
        let task = world.runtime.spawn(async move {
            let mut nap = sleep(SOON);
            assert!(Pin::new(&mut nap).poll(&mut Context::from_waker(&waker)).is_pending());
            pending::<()>().await;
        });
        arrive(&came);
        drop(task);
        drop(world.runtime);
    }

    pub fn task(call: Call) {
        let world = World::new();
        let (errand, came) = world.errand(call, (true, true));
        drop(world.runtime.spawn(async move { errand.run() }));
        arrive(&came);
        drop(world.runtime);
    }

    pub fn blocking_thread(call: Call) {
        let world = World::new();
        let (errand, came) = world.errand(call, (true, true));
        drop(world.runtime.spawn_blocking(move || errand.run()));
        arrive(&came);
        drop(world.runtime);
    }

    /// What it spawns goes to the process's default runtime.
    pub fn foreign_thread(call: Call) {
        let world = World::new();
        let (errand, came) = world.errand(call, (true, true));
        let thread = std::thread::spawn(move || errand.run());
        arrive(&came);
        thread.join().unwrap();
        drop(world.runtime);
    }

    pub fn inside_another_runtime(call: Call) {
        let (world, outer) = (World::new(), runtime("outer", 1));
        let (errand, came) = world.errand(call, (true, true));
        let handle = world.runtime.handle().clone();
        drop(outer.spawn(async move {
            let _inside = handle.enter();
            errand.run();
        }));
        arrive(&came);
        drop(outer);
        drop(world.runtime);
    }

    pub fn inside_tokio(call: Call) {
        let world = World::new();
        let (errand, came) = world.errand(call, (true, true));
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        tokio.spawn(async move { errand.run() });
        arrive(&came);
        drop(tokio);
        drop(world.runtime);
    }

    pub fn tls_destructor(call: Call) {
        thread_local! {
            static LATE: RefCell<Option<AtDrop>> = const { RefCell::new(None) };
        }
        let world = World::new();
        let (errand, came) = world.errand(call, (true, true));
        let thread = std::thread::spawn(move || LATE.set(Some(AtDrop(Some(errand)))));
        arrive(&came);
        thread.join().unwrap();
        drop(world.runtime);
    }

    /// In the destructor of a task that the end cancels.
    pub fn during_shutdown(call: Call) {
        let world = World::new();
        let (errand, came) = world.errand(call, (false, false));
        let late = AtDrop(Some(errand));
        let (tell, told) = mpsc::channel();
        drop(world.runtime.spawn(async move {
            let _late = late;
            tell.send(()).unwrap();
            pending::<()>().await;
        }));
        told.recv().unwrap();
        drop(world.runtime);
        arrive(&came);
    }

    /// On a thread that has entered a runtime which has ended.
    pub fn after_shutdown(call: Call) {
        let world = World::new();
        let (errand, came) = world.errand(call, (false, false));
        let handle = world.runtime.handle().clone();
        drop(world.runtime);
        let thread = std::thread::spawn(move || {
            let _inside = handle.enter();
            errand.run();
        });
        arrive(&came);
        thread.join().unwrap();
    }
}

mod call {
    use super::*;

    /// A task's end, where a task runs or does not.
    fn ends<T: PartialEq + std::fmt::Debug>(
        runs: bool,
        value: T,
        outcome: Result<T, goro::task::JoinError>,
    ) {
        match outcome {
            Ok(given) => assert!(runs && given == value, "{given:?}"),
            Err(error) => assert!(!runs && error.is_cancelled(), "{error}"),
        }
    }

    pub fn spawn(here: &Here) {
        ends(here.runs.0, 7, goro::block_on(goro::spawn(async { 7 })));
    }

    pub fn spawn_blocking(here: &Here) {
        ends(here.runs.0, 8, goro::block_on(goro::spawn_blocking(|| 8)));
    }

    pub fn block_on(_: &Here) {
        let value = goro::block_on(async {
            goro::task::yield_now().await;
            3
        });
        assert_eq!(value, 3);
    }

    pub fn block_on_of_a_runtime(here: &Here) {
        let value = here.other.block_on(async { goro::spawn(async { 4 }).await });
        assert_eq!(value.unwrap(), 4);
    }

    pub fn block_on_of_a_handle(here: &Here) {
        let outcome = here.handle.block_on(async { goro::spawn(async { 5 }).await });
        ends(here.runs.1, 5, outcome);
    }

    pub fn block_in_place(_: &Here) {
        assert_eq!(goro::task::block_in_place(|| 6), 6);
    }

    pub fn poll_a_sleep(_: &Here) {
        let began = goro::time::now();
        let mut nap = sleep(SOON);
        let _at_once = Pin::new(&mut nap).poll(&mut Context::from_waker(Waker::noop()));
        goro::block_on(nap);
        assert!(goro::time::now() >= began + SOON);
    }

    pub fn poll_a_timeout(_: &Here) {
        let mut limited = pin!(timeout(SOON, pending::<()>()));
        let _pending = limited.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(goro::block_on(limited).is_err());
    }

    pub fn connect(here: &Here) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = goro::block_on(TcpStream::connect(address));
        // A runtime that ends may have come to it or not.
        assert!(stream.is_ok() || !here.runs.0, "{stream:?}");
    }

    pub fn make_a_runtime(_: &Here) {
        let made = Builder::new().workers(1).build().unwrap();
        let task = made.spawn(async { 9 });
        assert_eq!(goro::block_on(task).unwrap(), 9);
        assert!(made.shutdown_timeout(HANG) || goro::runtime::Handle::try_current().is_ok());
    }

    pub fn drop_a_runtime(_: &Here) {
        let made = Builder::new().workers(1).build().unwrap();
        let handle = made.handle().clone();
        let task = made.spawn(pending::<()>());
        drop(made);
        assert!(handle.is_shutting_down());
        assert!(goro::block_on(task).unwrap_err().is_cancelled());
    }

    pub fn drop_a_join_handle(here: &Here) {
        let (tell, told) = mpsc::channel();
        drop(goro::spawn(async move { tell.send(1).unwrap() }));
        // It goes on without.
        let heard = goro::task::block_in_place(|| told.recv_timeout(HANG));
        assert_eq!(heard.is_ok(), here.runs.0, "{heard:?}");
    }

    pub fn wake(here: &Here) {
        here.waker.wake_by_ref();
        let own = here.waker.clone();
        own.wake();
    }

    pub fn enter(here: &Here) {
        let guard = here.handle.enter();
        assert_eq!(Handle::current().name(), "own");
        ends(here.runs.1, 2, goro::block_on(goro::spawn(async { 2 })));
        drop(guard);
    }
}

macro_rules! column {
    ($($place:ident)*) => { $( mod $place { row! { $place } } )* };
}

macro_rules! row {
    ($place:ident) => {
        row! { $place: spawn spawn_blocking block_on block_on_of_a_runtime block_on_of_a_handle
            block_in_place poll_a_sleep poll_a_timeout connect make_a_runtime drop_a_runtime
            drop_a_join_handle wake enter }
    };
    ($place:ident: $($call:ident)*) => {
        $(
            #[test]
            fn $call() {
                super::place::$place(super::call::$call);
            }
        )*
    };
}

column! {
    worker task blocking_thread foreign_thread inside_another_runtime inside_tokio tls_destructor
    during_shutdown after_shutdown
}

/// The waker that the table lends around is a task's, and wakes it.
#[test]
fn what_was_woken_ran() {
    let world = World::new();
    let woken = world.woken.clone();
    world.waker.wake();
    while !woken.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
}
