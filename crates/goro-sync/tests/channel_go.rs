//! The ways in which Go's own tests use channels.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "used as programs use it")]

use futures::StreamExt;
use futures::executor::block_on;
use goro_sync::channel::{Receiver, TryRecvError, bounded};
use std::thread;

// --- Go's cases, retold -----------------------------------------------------------------------

/// Go's chan_test: nothing is received before it is sent, for every small capacity.
#[test]
fn go_a_receiver_waits_for_what_is_sent_to_it() {
    for capacity in 0..20 {
        let (tx, rx) = bounded(capacity);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        let sender = thread::spawn(move || (0..100).for_each(|n| tx.blocking_send(n).unwrap()));
        (0..100).for_each(|number| assert_eq!(rx.blocking_recv(), Ok(number)));
        sender.join().unwrap();
        assert!(rx.blocking_recv().is_err());
    }
}

/// Go's chan_test: many senders and many receivers, each value once.
#[test]
fn go_each_of_many_values_is_received_once() {
    for capacity in [0, 1, 10] {
        let (tx, rx) = bounded(capacity);
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let tx = tx.clone();
                thread::spawn(move || (0..500_usize).for_each(|n| tx.blocking_send(n).unwrap()))
            })
            .collect();
        drop(tx);
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let rx = rx.clone();
                thread::spawn(move || {
                    let received = std::iter::from_fn(|| rx.blocking_recv().ok());
                    received.collect::<Vec<_>>()
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let mut counts = [0; 500];
        receivers.into_iter().flat_map(|it| it.join().unwrap()).for_each(|n| counts[n] += 1);
        assert!(counts.iter().all(|&count| count == 4));
    }
}

/// Go's chansend and chanrecv: a closed channel gives what it has, then the end, at once.
#[test]
fn go_a_closed_channel_never_blocks() {
    let (tx, rx) = bounded(5);
    (0..3).for_each(|number| tx.try_send(number).unwrap());
    tx.close();
    assert!(block_on(rx.stream().collect::<Vec<_>>()).into_iter().eq(0..3));
    assert!(rx.blocking_recv().is_err() && tx.blocking_send(9).is_err());
}

/// Go's sieve: a chain of goroutines that is torn down when its end is dropped.
#[test]
fn go_the_sieve_finds_primes_and_falls_down() {
    fn filter(from: Receiver<u32>, prime: u32) -> Receiver<u32> {
        let (tx, rx) = bounded(0);
        thread::spawn(move || {
            while let Ok(number) = from.blocking_recv() {
                if number % prime != 0 && tx.blocking_send(number).is_err() {
                    break;
                }
            }
        });
        rx
    }
    let (tx, mut rx) = bounded(0);
    let source = thread::spawn(move || {
        let mut numbers = 2..;
        numbers.try_for_each(|number| tx.blocking_send(number)).is_err()
    });
    let mut primes = Vec::new();
    for _ in 0..20 {
        let prime = rx.blocking_recv().unwrap();
        primes.push(prime);
        rx = filter(rx, prime);
    }
    assert_eq!(primes[15..], [53, 59, 61, 67, 71]);
    drop(rx);
    assert!(source.join().unwrap(), "the source saw its receivers go");
}
