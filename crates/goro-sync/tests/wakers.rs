//! Wakers that use what they wait for: whichever of their functions is called, no lock is held then
//! (pitfall 111), or it would be waited for for ever.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::ptr::without_provenance;
use std::rc::Rc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

use goro_sync::broadcast::OnLag;
use goro_sync::{broadcast, channel, oneshot, watch};

thread_local! {
    /// What a waker does when it is cloned, woken or dropped, and how often it has been cloned.
    static LOOK: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
    static CLONES: Cell<u32> = const { Cell::new(0) };
}

fn look(_: *const ()) {
    let look = LOOK.with(|look| look.borrow().clone());
    if let Some(look) = look {
        look();
    }
}

fn clone(number: *const ()) -> RawWaker {
    CLONES.with(|clones| clones.set(clones.get() + 1));
    look(number);
    RawWaker::new(number, &TABLE)
}

const TABLE: RawWakerVTable = RawWakerVTable::new(clone, look, look, look);

/// Waker `number`, which wakes nobody.
fn waker(number: usize) -> Waker {
    // SAFETY: the data is a number, and the table's functions use nothing else from here.
    unsafe { Waker::from_raw(RawWaker::new(without_provenance(number), &TABLE)) }
}

fn poll<F: Future + Unpin>(future: &mut F, number: usize) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(&waker(number)))
}

/// Waits with one waker, then with another; `serve` lets it go on.
fn check_waits<F: Future + Unpin>(
    mut future: F,
    looks: impl Fn() + 'static,
    serve: impl FnOnce(),
) -> F::Output {
    LOOK.set(Some(Rc::new(looks)));
    let before = CLONES.get();
    assert!(poll(&mut future, 1).is_pending());
    assert!(poll(&mut future, 2).is_pending());
    serve();
    let Poll::Ready(output) = poll(&mut future, 3) else { panic!("it was served") };
    assert!(CLONES.get() >= before + 2, "both wakers were kept");
    LOOK.set(None);
    output
}

/// As above, but it is dropped instead.
fn check_gives_up<F: Future + Unpin>(mut future: F, looks: impl Fn() + 'static) {
    LOOK.set(Some(Rc::new(looks)));
    let before = CLONES.get();
    assert!(poll(&mut future, 1).is_pending());
    assert!(poll(&mut future, 2).is_pending());
    drop(future);
    assert!(CLONES.get() >= before + 2, "both wakers were kept");
    LOOK.set(None);
}

#[test]
fn a_receiver_and_a_sender_of_a_channel() {
    let (tx, rx) = channel::bounded(1);
    let looks = rx.clone();
    let looks = move || assert!(looks.len() <= 1);
    check_gives_up(rx.recv(), looks.clone());
    assert_eq!(check_waits(rx.recv(), looks.clone(), || tx.try_send(7).unwrap()), Ok(7));
    tx.try_send(8).unwrap();
    check_gives_up(tx.send(9), looks.clone());
    let sent = check_waits(tx.send(9), looks, || assert_eq!(rx.try_recv(), Ok(8)));
    assert!(sent.is_ok());
    assert_eq!(rx.try_recv(), Ok(9));
}

#[test]
fn a_sender_at_a_rendezvous_and_one_who_waits_for_the_end() {
    let (tx, rx) = channel::bounded(0);
    let looks = rx.clone();
    let looks = move || assert!(looks.is_empty());
    check_gives_up(tx.send(1), looks.clone());
    let sent = check_waits(tx.send(2), looks.clone(), || assert_eq!(rx.try_recv(), Ok(2)));
    assert!(sent.is_ok());
    check_gives_up(tx.closed(), looks.clone());
    check_waits(tx.closed(), looks, || assert!(rx.close()));
}

#[test]
fn a_receiver_that_is_served_at_its_deadline() {
    let (tx, rx) = channel::bounded(1);
    let looks = rx.clone();
    let looks = move || assert!(looks.len() <= 1);
    let received = rx.recv_timeout(Duration::from_secs(60));
    assert_eq!(check_waits(received, looks, || tx.try_send(1).unwrap()), Ok(1));
}

#[test]
fn whoever_waits_for_one_value() {
    let (tx, rx) = oneshot::channel();
    let tx = Rc::new(RefCell::new(Some(tx)));
    let looks = Rc::clone(&tx);
    let looks = move || {
        if let Ok(Some(tx)) = looks.try_borrow().as_deref() {
            assert!(!tx.is_closed());
        }
    };
    let serve = || {
        let sender = tx.borrow_mut().take();
        sender.unwrap().send(5).unwrap();
    };
    assert_eq!(check_waits(rx, looks, serve), Ok(5));
}

#[test]
fn whoever_waits_for_another_value() {
    let (tx, mut rx) = watch::channel(0);
    let looks = tx.clone();
    let looks = move || assert!(*looks.borrow() <= 1);
    check_gives_up(rx.changed(), looks.clone());
    assert!(check_waits(rx.changed(), looks, || tx.send(1).unwrap()).is_ok());
}

#[test]
fn whoever_waits_for_what_all_receive() {
    let (tx, mut rx) = broadcast::channel(1, OnLag::Wait);
    let looks = tx.clone();
    let looks = move || assert_eq!(looks.receiver_count(), 1);
    check_gives_up(rx.recv(), looks.clone());
    let sent = || assert!(tx.try_send(1).is_ok());
    assert_eq!(check_waits(rx.recv(), looks.clone(), sent), Ok(1));
    assert!(tx.try_send(2).is_ok());
    check_gives_up(tx.send(3), looks);
}
