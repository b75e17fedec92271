//! Signals: heard by whoever listens, counted one by one, beside other handlers, and with no runtime needed.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]
#![cfg(unix)]

use futures::StreamExt;
use goro_runtime::signal::{Signal, SignalKind, ctrl_c, signal};
use goro_runtime::time::{Duration, timeout};
use goro_runtime::{Builder, block_on, spawn};
use rustix::process::{Signal as Number, getpid, kill_process};
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

fn send(number: Number) {
    kill_process(getpid(), number).unwrap();
}

fn interrupts() -> Signal {
    signal(SignalKind::interrupt()).unwrap()
}

struct Nobody;
impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

/// Whether a signal is there already; waits for none.
fn heard(listener: &mut Signal) -> bool {
    let waker = Waker::from(Arc::new(Nobody));
    listener.poll_recv(&mut Context::from_waker(&waker)).is_ready()
}

/// One test for interrupts: they are the process's, and tests beside it would hear these.
#[test]
fn interrupts_reach_each_listener_once_each() {
    let mut first = interrupts();
    assert!(!heard(&mut first));
    send(Number::INT);
    block_on(first.recv());
    assert!(!heard(&mut first), "one interrupt was sent");

    // Two that come while nobody looks are two.
    let mut second = interrupts();
    let mut early = interrupts();
    for _ in 0..2 {
        send(Number::INT);
        // The kernel merges signals that wait to be delivered; this one has been.
        block_on(early.recv());
    }
    for listener in [&mut first, &mut second] {
        block_on(async {
            listener.recv().await;
            listener.recv().await;
        });
        assert!(!heard(listener));
    }
    assert!(!heard(&mut interrupts()), "a listener hears what comes after it");

    // A recv that is dropped has taken nothing, and its waker is gone.
    let watched = Arc::new(Nobody);
    {
        let waker = Waker::from(watched.clone());
        assert!(first.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(first);
    assert_eq!(Arc::strong_count(&watched), 1);

    // A task of a runtime hears it too; so do many.
    let runtime = Builder::new().workers(2).build().unwrap();
    runtime.block_on(async {
        let listeners: Vec<_> = (0..100)
            .map(|_| {
                let mut listener = interrupts();
                spawn(async move { listener.recv().await })
            })
            .collect();
        let waiting = spawn(async { ctrl_c().await.is_ok() });
        while runtime.metrics().tasks_parked < 101 {
            goro_runtime::task::yield_now().await;
        }
        send(Number::INT);
        for listener in listeners {
            listener.await.unwrap();
        }
        assert!(waiting.await.unwrap());
        let silence = timeout(Duration::from_millis(20), ctrl_c()).await;
        assert!(silence.is_err(), "nobody sent another");
    });
}

/// Each kind has a line of its own; a signal that comes before the first poll is there at it.
#[test]
fn kinds_do_not_mix_and_what_came_before_the_first_poll_is_there() {
    let kinds = [
        (SignalKind::terminate(), Number::TERM),
        (SignalKind::quit(), Number::QUIT),
        (SignalKind::hangup(), Number::HUP),
    ];
    let mut listeners = kinds.map(|(kind, _)| signal(kind).unwrap());
    for (sent, (kind, number)) in kinds.into_iter().enumerate() {
        send(number);
        assert_eq!((listeners[sent].kind(), kind.as_raw()), (kind, number.as_raw()));
        assert_eq!(block_on(listeners[sent].next()), Some(()));
        for listener in &mut listeners {
            assert!(!heard(listener), "{kind:?} was sent once, to those who listen for it");
        }
    }
}

/// A handler that was there before goes on being called, as does one that comes later.
#[test]
fn other_handlers_in_the_process_are_called_too() {
    let (before, after) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let number = SignalKind::user_defined1().as_raw();
    signal_hook::flag::register(number, before.clone()).unwrap();
    let mut listener = signal(SignalKind::user_defined1()).unwrap();
    signal_hook::flag::register(number, after.clone()).unwrap();
    send(Number::USR1);
    block_on(listener.recv());
    // Handlers are called one after the other, and the listener's may not be the last one.
    for _ in 0..1_000 {
        if before.load(Ordering::Relaxed) && after.load(Ordering::Relaxed) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(before.load(Ordering::Relaxed), "it was there first");
    assert!(after.load(Ordering::Relaxed), "it came later");
}

/// However many come at a time, at least one is seen after the last one came.
#[test]
fn of_a_burst_the_last_one_is_not_missed() {
    let mut listener = signal(SignalKind::user_defined2()).unwrap();
    let next = |listener: &mut Signal, patience| {
        block_on(timeout(Duration::from_millis(patience), listener.recv())).is_ok()
    };
    for round in 0..100 {
        for _ in 0..10 {
            send(Number::USR2);
        }
        assert!(next(&mut listener, 20_000), "burst {round} was not heard");
        while next(&mut listener, 1) {}
    }
}

#[test]
fn what_nobody_can_listen_to_is_refused_with_a_reason() {
    let none = [0, -1, 65, 1_000_000].map(SignalKind::from_raw);
    let uncaught = [Number::KILL, Number::STOP, Number::SEGV, Number::FPE, Number::ILL];
    let uncaught = uncaught.map(|number| SignalKind::from_raw(number.as_raw()));
    for kind in none.into_iter().chain(uncaught) {
        let error = signal(kind).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{kind:?}");
        assert!(error.to_string().contains(&kind.as_raw().to_string()), "{error}");
    }
}
