//! What a channel's operations say and do, in each state that a channel can be in.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "used as programs use it")]

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/polled.rs"]
mod polled;

use foreign::Bell;
use futures::StreamExt;
use futures::executor::block_on;
use goro_shim::global::Arc;
use goro_sync::channel::{
    Builder, ForceSendError, PermitError, RecvTimeoutError, SendTimeoutError, TryRecvError,
    TrySendError, bounded,
};
use polled::{poll, poll_with};
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// Pitfall 79: 0 ≤ len ≤ capacity in every state, receivers that wait included.
#[test]
fn the_length_is_never_more_than_the_capacity() {
    for capacity in [0, 1, 3] {
        let (tx, rx) = bounded(capacity);
        let mut waiting: Vec<_> = (0..4).map(|_| rx.recv()).collect();
        waiting.iter_mut().for_each(|recv| assert!(poll(recv).is_pending()));
        for sent in 0..10 {
            let _full = tx.try_send(sent);
            assert!(rx.len() <= capacity && (capacity > 0 || rx.is_empty()));
        }
        waiting.iter_mut().for_each(|recv| drop(poll(recv)));
        assert!(tx.len() <= capacity);
        while rx.try_recv().is_ok() {}
        assert!(tx.is_empty());
    }
}

/// Pitfall 80: a permit that is out when the channel closes keeps nobody from seeing the end.
#[test]
fn a_permit_that_is_out_does_not_hide_the_end() {
    let (tx, rx) = bounded(1);
    let permit = block_on(tx.reserve()).unwrap();
    let bell = Bell::good();
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &bell.waker()).is_pending());
    rx.close();
    assert_eq!(bell.rings(), 1);
    assert!(matches!(poll(&mut recv), Poll::Ready(Err(_))));
    assert!(matches!(permit.send(1), Err(PermitError::Closed(1, _))));
    assert!(matches!(rx.try_recv(), Err(TryRecvError::Closed(_))));
}

/// Nor to a sender that comes while there is room beside it, and is served without a second look.
#[test]
fn a_place_that_is_reserved_is_given_to_nobody_else() {
    let (tx, rx) = bounded(2);
    let permit = block_on(tx.reserve()).unwrap();
    assert!(poll(&mut tx.send(1)).is_ready());
    assert!(poll(&mut tx.send(2)).is_pending(), "the other place is kept");
    assert_eq!(permit.send(3), Ok(()));
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(3)));
}

/// Pitfall 82: what each operation says in each state.
#[test]
fn closed_and_full_and_empty_are_told_apart() {
    for capacity in [1, usize::MAX] {
        let (tx, rx) = bounded(capacity);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        tx.try_send(1).unwrap();
        if capacity == 1 {
            assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
        }
        tx.close_with("enough");
        assert!(!tx.close());
        assert!(matches!(tx.try_send(3), Err(TrySendError::Closed(3, _))));
        let error = block_on(tx.send(4)).unwrap_err();
        assert_eq!(error.to_string(), "nothing was sent: the channel is closed: enough");
        assert_eq!(error.into_inner(), 4);
        assert!(matches!(tx.force_send(5), Err(ForceSendError::Closed(5, _))));
        assert!(block_on(tx.reserve()).is_err());
        assert_eq!(block_on(rx.recv()), Ok(1));
        assert_eq!(block_on(rx.recv()).unwrap_err().0.cause().unwrap().to_string(), "enough");
        assert!(matches!(rx.try_recv(), Err(TryRecvError::Closed(_))));
        let timed = block_on(rx.recv_timeout(Duration::from_secs(60)));
        assert!(matches!(timed, Err(RecvTimeoutError::Closed(_))));
    }
}

/// Pitfall 85: a stream that is polled from changing tasks, between other waits, gives each value
/// once and unharmed.
#[test]
fn a_stream_may_change_its_task_at_each_poll() {
    let (tx, rx) = bounded(0);
    let sender = thread::spawn(move || {
        (0..2000_u64).for_each(|number| tx.blocking_send([number; 8]).unwrap());
    });
    let mut received = 0;
    let mut stream = rx.stream();
    while received < 2000 {
        let bell = Bell::good();
        if let Poll::Ready(item) = poll_with(&mut stream.next(), &bell.waker()) {
            assert_eq!(item, Some([received; 8]));
            received += 1;
        }
        if let Poll::Ready(Ok(item)) = poll(&mut rx.recv_timeout(Duration::ZERO)) {
            assert_eq!(item, [received; 8]);
            received += 1;
        }
    }
    sender.join().unwrap();
    assert_eq!(block_on(stream.next()), None);
}

