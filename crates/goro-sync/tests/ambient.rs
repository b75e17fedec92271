//! The ambient token: who sees it, and what operations do that would wait.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/polled.rs"]
mod polled;

use foreign::Bell;
use futures::executor::block_on;
use futures::future::{join, lazy, poll_immediate};
use goro_sync::cancel::{self, Cause};
use goro_sync::channel::{RecvTimeoutError, SendError, SendTimeoutError, TryRecvError};
use goro_sync::{CancellationToken, Mutex, channel};
use polled::{poll, poll_with};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

fn cancelled(text: &'static str) -> CancellationToken {
    let token = CancellationToken::new();
    token.cancel_with(text);
    token
}

/// Instead of waiting, not instead of working: what is there is had, whoever was asked to stop.
#[test]
fn an_operation_gives_up_only_where_it_would_wait() {
    let (tx, rx) = channel::bounded(1);
    block_on(cancelled("enough").scope(async {
        tx.send(1).await.unwrap();
        let Err(SendError::Closed(value, reason)) = tx.send(2).await else { panic!("it is full") };
        assert_eq!((value, reason.cause()), (2, Some(&Cause::new("enough"))));
        assert!(reason.is_cancelled());
        let timed = tx.send_timeout(3, Duration::from_secs(60)).await;
        assert!(matches!(timed, Err(SendTimeoutError::Closed(3, reason)) if reason.is_cancelled()));
        assert!(tx.reserve().await.is_err_and(|error| error.0.is_cancelled()));

        assert_eq!(rx.recv().await, Ok(1));
        let error = rx.recv().await.unwrap_err();
        assert!(error.0.is_cancelled());
        let timed = rx.recv_timeout(Duration::from_secs(60)).await;
        assert!(matches!(timed, Err(RecvTimeoutError::Closed(reason)) if reason.is_cancelled()));
    }));
    assert!(!rx.is_closed());
    assert_eq!(tx.try_send(4), Ok(()), "nobody is left in line");
    assert_eq!(rx.try_recv(), Ok(4));
}

#[test]
fn an_operation_that_waits_is_told() {
    let (tx, rx) = channel::bounded::<u8>(1);
    let token = CancellationToken::new();
    let received = block_on(async {
        let (received, _) = join(token.scope(rx.recv()), async {
            token.cancel_with("enough");
        })
        .await;
        received
    });
    assert_eq!(received.unwrap_err().0.cause(), Some(&Cause::new("enough")));
    // The one that has given up left no turn and no place behind.
    tx.try_send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
}

/// Also while its future is kept: its value comes back, and it is not called for what comes later.
#[test]
fn who_gives_up_leaves_the_line() {
    let token = cancelled("enough");
    let (tx, rx) = channel::bounded(0);
    let mut send = token.scope(tx.send(1));
    assert!(matches!(poll(&mut send), Poll::Ready(Err(SendError::Closed(1, _)))));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));

    let (tx, rx) = channel::bounded(1);
    let mut gives_up = token.scope(rx.recv());
    assert!(matches!(poll(&mut gives_up), Poll::Ready(Err(_))));
    let (mut waits, bell) = (rx.recv(), Bell::good());
    assert!(poll_with(&mut waits, &bell.waker()).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!((bell.rings(), poll(&mut waits)), (1, Poll::Ready(Ok(1))));
}

/// Cancelled in the middle of a poll, behind an operation that waits already.
#[test]
fn what_is_cancelled_while_it_is_polled_is_polled_once_more() {
    let (_tx, rx) = channel::bounded::<u8>(1);
    let (token, bell) = (CancellationToken::new(), Bell::good());
    let mut work = token.scope(join(rx.recv(), lazy(|_| token.cancel_with("enough"))));
    assert!(poll_with(&mut work, &bell.waker()).is_pending());
    assert_eq!(bell.rings(), 1);
    let Poll::Ready((received, true)) = poll(&mut work) else { panic!("it was asked to stop") };
    assert_eq!(received.unwrap_err().0.cause(), Some(&Cause::new("enough")));
}

#[test]
fn a_closed_channel_says_that_it_is_closed() {
    let (tx, rx) = channel::bounded::<u8>(1);
    drop(tx);
    let error = block_on(cancelled("enough").scope(rx.recv())).unwrap_err();
    assert!(!error.0.is_cancelled());
}

#[test]
fn a_shield_covers_what_is_awaited_in_it_and_nothing_after() {
    block_on(cancelled("enough").scope(async {
        let (tx, rx) = channel::bounded(1);
        assert_eq!(cancel::check(), Err(Cause::new("enough")));
        let waited = cancel::shield(async {
            assert_eq!(cancel::check(), Ok(()));
            assert!(!cancel::current().is_cancelled());
            let mut received = pin!(rx.recv());
            assert!(poll_immediate(&mut received).await.is_none(), "it waits");
            tx.send(5).await.unwrap();
            received.await
        })
        .await;
        assert_eq!(waited, Ok(5));
        assert!(cancel::check().is_err());
    }));
    assert!(cancel::check().is_ok());
}

#[test]
fn scopes_nest_and_the_inner_one_counts() {
    let (outer, inner) = (cancelled("outer"), CancellationToken::new());
    block_on(outer.scope(async {
        inner.scope(async { assert!(cancel::check().is_ok()) }).await;
        assert_eq!(cancel::cancelled().await, Cause::new("outer"));
        let below = cancel::current();
        assert_eq!(below.cause(), Some(Cause::new("outer")));
    }));
}

/// Code may stop its own work, not that of whoever called it.
#[test]
fn the_current_token_is_a_child() {
    let token = CancellationToken::new();
    let (one, two) = block_on(token.scope(async { (cancel::current(), cancel::current()) }));
    one.cancel();
    assert!(!two.is_cancelled() && !token.is_cancelled());
    token.cancel_with("all");
    assert_eq!(two.cause(), Some(Cause::new("all")));
}

#[test]
fn waiting_for_the_ambient_token_is_told_and_leaves_nothing() {
    let token = CancellationToken::new();
    let (cause, ()) = block_on(join(token.scope(cancel::cancelled()), async {
        token.cancel_with("enough");
    }));
    assert_eq!(cause, Cause::new("enough"));
}

/// What has no error to give waits on.
#[test]
fn a_lock_is_waited_for_all_the_same() {
    let lock = Mutex::new(1);
    let held = block_on(lock.lock());
    let waits = cancelled("enough").scope(lock.lock());
    let mut waits = pin!(waits);
    assert!(block_on(poll_immediate(&mut waits)).is_none());
    drop(held);
    assert_eq!(*block_on(waits), 1);
}
