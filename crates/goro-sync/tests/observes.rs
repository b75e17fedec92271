//! Every operation of this crate that can wait, and the token of the code that waits: cancelled before, cancelled
//! meanwhile, both at once with what was waited for, and under a shield.
//!
//! | | observes | does not |
//! |---|---|---|
//! | cancelled before it is asked | gives up, with the cause | waits on |
//! | cancelled while it waits | is woken, and gives up | waits on |
//! | ready, and cancelled | has what it came for | the same |
//! | served while it waits, then cancelled | the same | the same |
//! | shielded | waits on, and has what it came for | the same |
//!
//! And after it has given up nothing is lost, and whoever comes next is served.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/operations.rs"]
mod operations;
#[path = "support/polled.rs"]
mod polled;

use foreign::Bell;
use futures::executor::block_on;
use goro_context::cancel::Ambient;
use goro_context::inherit::{self, Head};
use goro_sync::cancel::{self, Cause, cause_of};
use goro_sync::request::CallError;
use goro_sync::{
    AcquireError, CancellationToken, Semaphore, broadcast, channel, oneshot, request, watch,
};
use operations::Told::{GaveUp, Had};
use operations::{LONG, Waits, later, observing, steadfast};
use polled::{poll, poll_with};
use std::error::Error;
use std::task::Poll;
use std::thread;
use std::time::Duration;

fn enough() -> Cause {
    Cause::new("enough")
}

fn cancelled() -> CancellationToken {
    let token = CancellationToken::new();
    token.cancel_with(enough());
    token
}

#[test]
fn cancelled_before_it_gives_up_and_nothing_is_lost() {
    for (name, make) in observing() {
        let Waits { operation, serve, nothing_lost } = make();
        let mut operation = cancelled().scope(operation);
        assert_eq!(poll(&mut operation), Poll::Ready(GaveUp(enough())), "{name}");
        // Its future is still there, and holds up nobody.
        serve();
        nothing_lost();
    }
    for (name, make) in steadfast() {
        let Waits { operation, serve, nothing_lost: _kept } = make();
        let mut operation = cancelled().scope(operation);
        assert!(poll(&mut operation).is_pending(), "{name}");
        serve();
        assert_eq!(poll(&mut operation), Poll::Ready(Had), "{name}");
    }
}

#[test]
fn cancelled_while_it_waits_it_is_woken_and_gives_up() {
    for (name, make) in observing() {
        let Waits { operation, serve, nothing_lost } = make();
        let (token, bell) = (CancellationToken::new(), Bell::good());
        let mut operation = token.scope(operation);
        assert!(poll_with(&mut operation, &bell.waker()).is_pending(), "{name}");
        assert_eq!(bell.rings(), 0, "{name}");
        token.cancel_with(enough());
        assert_eq!(bell.rings(), 1, "{name}");
        assert_eq!(
            poll_with(&mut operation, &bell.waker()),
            Poll::Ready(GaveUp(enough())),
            "{name}"
        );
        serve();
        nothing_lost();
        assert_eq!(bell.rings(), 1, "{name}: who has given up stands in line");
    }
    for (name, make) in steadfast() {
        let Waits { operation, serve, nothing_lost: _kept } = make();
        let (token, bell) = (CancellationToken::new(), Bell::good());
        let mut operation = token.scope(operation);
        assert!(poll_with(&mut operation, &bell.waker()).is_pending(), "{name}");
        token.cancel_with(enough());
        assert!(poll_with(&mut operation, &bell.waker()).is_pending(), "{name}");
        let before = bell.rings();
        serve();
        assert!(bell.rings() > before, "{name}");
        assert_eq!(poll_with(&mut operation, &bell.waker()), Poll::Ready(Had), "{name}");
    }
}

#[test]
fn what_is_ready_is_had_whoever_was_asked_to_stop() {
    for (name, make) in observing().into_iter().chain(steadfast()) {
        let Waits { operation, serve, nothing_lost: _kept } = make();
        // A barrier is ready for nobody who has not come.
        if name != "a barrier" {
            serve();
            let mut operation = cancelled().scope(operation);
            assert_eq!(poll(&mut operation), Poll::Ready(Had), "{name}");
        }

        let Waits { operation, serve, nothing_lost: _kept } = make();
        let token = CancellationToken::new();
        let mut operation = token.scope(operation);
        assert!(poll(&mut operation).is_pending(), "{name}");
        serve();
        token.cancel_with(enough());
        assert_eq!(
            poll(&mut operation),
            Poll::Ready(Had),
            "{name}: served before it was cancelled"
        );

        let Waits { operation, serve, nothing_lost: _kept } = make();
        let token = CancellationToken::new();
        let mut operation = token.scope(operation);
        assert!(poll(&mut operation).is_pending(), "{name}");
        token.cancel_with(enough());
        serve();
        assert_eq!(poll(&mut operation), Poll::Ready(Had), "{name}: served before it was polled");
    }
}

