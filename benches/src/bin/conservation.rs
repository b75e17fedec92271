//! What becomes of values when sends and receives are given up at random, in goro's channels and in
//! others': one program for all, on three threads that send and up to two that receive.
//!
//! ```sh
//! cargo run --release -p goro-bench --bin conservation             # a million values for each
//! cargo run --release -p goro-bench --bin conservation -- 10000000
//! ```
//!
//! | column | counts values |
//! |---|---|
//! | lost | whose send was done, and which nobody received |
//! | ghosts | which were received although their send had been given up |
//! | doubled | which were received more than once |
//! | stuck | of a run that did not end within a minute |
//!
//! Left out: a verdict. A crate may say that its futures are not to be dropped. The one exception is a
//! rendezvous: there a value may be received before its send is polled again, and such a send that is
//! dropped is not *given up*; goro's future says which it was, others' do not, so theirs is not counted.
#![allow(
    clippy::disallowed_methods,
    reason = "a program of its own, which may panic for want of a thread"
)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use smol::block_on;

#[allow(dead_code, reason = "the other programs use the rest")]
#[path = "../rival/channels.rs"]
mod channels;

use channels::{AsyncChannel, Channels, Flume, Kanal, Mpsc, OfGoro};

const SENT: u8 = 1;
const GIVEN_UP: u8 = 2;
const RECEIVED: u8 = 4;
const AGAIN: u8 = 8;

/// What became of each value.
type Fates = Arc<Vec<AtomicU8>>;

/// futures' mpsc, which has one receiver, and a place for each sender beside the capacity.
struct FuturesMpsc;

impl Channels for FuturesMpsc {
    type Tx<T: Send + 'static> = futures::channel::mpsc::Sender<T>;
    type Rx<T: Send + 'static> = futures::channel::mpsc::Receiver<T>;

    fn make<T: Send + 'static>(capacity: Option<usize>) -> (Self::Tx<T>, Self::Rx<T>) {
        futures::channel::mpsc::channel(capacity.unwrap_or(1 << 20))
    }

    fn another<T: Send + 'static>(_: &Self::Rx<T>) -> Option<Self::Rx<T>> {
        None
    }

    async fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) {
        assert!(tx.clone().send(value).await.is_ok());
    }

    async fn receive<T: Send + 'static>(rx: &mut Self::Rx<T>) -> Option<T> {
        rx.next().await
    }
}

/// A number that is random enough.
fn below(state: &mut u64, count: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % count
}

/// Polls so often, then gives up.
fn poll_some<F: Future>(future: Pin<&mut F>, polls: u64) -> Option<F::Output> {
    let (mut future, mut cx) = (future, Context::from_waker(Waker::noop()));
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        thread::yield_now();
    }
    None
}

fn send_all<C: Channels>(tx: &C::Tx<usize>, numbers: &[usize], fates: &Fates, mut seed: u64) {
    for &number in numbers {
        // In a box of its own: it is dropped before the fate is written down.
        let mut send = Box::pin(C::send(tx, number));
        let patience = below(&mut seed, 5);
        let done = match patience {
            4 => {
                block_on(send.as_mut());
                Some(())
            }
            polls => poll_some(send.as_mut(), polls),
        };
        drop(send);
        fates[number].fetch_or(if done.is_some() { SENT } else { GIVEN_UP }, Ordering::SeqCst);
    }
}

fn receive_all<C: Channels>(mut rx: C::Rx<usize>, fates: &Fates, mut seed: u64) {
    loop {
        let received = {
            let mut receive = pin!(C::receive(&mut rx));
            match below(&mut seed, 4) {
                3 => Some(block_on(receive.as_mut())),
                polls => poll_some(receive.as_mut(), polls),
            }
        };
        match received {
            Some(Some(number)) => {
                let before = fates[number].fetch_or(RECEIVED, Ordering::SeqCst);
                let again = if before & RECEIVED == 0 { 0 } else { AGAIN };
                fates[number].fetch_or(again, Ordering::SeqCst);
            }
            Some(None) => return,
            None => {}
        }
    }
}

/// A row of the table.
fn row<C: Channels>(name: &str, capacity: Option<usize>, values: usize) {
    let fates: Fates = Arc::new((0..values).map(|_| AtomicU8::new(0)).collect());
    let (tx, rx) = C::make::<usize>(capacity);
    let (ended, all_ended) = std::sync::mpsc::channel::<()>();
    for part in 0..3 {
        let (tx, fates, ended) = (tx.clone(), Arc::clone(&fates), ended.clone());
        thread::spawn(move || {
            let numbers: Vec<usize> = (part..values).step_by(3).collect();
            send_all::<C>(&tx, &numbers, &fates, 0x9E37_79B9 + part as u64);
            drop((tx, ended));
        });
    }
    drop(tx);
    for (place, rx) in C::another(&rx).into_iter().chain([rx]).enumerate() {
        let (fates, ended) = (Arc::clone(&fates), ended.clone());
        thread::spawn(move || {
            receive_all::<C>(rx, &fates, 0x7F4A_7C15 + place as u64);
            drop(ended);
        });
    }
    drop(ended);
    let stuck = all_ended.recv_timeout(Duration::from_secs(60))
        == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
    let count = |wanted: fn(u8) -> bool| {
        fates.iter().filter(|fate| wanted(fate.load(Ordering::SeqCst))).count()
    };
    let lost = count(|fate| fate & (SENT | RECEIVED) == SENT);
    let ghosts = count(|fate| fate & (GIVEN_UP | RECEIVED) == GIVEN_UP | RECEIVED);
    let doubled = count(|fate| fate & AGAIN != 0);
    let places = capacity.map_or_else(|| "no limit".to_owned(), |places| places.to_string());
    let ghosts = if capacity == Some(0) { "-".to_owned() } else { ghosts.to_string() };
    let stuck = if stuck { "yes" } else { "no" };
    println!("| {name} | {places} | {lost} | {ghosts} | {doubled} | {stuck} |");
}

fn main() {
    let given = std::env::args().nth(1);
    let values = given.map_or(1_000_000, |text| text.parse().expect("how many values: a number"));
    println!("{values} values each\n\n| channel | places | lost | ghosts | doubled | stuck |");
    println!("|---|---:|---:|---:|---:|---|");
    for capacity in [Some(0), Some(1), Some(128), None] {
        row::<OfGoro>("goro", capacity, values);
        row::<Kanal>("kanal", capacity, values);
        row::<Flume>("flume", capacity, values);
        if capacity != Some(0) {
            row::<AsyncChannel>("async-channel", capacity, values);
            row::<Mpsc>("tokio's mpsc", capacity, values);
        }
        if capacity.is_some() {
            row::<FuturesMpsc>("futures' mpsc", capacity, values);
        }
    }
}
