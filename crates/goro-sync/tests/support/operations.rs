//! What can be waited for, each as something that waits, and how it is served.

use super::polled::poll;
use futures::{SinkExt, StreamExt};
use goro_shim::global::Arc;
use goro_sync::broadcast::OnLag;
use goro_sync::cancel::Cause;
use goro_sync::{
    Barrier, CancellationToken, Event, FairMutex, Mutex, Notify, RwLock, Semaphore, broadcast,
    channel, oneshot, request, watch,
};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What became of an operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Had,
    GaveUp(Cause),
    Else(String),
}

use Told::{Else, GaveUp, Had};

pub(crate) const LONG: Duration = Duration::from_secs(600);

pub(crate) fn later() -> Instant {
    Instant::now() + LONG
}

/// An operation that has to wait, until it is served.
pub(crate) struct Waits {
    pub(crate) operation: Pin<Box<dyn Future<Output = Told>>>,
    /// Brings what it waits for.
    pub(crate) serve: Box<dyn FnOnce()>,
    /// Looks whether what it was served with, or is served with now, reaches somebody else; for operations that
    /// have given up, and were served after that.
    pub(crate) nothing_lost: Box<dyn FnOnce()>,
}

/// An operation by its name.
pub(crate) type Row = (&'static str, fn() -> Waits);

fn waits(
    operation: impl Future<Output = Told> + 'static,
    serve: impl FnOnce() + 'static,
    nothing_lost: impl FnOnce() + 'static,
) -> Waits {
    let (serve, nothing_lost) = (Box::new(serve), Box::new(nothing_lost));
    Waits { operation: Box::pin(operation), serve, nothing_lost }
}

fn reason(reason: &channel::Reason) -> Told {
    match reason.cause() {
        Some(cause) if reason.is_cancelled() => GaveUp(cause.clone()),
        _ => Else(reason.to_string()),
    }
}

fn full() -> (channel::Sender<u8>, channel::Receiver<u8>) {
    let (tx, rx) = channel::bounded(1);
    tx.try_send(0).unwrap();
    (tx, rx)
}

fn sends(
    (tx, rx): (channel::Sender<u8>, channel::Receiver<u8>),
    send: impl AsyncFnOnce(channel::Sender<u8>) -> Told + 'static,
) -> Waits {
    let (keeps, takes, later) = (tx.clone(), rx.clone(), rx.clone());
    waits(
        send(tx),
        move || assert_eq!(takes.try_recv(), Ok(0)),
        move || {
            keeps.try_send(9).unwrap();
            assert_eq!(later.try_recv(), Ok(9), "nothing came of what was given up");
        },
    )
}

fn sent(error: channel::SendError<u8>) -> Told {
    match error {
        channel::SendError::Closed(1, why) => reason(&why),
        other => Else(other.to_string()),
    }
}

fn receives(receive: impl AsyncFnOnce(channel::Receiver<u8>) -> Told + 'static) -> Waits {
    let (tx, rx) = channel::bounded(1);
    let other = rx.clone();
    waits(receive(rx), move || tx.try_send(1).unwrap(), move || assert_eq!(other.try_recv(), Ok(1)))
}

fn received(result: Result<u8, channel::RecvError>) -> Told {
    match result {
        Ok(1) => Had,
        Ok(other) => Else(other.to_string()),
        Err(error) => reason(&error.0),
    }
}

/// An operation of a oneshot: the receiver stays, so that the value can be had later.
#[allow(clippy::await_holding_refcell_ref, reason = "nobody else looks meanwhile")]
fn once(
    receive: impl AsyncFn(&mut oneshot::Receiver<u8>) -> Result<u8, oneshot::RecvError> + 'static,
) -> Waits {
    let (tx, rx) = oneshot::channel();
    let rx = Rc::new(RefCell::new(rx));
    let same = rx.clone();
    waits(
        async move {
            match receive(&mut rx.borrow_mut()).await {
                Ok(1) => Had,
                Err(oneshot::RecvError::Cancelled(cause)) => GaveUp(cause),
                other => Else(format!("{other:?}")),
            }
        },
        move || tx.send(1).unwrap(),
        move || assert_eq!(same.borrow_mut().try_recv(), Ok(1)),
    )
}

fn watches(see: impl AsyncFnOnce(watch::Receiver<u8>) -> Told + 'static) -> Waits {
    let (tx, rx) = watch::channel(0);
    let other = rx.clone();
    waits(see(rx), move || tx.send(1).unwrap(), move || assert_eq!(other.has_changed(), Ok(true)))
}

fn seen<T>(result: Result<T, watch::ChangedError>) -> Told {
    match result {
        Ok(_) => Had,
        Err(watch::ChangedError::Cancelled(cause)) => GaveUp(cause),
        Err(error) => Else(error.to_string()),
    }
}

fn hears(receive: impl AsyncFnOnce(broadcast::Receiver<u8>) -> Told + 'static) -> Waits {
    let (tx, rx) = broadcast::channel(4, OnLag::Wait);
    let mut other = rx.clone();
    waits(
        receive(rx),
        move || assert!(tx.try_send(1).is_ok()),
        move || assert_eq!(other.try_recv(), Ok(1)),
    )
}

fn tells() -> Waits {
    let (tx, mut rx) = broadcast::channel(1, OnLag::Wait);
    assert!(tx.try_send(0).is_ok());
    let (keeps, heard) = (tx.clone(), Rc::new(RefCell::new(rx.clone())));
    let other = heard.clone();
    waits(
        async move {
            match tx.send(1).await {
                Ok(_) => Had,
                Err(broadcast::SendError::Cancelled(1, cause)) => GaveUp(cause),
                Err(error) => Else(error.to_string()),
            }
        },
        move || {
            assert_eq!((rx.try_recv(), heard.borrow_mut().try_recv()), (Ok(0), Ok(0)));
        },
        move || {
            assert!(keeps.try_send(9).is_ok());
            assert_eq!(other.borrow_mut().try_recv(), Ok(9));
        },
    )
}

fn acquires(acquire: impl AsyncFnOnce(Arc<Semaphore>) -> Told + 'static) -> Waits {
    let seats = Arc::new(Semaphore::new(2));
    let (held, others) = (seats.clone().try_acquire_many_owned(2).unwrap(), seats.clone());
    waits(
        acquire(seats),
        move || drop(held),
        move || assert_eq!(others.try_acquire_many(2).map(drop), Ok(())),
    )
}

fn acquired<P>(result: Result<P, goro_sync::AcquireError>) -> Told {
    match result {
        Ok(_) => Had,
        Err(goro_sync::AcquireError::Cancelled(cause)) => GaveUp(cause),
        Err(error) => Else(error.to_string()),
    }
}

macro_rules! operations {
    ($($name:literal: $make:expr;)*) => {
        [$(($name, (|| $make) as fn() -> Waits)),*]
    };
}

/// Those that give up.
pub(crate) fn observing() -> Vec<Row> {
    operations! {
        "send": sends(full(), async |tx| tx.send(1).await.map_or_else(sent, |()| Had));
        "send_timeout": sends(full(), async |tx| match tx.send_timeout(1, LONG).await {
            Ok(()) => Had,
            Err(channel::SendTimeoutError::Closed(1, why)) => reason(&why),
            Err(other) => Else(other.to_string()),
        });
        "send_many": sends(full(), async |tx| match tx.send_many([1]).await {
            Ok(()) => Had,
            Err(error) if error.unsent == [1] => error.reason.as_ref().map_or(Else("full".into()), reason),
            Err(other) => Else(other.to_string()),
        });
        "reserve": sends(full(), async |tx| match tx.reserve().await {
            Ok(permit) => permit.send(1).map_or_else(|error| Else(error.to_string()), |()| Had),
            Err(error) => reason(&error.0),
        });
        "a sink": sends(full(), async |tx| match tx.into_sink().feed(1).await {
            Ok(()) => Had,
            Err(channel::SendError::Closed((), why)) => reason(&why),
            Err(other) => Else(other.to_string()),
        });
        "recv": receives(async |rx| received(rx.recv().await));
        "recv_timeout": receives(async |rx| match rx.recv_timeout(LONG).await {
            Err(channel::RecvTimeoutError::Closed(why)) => reason(&why),
            other => received(other.map_err(|error| panic!("{error}"))),
        });
        "recv_many": receives(async |rx| {
            let mut into = Vec::new();
            let number = rx.recv_many(&mut into, 3).await;
            received(number.map(|number| number as u8 * into[0]))
        });
        "recv_lease": receives(async |rx| received(rx.recv_lease().await.map(channel::Lease::accept)));
        "oneshot": once(async |rx| rx.await);
        "oneshot's recv_timeout": once(async |rx| match rx.recv_timeout(LONG).await {
            Ok(value) => Ok(value),
            Err(oneshot::RecvTimeoutError::Cancelled(cause)) => Err(oneshot::RecvError::Cancelled(cause)),
            Err(_) => Err(oneshot::RecvError::Closed),
        });
        "changed": watches(async |mut rx| seen(rx.changed().await));
        "wait_for": watches(async |mut rx| seen(rx.wait_for(|value| *value == 1).await));
        "broadcast's send": tells();
        "broadcast's recv": hears(async |mut rx| match rx.recv().await {
            Ok(1) => Had,
            Err(broadcast::RecvError::Cancelled(cause)) => GaveUp(cause),
            other => Else(format!("{other:?}")),
        });
        "broadcast's recv_timeout": hears(async |mut rx| match rx.recv_timeout(LONG).await {
            Ok(1) => Had,
            Err(broadcast::RecvTimeoutError::Cancelled(cause)) => GaveUp(cause),
            other => Else(format!("{other:?}")),
        });
        "acquire": acquires(async |seats| acquired(seats.acquire().await));
        "acquire_many": acquires(async |seats| acquired(seats.acquire_many(2).await));
        "acquire_owned": acquires(async |seats| acquired(seats.acquire_owned().await));
        "a server's next": {
            let (client, server) = request::channel::<u8, u8>(1);
            let other = server.clone();
            let next = async move {
                match server.next().await {
                    Ok((1, _)) => Had,
                    Ok((other, _)) => Else(other.to_string()),
                    Err(error) => reason(&error.0),
                }
            };
            // The question stays in the channel when who has asked it is gone.
            let serve = move || {
                let mut call = Box::pin(async move { client.call(1, later()).await });
                assert!(poll(&mut call).is_pending());
            };
            waits(next, serve, move || assert_eq!(other.try_next().map(|(one, _)| one), Ok(1)))
        };
    }
    .to_vec()
}

/// Those that have no error to give.
pub(crate) fn steadfast() -> Vec<Row> {
    operations! {
        "a lock": {
            let (lock, other) = both(Mutex::new(()));
            let held = lock.clone().try_lock_owned().unwrap();
            let locks = async move { drop(lock.lock().await) };
            steady(locks, move || drop(held), move || assert!(other.try_lock().is_ok()))
        };
        "a fair lock": {
            let (lock, other) = both(FairMutex::new(()));
            let held = lock.clone().try_lock_owned().unwrap();
            let locks = async move { drop(lock.lock().await) };
            steady(locks, move || drop(held), move || assert!(other.try_lock().is_ok()))
        };
        "reading": {
            let (lock, other) = both(RwLock::new(()));
            let held = lock.clone().try_write_owned().unwrap();
            let reads = async move { drop(lock.read().await) };
            steady(reads, move || drop(held), move || assert!(other.try_read().is_ok()))
        };
        "writing": {
            let (lock, other) = both(RwLock::new(()));
            let held = lock.clone().try_read_owned().unwrap();
            let writes = async move { drop(lock.write().await) };
            steady(writes, move || drop(held), move || assert!(other.try_write().is_ok()))
        };
        "a notification": {
            let (bell, other) = both(Notify::new());
            let notified = async move { bell.notified().await };
            steady(notified, move || other.notify_one(), || {})
        };
        "an event": {
            let (event, other) = both(Event::new());
            steady(async move { event.wait().await }, move || assert!(other.set()), || {})
        };
        "a barrier": {
            let (barrier, other) = both(Barrier::new(2));
            let waits = async move { assert!(!barrier.wait().await.is_leader()) };
            steady(waits, move || assert!(poll(&mut other.wait()).is_ready()), || {})
        };
        "a stream": {
            let (tx, rx) = channel::bounded(1);
            let other = rx.clone();
            let next = async move { assert_eq!(rx.into_stream().next().await, Some(1)) };
            steady(next, move || tx.try_send(1).unwrap(), move || assert_eq!(other.try_recv(), Ok(1)))
        };
        "a channel's end": {
            let (tx, rx) = channel::bounded::<u8>(1);
            steady(async move { tx.closed().await }, move || drop(rx), || {})
        };
        "a receiver's end": {
            let (mut tx, rx) = oneshot::channel::<u8>();
            steady(async move { tx.closed().await }, move || drop(rx), || {})
        };
        "the last reader's end": {
            let (tx, rx) = watch::channel(0_u8);
            steady(async move { tx.closed().await }, move || drop(rx), || {})
        };
        "another token": {
            let token = CancellationToken::new();
            let other = token.clone();
            let cancelled = async move { assert_eq!(token.cancelled().await, Cause::Cancelled) };
            steady(cancelled, move || assert!(other.cancel()), || {})
        };
    }
    .to_vec()
}

fn both<T>(thing: T) -> (Arc<T>, Arc<T>) {
    let one = Arc::new(thing);
    (one.clone(), one)
}

fn steady(
    operation: impl Future<Output = ()> + 'static,
    serve: impl FnOnce() + 'static,
    nothing_lost: impl FnOnce() + 'static,
) -> Waits {
    let operation = async move {
        operation.await;
        Had
    };
    waits(operation, serve, nothing_lost)
}