#[test]
fn under_a_shield_it_waits_for_what_it_came_for() {
    for (name, make) in observing().into_iter().chain(steadfast()) {
        let Waits { operation, serve, nothing_lost: _kept } = make();
        let (token, bell) = (cancelled(), Bell::good());
        let mut operation = token.scope(cancel::shield(operation));
        assert!(poll_with(&mut operation, &bell.waker()).is_pending(), "{name}");
        let before = bell.rings();
        serve();
        assert!(bell.rings() > before, "{name}");
        assert_eq!(poll_with(&mut operation, &bell.waker()), Poll::Ready(Had), "{name}");
    }
}

/// What runs in a task that is asked to end hears it, whatever token it has of its own; but not under a shield.
#[test]
fn a_scope_does_not_hide_that_its_task_is_asked_to_end() {
    let (_tx, rx) = channel::bounded::<u8>(1);
    let token = CancellationToken::new();
    let mut told = Box::pin(token.scope(rx.recv()));
    let mut spared = Box::pin(cancel::shield(token.scope(rx.recv())));
    assert!(poll(&mut told).is_pending() && poll(&mut spared).is_pending());
    // As such a task is polled.
    let mut asked = Head::EMPTY.push(Ambient::cancelled(enough()));
    let (told, spared) = inherit::with(&mut asked, || (poll(&mut told), poll(&mut spared)));
    let Poll::Ready(Err(error)) = told else { panic!("it waits on") };
    assert!(error.0.is_cancelled() && error.0.cause() == Some(&enough()));
    assert!(spared.is_pending());
}

/// Its question comes back where it has found no place, and is a server's where it has.
#[test]
fn a_call_gives_up_wherever_it_stands() {
    let (client, server) = request::channel::<u8, u8>(1);
    let mut first = Box::pin(client.call(1, later()));
    assert!(poll(&mut first).is_pending());
    let mut second = Box::pin(cancelled().scope(client.call(2, later())));
    assert_eq!(poll(&mut second), Poll::Ready(Err(CallError::Cancelled(Some(2), enough()))));
    drop(first);
    assert_eq!(server.try_next().map(|(question, _)| question), Ok(1));
    assert!(server.is_empty());

    let token = CancellationToken::new();
    let mut call = Box::pin(token.scope(client.call(3, later())));
    assert!(poll(&mut call).is_pending());
    let (question, reply) = server.try_next().unwrap();
    token.cancel_with(enough());
    let given_up = poll(&mut call);
    assert_eq!(given_up, Poll::Ready(Err(CallError::Cancelled(None, enough()))));
    assert!(question == 3 && reply.is_closed(), "the server sees that nobody waits");

    let token = CancellationToken::new();
    let mut call = Box::pin(token.scope(client.call(4, later())));
    assert!(poll(&mut call).is_pending());
    server.try_next().unwrap().1.send(5).unwrap();
    token.cancel_with(enough());
    assert_eq!(poll(&mut call), Poll::Ready(Ok(5)), "the answer was there");
}

/// Whatever it was that gave up, and whoever wants to know why: a program that has many such errors asks all in one
/// way. That a channel was closed for a cause is something else.
#[test]
fn the_cause_is_found_in_every_error() {
    let errors: Vec<(&str, Box<dyn Error>)> = block_on(cancelled().scope(async {
        let (tx, rx) = channel::bounded::<u8>(1);
        let mut errors: Vec<(&str, Box<dyn Error>)> = vec![
            ("recv", Box::new(rx.recv().await.unwrap_err())),
            ("recv_timeout", Box::new(rx.recv_timeout(LONG).await.unwrap_err())),
        ];
        tx.try_send(0).unwrap();
        errors.push(("send", Box::new(tx.send(1).await.unwrap_err())));
        errors.push(("send_timeout", Box::new(tx.send_timeout(1, LONG).await.unwrap_err())));
        errors.push(("send_many", Box::new(tx.send_many([1]).await.unwrap_err())));
        errors.push(("reserve", Box::new(tx.reserve().await.unwrap_err())));
        let (_tx, mut rx) = oneshot::channel::<u8>();
        errors.push(("a oneshot", Box::new((&mut rx).await.unwrap_err())));
        errors.push(("its recv_timeout", Box::new(rx.recv_timeout(LONG).await.unwrap_err())));
        let (_tx, mut rx) = watch::channel(0);
        errors.push(("a watch", Box::new(rx.changed().await.unwrap_err())));
        let (tx, mut rx) = broadcast::channel::<u8>(1, broadcast::OnLag::Wait);
        errors.push(("a broadcast", Box::new(rx.recv().await.unwrap_err())));
        errors.push(("its recv_timeout", Box::new(rx.recv_timeout(LONG).await.unwrap_err())));
        tx.try_send(0).unwrap();
        errors.push(("its send", Box::new(tx.send(1).await.unwrap_err())));
        let seats = Semaphore::new(0);
        errors.push(("a permit", Box::new(seats.acquire().await.unwrap_err())));
        let (client, _server) = request::channel::<u8, u8>(1);
        errors.push(("a call", Box::new(client.call(1, later()).await.unwrap_err())));
        errors
    }));
    for (name, error) in errors {
        assert_eq!(cause_of(&*error), Some(&enough()), "{name}");
    }

    let (tx, rx) = channel::bounded::<u8>(1);
    tx.close_with("out of stock");
    assert_eq!(cause_of(&block_on(rx.recv()).unwrap_err()), None);
}

