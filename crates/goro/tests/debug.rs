//! What `{:?}` says of every public type, in each of its states.
//!
//! Everything is written down in `debug.txt`, which is read by eyes as it changes: `GORO_SURFACE=update` writes it anew.
//! The test asks that every type has a row, that two states of a type look different, and that the text is the
//! same as it was. Numbers of tasks, times, addresses and places in files become `#`.
#![cfg(all(feature = "macros", feature = "net", feature = "sim"))]
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

#[path = "debug/channels.rs"]
mod channels;
#[path = "debug/locks.rs"]
mod locks;
#[path = "debug/others.rs"]
mod others;
#[path = "debug/runtimes.rs"]
mod runtimes;
#[path = "debug/shown.rs"]
mod shown;
#[path = "debug/tasks.rs"]
mod tasks;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use shown::Shown;

/// Pitfall 17: formatting something that is empty, closed, moved from, waiting, or held by another.
#[test]
fn everything_can_be_printed_in_each_of_its_states() {
    let mut shown = Shown::default();
    channels::bounded(&mut shown);
    channels::waiting(&mut shown);
    channels::errors(&mut shown);
    channels::one_value(&mut shown);
    channels::all_values(&mut shown);
    channels::questions(&mut shown);
    locks::locks(&mut shown);
    locks::signals(&mut shown);
    locks::cells_and_pools(&mut shown);
    locks::tokens(&mut shown);
    tasks::tasks(&mut shown);
    tasks::groups(&mut shown);
    tasks::scopes(&mut shown);
    runtimes::building(&mut shown);
    runtimes::running(&mut shown);
    runtimes::ending(&mut shown);
    runtimes::pools(&mut shown);
    others::races_and_selects(&mut shown);
    others::time(&mut shown);
    others::sockets(&mut shown);
    others::simulations(&mut shown);
    shown.check_against(include_str!("api.txt"), include_str!("debug.txt"));
}

/// A value whose destructor prints what it was in, and a waker that does so in whatever is asked of it.
struct Prints(Box<dyn std::fmt::Debug + Send + Sync>, Arc<AtomicUsize>);

impl Prints {
    fn print(&self) {
        self.1.fetch_add(format!("{:?}", self.0).len().min(1), Ordering::Relaxed);
    }
}

impl Drop for Prints {
    fn drop(&mut self) {
        self.print();
    }
}

impl Wake for Prints {
    fn wake(self: Arc<Self>) {
        self.print();
    }
}

/// Nothing waits for a lock that its own caller holds: what is called back may print whatever called it.
#[test]
fn what_is_called_back_may_print_whoever_calls() {
    let printed = Arc::new(AtomicUsize::new(0));
    let (tx, rx) = goro::channel::bounded(2);
    for _ in 0..2 {
        let value = Prints(Box::new((tx.downgrade(), rx.downgrade())), printed.clone());
        assert!(tx.try_send(value).is_ok());
    }
    drop(rx.try_recv().unwrap());
    assert_eq!(printed.load(Ordering::Relaxed), 1);
    rx.close();
    drop(rx);
    assert_eq!(printed.load(Ordering::Relaxed), 2, "with the last receiver");

    let printed = Arc::new(AtomicUsize::new(0));
    let lock = Arc::new(goro::sync::Mutex::new(()));
    let token = goro::CancellationToken::new();
    let notify = Arc::new(goro::sync::Notify::new());
    let (tell, told) = goro::watch::channel(1);
    let all = (lock.clone(), token.clone(), notify.clone(), told.clone());
    let waker = Waker::from(Arc::new(Prints(Box::new(all), printed.clone())));
    let mut cx = Context::from_waker(&waker);
    let held = lock.try_lock().unwrap();
    let mut changes = told.clone();
    let (mut locking, mut ending) = (pin!(lock.lock()), pin!(token.cancelled()));
    let (mut notified, mut changed) = (pin!(notify.notified()), pin!(changes.changed()));
    assert!(locking.as_mut().poll(&mut cx).is_pending());
    assert!(ending.as_mut().poll(&mut cx).is_pending());
    assert!(notified.as_mut().poll(&mut cx).is_pending());
    assert!(changed.as_mut().poll(&mut cx).is_pending());
    drop(held);
    token.cancel();
    notify.notify_one();
    tell.send(2).unwrap();
    assert_eq!(printed.load(Ordering::Relaxed), 4, "each was woken once");
}

/// Whoever prints waits for no one who uses what is printed, and the other way round.
#[test]
fn what_others_use_meanwhile_can_be_printed() {
    const ROUNDS: usize = 2_000;
    let runtime = goro::runtime::Builder::new().workers(2).build().unwrap();
    let (tx, rx) = goro::channel::bounded(1);
    let lock = Arc::new(goro::sync::Mutex::new(0));
    let token = goro::CancellationToken::new();
    let users = [0; 2].map(|_| {
        let (tx, rx, lock, token) = (tx.clone(), rx.clone(), lock.clone(), token.clone());
        runtime.spawn(async move {
            for round in 0..ROUNDS {
                tx.send(round).await.unwrap();
                *lock.lock().await += 1;
                drop(token.child_token());
                rx.recv().await.unwrap();
            }
        })
    });
    let mut texts = 0;
    while !users.iter().all(goro::task::JoinHandle::is_finished) {
        let text = format!("{tx:?} {rx:?} {lock:?} {token:?} {users:?} {runtime:?}");
        assert!(text.contains("Sender") && text.contains("Mutex"));
        texts += 1;
    }
    assert!(texts > 0);
    assert_eq!(*lock.blocking_lock(), 2 * ROUNDS);
}
