//! Channels between two and three threads, in every order.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};

use goro_shim::Arc;
use loom::thread;

use super::*;

fn poll_once<F: Future>(future: F) {
    let _dropped = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// A full channel hands its place from one sender to the next, and each value arrives.
#[test]
fn two_senders_and_a_receiver() {
    loom::model(|| {
        let (tx, rx) = bounded(1);
        let other = tx.clone();
        let first = thread::spawn(move || tx.blocking_send(1).unwrap());
        let second = thread::spawn(move || other.blocking_send(2).unwrap());
        let sum = rx.blocking_recv().unwrap() + rx.blocking_recv().unwrap();
        assert_eq!(sum, 3);
        assert!(rx.blocking_recv().is_err());
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_sender_and_two_receivers() {
    loom::model(|| {
        let (tx, rx) = unbounded();
        let other = rx.clone();
        let first = thread::spawn(move || rx.blocking_recv().unwrap());
        let second = thread::spawn(move || other.blocking_recv().unwrap());
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!(first.join().unwrap() + second.join().unwrap(), 3);
    });
}

/// At a rendezvous each send is done only when its value was taken.
#[test]
fn a_rendezvous() {
    loom::model(|| {
        let (tx, rx) = bounded(0);
        let taken = Arc::new(goro_shim::atomic::AtomicBool::new(false));
        let sender = {
            let taken = Arc::clone(&taken);
            thread::spawn(move || {
                tx.blocking_send(7).unwrap();
                assert!(taken.load(goro_shim::atomic::Ordering::Relaxed));
            })
        };
        taken.store(true, goro_shim::atomic::Ordering::Relaxed);
        assert_eq!(rx.blocking_recv(), Ok(7));
        sender.join().unwrap();
    });
}

/// Pitfalls 84 and 103: a receiver that is dropped, whenever that is, leaves the value and hands its
/// turn on.
#[test]
fn a_receiver_that_is_dropped_passes_its_turn() {
    loom::model(|| {
        let (tx, rx) = bounded(1);
        let other = rx.clone();
        let receiver = thread::spawn(move || other.blocking_recv().unwrap());
        let sender = {
            let tx = tx.clone();
            thread::spawn(move || tx.try_send(1).unwrap())
        };
        let received = pin!(rx.recv()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        if received {
            // Somebody still has to get one.
            tx.blocking_send(1).unwrap();
        }
        sender.join().unwrap();
        assert_eq!(receiver.join().unwrap(), 1);
    });
}

/// Pitfall 93: a sender that is dropped while it waits has not sent, and the next one goes.
#[test]
fn a_sender_that_is_dropped_passes_its_turn() {
    loom::model(|| {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let other = tx.clone();
        let sender = thread::spawn(move || other.blocking_send(2).unwrap());
        let receiver = thread::spawn(move || {
            let received = core::iter::from_fn(|| rx.blocking_recv().ok());
            received.collect::<Vec<_>>()
        });
        let mut dropped = tx.send(3);
        let sent = pin!(&mut dropped).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        let kept = dropped.into_inner();
        assert_eq!(kept.is_none(), sent);
        sender.join().unwrap();
        drop(tx);
        let mut received = receiver.join().unwrap();
        assert_eq!(received.remove(0), 1);
        received.sort();
        assert_eq!(received, if sent { vec![2, 3] } else { vec![2] });
    });
}

/// Of a value at a rendezvous, taken back and received at once, exactly one side has it.
#[test]
fn a_value_taken_back_or_received() {
    loom::model(|| {
        let (tx, rx) = bounded(0);
        let receiver = thread::spawn(move || (rx.try_recv().ok(), rx));
        let mut send = tx.send(5);
        let _polled = pin!(&mut send).poll(&mut Context::from_waker(Waker::noop()));
        let back = send.into_inner();
        let (received, _rx) = receiver.join().unwrap();
        assert_eq!(back.into_iter().chain(received).collect::<Vec<_>>(), [5]);
    });
}

/// Closing against a send and a receive: the value is received, or comes back.
#[test]
fn a_close_between_a_send_and_a_receive() {
    for capacity in [0, 1] {
        loom::model(move || {
            let (tx, rx) = bounded(capacity);
            let closer = tx.clone();
            let sender = thread::spawn(move || tx.blocking_send(1).map_err(SendError::into_inner));
            let closes = thread::spawn(move || closer.close());
            let received = rx.blocking_recv();
            match sender.join().unwrap() {
                Ok(()) => assert_eq!(received, Ok(1)),
                Err(value) => assert!(value == 1 && received.is_err()),
            }
            assert!(closes.join().unwrap());
        });
    }
}

/// Pitfalls 78 and 99: the last receiver goes while a value comes. It is freed, once.
#[test]
fn the_last_receiver_goes_while_a_value_comes() {
    loom::model(|| {
        let (tx, rx) = bounded(1);
        let value = Arc::new(());
        let sender = {
            let value = Arc::clone(&value);
            thread::spawn(move || {
                let back = tx.try_send(value);
                drop(back);
                tx
            })
        };
        drop(rx);
        let tx = sender.join().unwrap();
        assert_eq!(Arc::strong_count(&value), 1);
        assert!(tx.is_closed());
    });
}

/// Pitfall 80: a permit that is given back, or used, while the channel closes and others wait.
#[test]
fn a_permit_that_is_dropped_lets_the_next_sender_go() {
    loom::model(|| {
        let (tx, rx) = bounded(1);
        let other = tx.clone();
        let holder = thread::spawn(move || {
            let reserve = crate::block::block(tx.reserve());
            drop(reserve.unwrap());
        });
        let sender = thread::spawn(move || other.blocking_send(1).unwrap());
        assert_eq!(rx.blocking_recv(), Ok(1));
        assert!(rx.blocking_recv().is_err());
        holder.join().unwrap();
        sender.join().unwrap();
    });
}

#[test]
fn a_permit_that_is_used_while_the_channel_closes() {
    loom::model(|| {
        let (tx, rx) = bounded(1);
        let sender = thread::spawn(move || match crate::block::block(tx.reserve()) {
            Ok(permit) => permit.send(1).is_ok(),
            Err(_closed) => false,
        });
        let other = rx.clone();
        let closer = thread::spawn(move || other.close());
        let received = rx.blocking_recv().is_ok();
        closer.join().unwrap();
        assert_eq!(sender.join().unwrap(), received);
    });
}

/// Pitfall 95: an end comes back from a weak one, or the channel is closed; never both.
#[test]
fn a_weak_end_and_the_last_one() {
    loom::model(|| {
        let (tx, rx) = bounded::<u8>(1);
        let weak = tx.downgrade();
        let dropper = thread::spawn(move || drop(tx));
        let strong = weak.upgrade();
        dropper.join().unwrap();
        assert_eq!(strong.is_none(), rx.is_closed());
        drop(strong);
        assert!(rx.is_closed() && weak.upgrade().is_none());
    });
}

/// Pitfall 105: what was sent before all senders went is received.
#[test]
fn the_end_of_the_senders_overtakes_no_value() {
    loom::model(|| {
        let (tx, rx) = unbounded();
        let sender = thread::spawn(move || tx.try_send(1).unwrap());
        assert_eq!(rx.blocking_recv(), Ok(1));
        assert!(rx.blocking_recv().is_err());
        sender.join().unwrap();
        poll_once(rx.recv());
    });
}

/// Two values in the ring and two in blocks behind it.
fn with_blocks() -> (Sender<u64>, Receiver<u64>) {
    let (tx, rx) = unbounded();
    (0..4).for_each(|value| tx.try_send(value).unwrap());
    (tx, rx)
}

/// The ring runs out and is filled from the blocks while values come.
#[test]
fn blocks_keep_their_order_while_values_come() {
    loom::model(|| {
        let (tx, rx) = with_blocks();
        let sender = thread::spawn(move || {
            tx.try_send(4).unwrap();
            tx.try_send(5).unwrap();
        });
        (0..6).for_each(|value| assert_eq!(rx.blocking_recv(), Ok(value)));
        assert!(rx.blocking_recv().is_err());
        sender.join().unwrap();
    });
}

/// No value goes behind the blocks of a channel that is closed: it is received, or comes back.
#[test]
fn a_close_while_values_stand_in_blocks() {
    loom::model(|| {
        let (tx, rx) = with_blocks();
        let closer = rx.clone();
        let closes = thread::spawn(move || {
            closer.close();
        });
        let late = tx.clone();
        let sender = thread::spawn(move || tx.try_send(4).is_ok());
        closes.join().unwrap();
        assert!(late.try_send(9).is_err());
        let sent = sender.join().unwrap();
        let received = core::iter::from_fn(|| rx.try_recv().ok());
        assert_eq!(received.collect::<Vec<_>>(), (0..4 + u64::from(sent)).collect::<Vec<_>>());
    });
}