/// The first in line wants more than is there, which is the next one's once the first has given up.
#[test]
fn who_gives_up_makes_way_for_those_behind() {
    let seats = Semaphore::new(2);
    let held = seats.try_acquire_many(2).unwrap();
    let (token, bell) = (CancellationToken::new(), Bell::good());
    let mut first = Box::pin(token.scope(seats.acquire_many(2)));
    assert!(poll(&mut first).is_pending());
    let mut second = Box::pin(seats.acquire_many(2));
    assert!(poll_with(&mut second, &bell.waker()).is_pending());
    drop(held);
    // Who comes now may pass the first, who has been called.
    let passed = seats.try_acquire().unwrap();
    token.cancel_with(enough());
    assert!(matches!(poll(&mut first), Poll::Ready(Err(AcquireError::Cancelled(_)))));
    drop(passed);
    assert_eq!(bell.rings(), 1);
    assert!(poll_with(&mut second, &bell.waker()).is_ready());

    let seats = Semaphore::new(2);
    let held = seats.try_acquire().unwrap();
    let (token, bell) = (CancellationToken::new(), Bell::good());
    let other = seats.try_acquire().unwrap();
    let mut first = Box::pin(token.scope(seats.acquire_many(2)));
    assert!(poll(&mut first).is_pending());
    let mut second = Box::pin(seats.acquire());
    assert!(poll_with(&mut second, &bell.waker()).is_pending());
    drop(other);
    assert_eq!(bell.rings(), 0, "one is free, and the first wants two");
    token.cancel_with(enough());
    assert!(matches!(poll(&mut first), Poll::Ready(Err(AcquireError::Cancelled(_)))));
    assert_eq!(bell.rings(), 1);
    assert!(poll_with(&mut second, &bell.waker()).is_ready());
    drop(held);
}

/// A place in line that a receiver keeps from one `changed` to the next is given up as well.
#[test]
fn a_reader_that_has_given_up_can_be_used_as_before() {
    let (tx, mut rx) = watch::channel(0);
    let bell = Bell::good();
    assert!(poll_with(&mut rx.changed(), &bell.waker()).is_pending());
    // The same waker, so that it is not exchanged for another one.
    assert!(poll_with(&mut cancelled().scope(rx.changed()), &bell.waker()).is_ready());
    tx.send(1).unwrap();
    assert_eq!(bell.rings(), 0);
    assert_eq!(block_on(rx.changed()), Ok(()));
    assert!(poll_with(&mut rx.changed(), &bell.waker()).is_pending());
}

/// Whichever comes first: the thread is told when it is asleep already, and sees it when it is not.
#[test]
fn a_thread_that_blocks_is_told_as_well() {
    type Blocks = fn() -> Option<Cause>;
    let blocking: [(&str, Blocks); 7] = [
        ("recv", || {
            let (_tx, rx) = channel::bounded::<u8>(1);
            rx.blocking_recv().unwrap_err().0.cause().cloned()
        }),
        ("send", || {
            let (tx, _rx) = channel::bounded::<u8>(1);
            tx.try_send(0).unwrap();
            let channel::SendError::Closed(1, why) = tx.blocking_send(1).unwrap_err() else {
                return None;
            };
            why.cause().cloned()
        }),
        ("a oneshot", || {
            let (_tx, rx) = oneshot::channel::<u8>();
            let oneshot::RecvError::Cancelled(cause) = rx.blocking_recv().unwrap_err() else {
                return None;
            };
            Some(cause)
        }),
        ("a watch", || {
            let (_tx, mut rx) = watch::channel(0);
            let watch::ChangedError::Cancelled(cause) = rx.blocking_changed().unwrap_err() else {
                return None;
            };
            Some(cause)
        }),
        ("a broadcast", || {
            let (_tx, mut rx) = broadcast::channel::<u8>(1, broadcast::OnLag::Skip);
            let broadcast::RecvError::Cancelled(cause) = rx.blocking_recv().unwrap_err() else {
                return None;
            };
            Some(cause)
        }),
        ("a permit", || {
            let seats = Semaphore::new(0);
            let Err(goro_sync::AcquireError::Cancelled(cause)) = seats.blocking_acquire() else {
                return None;
            };
            Some(cause)
        }),
        ("an answer", || {
            let (client, _server) = request::channel::<u8, u8>(1);
            let Err(CallError::Cancelled(None, cause)) = client.blocking_call(1, later()) else {
                return None;
            };
            Some(cause)
        }),
    ];
    for (name, blocks) in blocking {
        for pause in [Duration::ZERO, Duration::from_millis(5)] {
            let token = CancellationToken::new();
            let other = token.clone();
            let canceller = thread::spawn(move || {
                thread::sleep(pause);
                other.cancel_with(enough());
            });
            let cause = block_on(token.scope(async { blocks() }));
            assert_eq!(cause, Some(enough()), "{name}");
            canceller.join().unwrap();
        }
    }
}
