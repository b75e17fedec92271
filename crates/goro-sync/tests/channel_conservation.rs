//! Nothing is lost, nothing is sent twice, and nothing is delivered that was given up, on real
//! threads: futures are dropped at random, ends come and go, values panic when they are dropped.
//!
//! `GORO_CHANNEL_OPS` says how many operations each flavour gets; `.ci/run channels` runs ten million,
//! as a release is built: pitfall 88 is a hang that no other build showed.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "used as programs use it")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use goro_context::random;
use goro_sync::channel::{Builder, Receiver, SendFuture, Sender};

/// Values of each flavour that are on their way at a time: so many fates are kept.
const VALUES: usize = 4096;

fn operations() -> usize {
    let given = std::env::var("GORO_CHANNEL_OPS").ok();
    given.map_or(100_000, |text| text.parse().expect("GORO_CHANNEL_OPS is a number"))
}

/// What became of each value.
const NOWHERE: u8 = 0;
const RECEIVED: u8 = 1;
const UNDELIVERED: u8 = 2;
const BACK: u8 = 3;

struct Ledger {
    fates: Vec<AtomicU8>,
    doubled: AtomicUsize,
    /// Futures that were polled and dropped before they were ready.
    cancelled: AtomicUsize,
}

impl Ledger {
    fn new() -> Self {
        let fates = (0..VALUES).map(|_| AtomicU8::new(NOWHERE)).collect();
        Self { fates, doubled: AtomicUsize::new(0), cancelled: AtomicUsize::new(0) }
    }