/// Pitfall 87: a batch on a channel that closes meanwhile comes back from the first value that was
/// not sent.
#[test]
fn a_batch_that_is_cut_short_gives_back_all_that_was_not_sent() {
    let (tx, rx) = bounded(2);
    let mut send = tx.send_many(0..10);
    assert!(poll(&mut send).is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    rx.close();
    let Poll::Ready(Err(error)) = poll(&mut send) else { panic!("it is closed") };
    let mut all: Vec<_> = std::iter::from_fn(|| rx.try_recv().ok()).collect();
    all.extend(error.unsent);
    assert_eq!(all, (1..10).collect::<Vec<_>>());

    let (tx, rx) = bounded(2);
    let mut send = tx.send_many(0..5);
    assert!(poll(&mut send).is_pending());
    assert_eq!(send.into_inner(), [2, 3, 4]);
    drop(rx);
    assert_eq!(block_on(tx.send_many(0..3)).unwrap_err().unsent, [0, 1, 2]);
}

/// A batch is one lock; who waits is called for each value, and for each place, as with one at a time.
#[test]
fn a_batch_calls_as_many_as_it_serves() {
    let rung = |bells: &[Arc<Bell>; 3]| bells.each_ref().map(|bell| bell.rings());
    let (tx, rx) = bounded(4);
    let bells = [(); 3].map(|()| Bell::good());
    let mut recvs = [(); 3].map(|()| rx.recv());
    for (recv, bell) in recvs.iter_mut().zip(&bells) {
        assert!(poll_with(recv, &bell.waker()).is_pending());
    }
    assert!(matches!(poll(&mut tx.send_many([1, 2])), Poll::Ready(Ok(()))));
    assert_eq!(rung(&bells), [1, 1, 0]);

    let (tx, rx) = bounded(4);
    assert!(poll(&mut tx.send_many(0..4)).is_ready());
    let bells = [(); 3].map(|()| Bell::good());
    let mut sends = [4, 5, 6].map(|number| tx.send(number));
    for (send, bell) in sends.iter_mut().zip(&bells) {
        assert!(poll_with(send, &bell.waker()).is_pending());
    }
    let mut received = Vec::new();
    assert_eq!(poll(&mut rx.recv_many(&mut received, 2)), Poll::Ready(Ok(2)));
    assert_eq!((received, rung(&bells)), (vec![0, 1], [1, 1, 0]));
}

#[test]
fn time_limits_say_whether_it_happened() {
    let (tx, rx) = bounded(1);
    let short = Duration::from_millis(5);
    assert_eq!(block_on(rx.recv_timeout(short)), Err(RecvTimeoutError::Timeout));
    assert_eq!(block_on(tx.send_timeout(1, short)), Ok(()));
    assert_eq!(block_on(tx.send_timeout(2, short)), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(tx.blocking_send_timeout(3, short), Err(SendTimeoutError::Timeout(3)));
    let past = goro_context::now();
    assert_eq!(block_on(tx.send_deadline(4, past)), Err(SendTimeoutError::Timeout(4)));
    assert_eq!(block_on(rx.recv_deadline(past)), Ok(1));
    assert_eq!(rx.blocking_recv_timeout(short), Err(RecvTimeoutError::Timeout));
    let (tx, rx) = bounded(0);
    assert_eq!(block_on(tx.send_timeout(5, short)), Err(SendTimeoutError::Timeout(5)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn ends_are_counted_and_told_apart() {
    let (tx, rx) = Builder::<u8>::new().name("orders").bounded(3);
    let (other, _rx) = bounded::<u8>(3);
    let more = tx.clone();
    assert_eq!((tx.sender_count(), rx.receiver_count()), (2, 1));
    assert!(tx.same_channel(&more) && !tx.same_channel(&other));
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    assert!(weak_tx.upgrade().is_some() && weak_rx.upgrade().is_some());
    let shown = format!("{rx:?}");
    assert!(shown.contains("orders") && shown.contains("senders: 2"), "{shown}");
    drop((tx, more));
    assert!(weak_tx.upgrade().is_none() && rx.is_closed());
    assert_eq!(weak_rx.upgrade().unwrap().name().as_deref(), Some("orders"));
    assert!(other.name().is_none());
}

#[test]
fn a_sink_fills_the_places_it_was_ready_for() {
    use futures::SinkExt;
    let (tx, rx) = bounded(2);
    let mut sink = tx.into_sink();
    block_on(async {
        sink.send_all(&mut futures::stream::iter([Ok(1), Ok(2)])).await.unwrap();
        assert!(poll(&mut sink.feed(3)).is_pending());
        assert_eq!(rx.recv().await, Ok(1));
        sink.send(4).await.unwrap();
        sink.close().await.unwrap();
        assert_eq!(rx.stream().collect::<Vec<_>>().await, [2, 4]);
    });
}

/// At a rendezvous a permit promises that a receiver waited, which may have changed.
#[test]
fn a_permit_at_a_rendezvous_may_come_too_late() {
    let (tx, rx) = bounded(0);
    assert!(poll(&mut tx.reserve()).is_pending());
    let mut recv = rx.recv();
    assert!(poll(&mut recv).is_pending());
    let permits = [block_on(tx.reserve()).unwrap(), block_on(tx.reserve()).unwrap()];
    let [first, second] = permits;
    assert_eq!(first.send(1), Ok(()));
    assert_eq!(second.send(2), Err(PermitError::Gone(2)));
    assert_eq!(poll(&mut recv), Poll::Ready(Ok(1)));
}