    fn note(&self, value: usize, fate: u8) {
        if self.fates[value].swap(fate, Ordering::SeqCst) != NOWHERE {
            self.doubled.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A value that panics when it is dropped, now and then; dropped by a channel it is lost. With more `WIDTH`
/// fewer of them fit into the parts that a channel's memory is made of.
struct Value<const WIDTH: usize> {
    number: usize,
    dropped: Arc<AtomicUsize>,
    known: bool,
    _width: [u8; WIDTH],
}

impl<const WIDTH: usize> Value<WIDTH> {
    /// Writes down what became of it, and drops it, which may panic.
    fn ends(mut self, ledger: &Ledger, fate: u8) {
        self.known = true;
        ledger.note(self.number, fate);
    }
}

impl<const WIDTH: usize> Drop for Value<WIDTH> {
    fn drop(&mut self) {
        if !self.known {
            self.dropped.fetch_add(1, Ordering::SeqCst);
        }
        if self.number % 97 == 0 && !thread::panicking() {
            // Caught by whoever drops: the channel, or the test below.
            std::panic::resume_unwind(Box::new("a value's drop"));
        }
    }
}

fn quietly(f: impl FnOnce()) {
    let _panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// Polls so often, then gives up.
fn poll_some<F: Future + Unpin>(future: &mut F, polls: u32, ledger: &Ledger) -> Option<F::Output> {
    for _ in 0..polls {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = Pin::new(&mut *future).poll(&mut cx) {
            return Some(output);
        }
        thread::yield_now();
    }
    if polls > 0 {
        count(&ledger.cancelled);
    }
    None
}

/// How a value that was not sent, or a send that was given up, ends.
fn give_up<const WIDTH: usize>(
    send: SendFuture<'_, Value<WIDTH>>,
    ledger: &Ledger,
    sent: &AtomicUsize,
) {
    match send.into_inner() {
        Some(back) => quietly(|| back.ends(ledger, BACK)),
        // At a rendezvous: delivered.
        None => count(sent),
    }
}

fn sender<const WIDTH: usize>(
    tx: &Sender<Value<WIDTH>>,
    ledger: &Ledger,
    numbers: &[usize],
    dropped: &Arc<AtomicUsize>,
    sent: &AtomicUsize,
) {
    for &number in numbers {
        let value =
            Value { number, dropped: Arc::clone(dropped), known: false, _width: [0; WIDTH] };
        match random::below(8) {
            0 => match tx.try_send(value) {
                Ok(()) => count(sent),
                Err(error) => quietly(|| error.into_inner().ends(ledger, BACK)),
            },
            1 => match tx.blocking_send(value) {
                Ok(()) => count(sent),
                Err(error) => quietly(|| error.into_inner().ends(ledger, BACK)),
            },
            2 => {
                let mut reserve = tx.reserve();
                match poll_some(&mut reserve, random::below(4), ledger) {
                    Some(Ok(permit)) => match permit.send(value) {
                        Ok(()) => count(sent),
                        Err(error) => quietly(|| error.into_inner().ends(ledger, BACK)),
                    },
                    _ => quietly(|| value.ends(ledger, BACK)),
                }
            }
            _ => {
                let mut send = tx.send(value);
                match poll_some(&mut send, random::below(5), ledger) {
                    Some(Ok(())) => count(sent),
                    Some(Err(error)) => {
                        quietly(|| error.into_inner().ends(ledger, BACK));
                    }
                    None => give_up(send, ledger, sent),
                }
            }
        }
    }
}

fn receiver<const WIDTH: usize>(rx: &Receiver<Value<WIDTH>>, ledger: &Ledger) {
    loop {
        let received = match random::below(4) {
            0 => rx.try_recv().ok(),
            1 => match rx.blocking_recv() {
                Ok(value) => Some(value),
                Err(_) => return,
            },
            2 => match poll_some(&mut rx.recv_lease(), random::below(4), ledger) {
                // Every other lease goes back.
                Some(Ok(lease)) if random::below(2) == 0 => Some(lease.accept()),
                _ => None,
            },
            _ => poll_some(&mut rx.recv(), random::below(5), ledger).and_then(Result::ok),
        };
        if let Some(value) = received {
            quietly(|| value.ends(ledger, RECEIVED));
        } else if rx.is_closed() && rx.is_empty() && rx.sender_count() == 0 {
            // What is lent may come back: the blocking one knows.
            match rx.blocking_recv() {
                Ok(value) => quietly(|| value.ends(ledger, RECEIVED)),
                Err(_) => return,
            }
        }
    }
}

/// One channel's life: three senders, two receivers, some of which go early; then the count. Says how many
/// futures were given up.
fn life<const WIDTH: usize>(capacity: usize) -> usize {
    let ledger = Arc::new(Ledger::new());
    let dropped = Arc::new(AtomicUsize::new(0));
    let sent = Arc::new(AtomicUsize::new(0));
    let hook = {
        let ledger = Arc::clone(&ledger);
        move |value: Value<WIDTH>| value.ends(&ledger, UNDELIVERED)
    };
    let (tx, rx) = Builder::new().on_undelivered(hook).bounded(capacity);
    let parts: Vec<Vec<usize>> = (0..3).map(|part| (part..VALUES).step_by(3).collect()).collect();
    let senders: Vec<_> = parts
        .into_iter()
        .map(|numbers| {
            let (tx, ledger) = (tx.clone(), Arc::clone(&ledger));
            let (dropped, sent) = (Arc::clone(&dropped), Arc::clone(&sent));
            thread::spawn(move || sender(&tx, &ledger, &numbers, &dropped, &sent))
        })
        .collect();
    drop(tx);
    let leaves = random::below(4) == 0;
    let receivers: Vec<_> = (0..2)
        .map(|_| {
            let (rx, ledger) = (rx.clone(), Arc::clone(&ledger));
            thread::spawn(move || match leaves {
                // All receivers go early: what is left is undelivered, and the senders learn of it.
                true => (0..50).for_each(|_| {
                    if let Some(Ok(value)) = poll_some(&mut rx.recv(), 2, &ledger) {
                        quietly(|| value.ends(&ledger, RECEIVED));
                    }
                }),
                false => receiver(&rx, &ledger),
            })
        })
        .collect();
    drop(rx);
    senders.into_iter().for_each(|it| it.join().expect("a sender does not panic"));
    receivers.into_iter().for_each(|it| it.join().expect("a receiver does not panic"));

    let how_many = |fate| {
        let fates = ledger.fates.iter();
        fates.filter(|kept| kept.load(Ordering::SeqCst) == fate).count()
    };
    assert_eq!(ledger.doubled.load(Ordering::SeqCst), 0, "twice, or delivered though given up");
    assert_eq!((how_many(NOWHERE), dropped.load(Ordering::SeqCst)), (0, 0), "lost");
    assert_eq!(how_many(RECEIVED) + how_many(UNDELIVERED), sent.load(Ordering::SeqCst));
    ledger.cancelled.load(Ordering::SeqCst)
}

fn conserves<const WIDTH: usize>(capacity: usize) {
    let (mut done, mut cancelled) = (0, 0);
    while done < operations() {
        cancelled += life::<WIDTH>(capacity);
        done += VALUES;
    }
    println!(
        "capacity {capacity}: {done} values, {cancelled} futures given up: \
         lost 0, doubled 0, against their sender 0, stuck 0"
    );
}

/// Pitfalls 16, 88.
#[test]
fn a_rendezvous_loses_nothing() {
    conserves::<0>(0);
}

/// Pitfalls 16, 84, 88, 93.
#[test]
fn a_channel_with_one_place_loses_nothing() {
    conserves::<0>(1);
}

/// Pitfalls 16, 84, 88, 93.
#[test]
fn a_channel_with_places_loses_nothing() {
    conserves::<0>(4);
}

/// Pitfalls 16, 88.
#[test]
fn an_unbounded_channel_loses_nothing() {
    conserves::<0>(usize::MAX);
}

/// Two of them, and a third is in the blocks, which senders then have for themselves.
#[test]
fn an_unbounded_channel_of_wide_values_loses_nothing() {
    conserves::<8000>(usize::MAX);
}
