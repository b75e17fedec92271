//! Channels of all kinds: their ends, what waits at them, what they answer.

use std::time::Duration;

use goro::cancel::CancellationToken;
use goro::channel::{self, Overflow};
use goro::{broadcast, oneshot, request, watch};

use crate::shown::{Shown, poll, waits};

const LATER: Duration = Duration::from_secs(3600);

pub(crate) fn bounded(shown: &mut Shown) {
    let (tx, rx) = channel::bounded::<u8>(1);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    shown.add("channel::Sender", "empty", &tx);
    shown.add("channel::Receiver", "empty", &rx);
    tx.try_send(7).unwrap();
    shown.add("channel::Sender", "full", &tx);
    shown.add("channel::Receiver", "full", &rx);
    tx.close();
    shown.add("channel::Sender", "closed and full", &tx);
    shown.add("channel::Receiver", "closed and full", &rx);
    assert_eq!(rx.try_recv(), Ok(7));
    shown.add("channel::Sender", "closed and empty", &tx);
    shown.add("channel::WeakSender", "there", &weak_tx);
    shown.add("channel::WeakReceiver", "there", &weak_rx);
    drop((tx, rx));
    shown.add("channel::WeakSender", "gone", &weak_tx);
    shown.add("channel::WeakReceiver", "gone", &weak_rx);
    let (zero, _rx) = channel::bounded::<u8>(0);
    shown.add("channel::Sender", "rendezvous", &zero);
    let (none, _rx) = channel::unbounded::<u8>();
    shown.add("channel::Sender", "unbounded", &none);
    let named = channel::Builder::new().name("orders");
    shown.add("channel::Builder", "plain", &channel::Builder::<u8>::new());
    shown.add("channel::Builder", "named", &named);
    let (orders, _rx) = named.bounded(3) as (channel::Sender<u8>, _);
    shown.add("channel::Sender", "named", &orders);
    shown.add("channel::Overflow", "wait", &Overflow::Wait);
    shown.add("channel::Overflow", "reject", &Overflow::Reject);
    shown.add("channel::Overflow", "drop the newest", &Overflow::DropNewest);
    shown.add("channel::Overflow", "drop the oldest", &Overflow::DropOldest);
}

pub(crate) fn waiting(shown: &mut Shown) {
    let (tx, rx) = channel::bounded::<u8>(1);
    let mut recv = rx.recv();
    shown.add("channel::RecvFuture", "not polled", &recv);
    waits(&mut recv);
    shown.add("channel::RecvFuture", "waiting", &recv);
    drop(recv);
    let mut lease = rx.recv_lease();
    waits(&mut lease);
    shown.add("channel::RecvLease", "waiting", &lease);
    drop(lease);
    let mut timed = rx.recv_timeout(LATER);
    waits(&mut timed);
    shown.add("channel::RecvTimeout", "waiting", &timed);
    drop(timed);
    let mut some = Vec::new();
    shown.add("channel::RecvMany", "not polled", &rx.recv_many(&mut some, 3));
    shown.add("channel::RecvStream", "borrowed", &rx.stream());
    shown.add("channel::ClosedFuture", "not polled", &tx.closed());
    let place = goro::block_on(tx.reserve()).unwrap();
    shown.add("channel::Permit", "held", &place);
    let mut send = tx.send(8);
    shown.add("channel::SendFuture", "not polled", &send);
    waits(&mut send);
    shown.add("channel::SendFuture", "waiting", &send);
    place.send(1).unwrap();
    drop(send);
    let mut reserve = tx.reserve();
    waits(&mut reserve);
    shown.add("channel::Reserve", "waiting", &reserve);
    drop(reserve);
    let mut send = tx.send_timeout(9, LATER);
    waits(&mut send);
    shown.add("channel::SendTimeout", "waiting", &send);
    drop(send);
    let mut many = tx.send_many([1, 2, 3]);
    shown.add("channel::SendMany", "not polled", &many);
    waits(&mut many);
    shown.add("channel::SendMany", "waiting", &many);
    drop(many);
    let mut lease = goro::block_on(rx.recv_lease()).unwrap();
    shown.add("channel::Lease", "held", &lease);
    *lease = 2;
    lease.accept();
    let mut done = tx.send(5);
    assert!(poll(&mut done).is_ready());
    shown.add("channel::SendFuture", "done", &done);
    drop(done);
    shown.add("channel::SendSink", "open", &tx.clone().into_sink());
    tx.close();
    shown.add("channel::SendSink", "closed", &tx.into_sink());
}

pub(crate) fn errors(shown: &mut Shown) {
    let (tx, rx) = channel::bounded::<u8>(1);
    shown.add("channel::TryRecvError", "empty", &rx.try_recv().unwrap_err());
    tx.try_send(1).unwrap();
    shown.add("channel::TrySendError", "full", &tx.try_send(2).unwrap_err());
    let late = rx.clone().blocking_recv_timeout(Duration::ZERO);
    assert_eq!(late, Ok(1));
    let late = rx.blocking_recv_timeout(Duration::ZERO).unwrap_err();
    shown.add("channel::RecvTimeoutError", "late", &late);
    tx.try_send(1).unwrap();
    let late = tx.blocking_send_timeout(2, Duration::ZERO).unwrap_err();
    shown.add("channel::SendTimeoutError", "late", &late);
    let place = goro::block_on(async {
        rx.try_recv().unwrap();
        tx.reserve().await.unwrap()
    });
    tx.close();
    shown.add("channel::PermitError", "closed", &place.send(3).map(|()| 0));
    shown.add("channel::TrySendError", "closed", &tx.try_send(2).unwrap_err());
    shown.add("channel::SendError", "closed", &tx.blocking_send(2).unwrap_err());
    let closed = tx.blocking_send_timeout(2, LATER).unwrap_err();
    shown.add("channel::SendTimeoutError", "closed", &closed);
    let many = goro::block_on(tx.send_many([1, 2])).unwrap_err();
    shown.add("channel::SendManyError", "closed", &many);
    let closed = goro::block_on(tx.reserve()).unwrap_err();
    shown.add("channel::Closed", "for no reason", &closed);
    shown.add("channel::Reason", "none", &closed.0);
    shown.add("channel::TryRecvError", "closed", &rx.try_recv().unwrap_err());
    shown.add("channel::RecvError", "closed", &rx.blocking_recv().unwrap_err());
    let closed = rx.blocking_recv_timeout(LATER).unwrap_err();
    shown.add("channel::RecvTimeoutError", "closed", &closed);
    let token = CancellationToken::new();
    let (tx, rx) = channel::bounded::<u8>(1);
    token.cancel_with("enough");
    let cancelled = goro::block_on(token.scope(rx.recv())).unwrap_err();
    shown.add("channel::RecvError", "cancelled", &cancelled);
    shown.add("channel::Reason", "cancelled", &cancelled.0);
    let (zero, _rx) = channel::bounded::<u8>(0);
    shown.add("channel::ForceSendError", "refused", &zero.force_send(1).unwrap_err());
    tx.close_with("out of stock");
    shown.add("channel::RecvError", "closed with a reason", &rx.blocking_recv().unwrap_err());
    shown.add("channel::ForceSendError", "closed", &tx.force_send(1).unwrap_err());
}

pub(crate) fn one_value(shown: &mut Shown) {
    let (mut tx, mut rx) = oneshot::channel::<u8>();
    shown.add("oneshot::Sender", "open", &tx);
    shown.add("oneshot::Receiver", "open", &rx);
    shown.add("oneshot::TryRecvError", "empty", &rx.try_recv().unwrap_err());
    let late = rx.blocking_recv_timeout(Duration::ZERO).unwrap_err();
    shown.add("oneshot::RecvTimeoutError", "late", &late);
    shown.add("oneshot::RecvTimeout", "not polled", &rx.recv_timeout(LATER));
    shown.add("oneshot::Closed", "not polled", &tx.closed());
    rx.close();
    shown.add("oneshot::Sender", "closed", &tx);
    shown.add("oneshot::Receiver", "closed", &rx);
    shown.add("oneshot::SendError", "closed", &tx.send(1).unwrap_err());
    shown.add("oneshot::TryRecvError", "closed", &rx.try_recv().unwrap_err());
    let closed = rx.blocking_recv_timeout(LATER).unwrap_err();
    shown.add("oneshot::RecvTimeoutError", "closed", &closed);
    shown.add("oneshot::RecvError", "closed", &rx.blocking_recv().unwrap_err());
    let (tx, rx) = oneshot::channel::<u8>();
    tx.send(1).unwrap();
    shown.add("oneshot::Receiver", "full", &rx);
    let (tx, mut rx) = watch::channel(1_u8);
    shown.add("watch::Sender", "seen", &tx);
    shown.add("watch::Receiver", "seen", &rx);
    shown.add("watch::Changed", "not polled", &rx.changed());
    shown.add("watch::WaitFor", "not polled", &rx.wait_for(|value| *value == 2));
    shown.add("watch::AllGone", "not polled", &tx.closed());
    tx.send(2).unwrap();
    shown.add("watch::Receiver", "changed", &rx);
    shown.add("watch::Seen", "held", &rx.borrow());
    let other = rx.clone();
    drop(tx);
    shown.add("watch::Receiver", "closed", &other);
    assert!(rx.blocking_changed().is_ok());
    shown.add("watch::ChangedError", "closed", &rx.blocking_changed().unwrap_err());
    shown.add("watch::Closed", "closed", &rx.has_changed().unwrap_err());
    let (tx, rx) = watch::channel(1_u8);
    drop(rx);
    shown.add("watch::Sender", "nobody receives", &tx);
    shown.add("watch::SendError", "nobody receives", &tx.send(3).unwrap_err());
}

pub(crate) fn all_values(shown: &mut Shown) {
    use broadcast::OnLag;
    let (tx, mut rx) = broadcast::channel::<u8>(1, OnLag::Wait);
    shown.add("broadcast::Sender", "empty", &tx);
    shown.add("broadcast::Receiver", "empty", &rx);
    shown.add("broadcast::TryRecvError", "empty", &rx.try_recv().unwrap_err());
    let late = rx.blocking_recv_timeout(Duration::ZERO).unwrap_err();
    shown.add("broadcast::RecvTimeoutError", "late", &late);
    shown.add("broadcast::RecvFuture", "not polled", &rx.recv());
    shown.add("broadcast::RecvTimeout", "not polled", &rx.recv_timeout(LATER));
    tx.try_send(1).unwrap();
    shown.add("broadcast::Sender", "full", &tx);
    shown.add("broadcast::Receiver", "full", &rx);
    shown.add("broadcast::TrySendError", "full", &tx.try_send(2).unwrap_err());
    let mut send = tx.send(3);
    shown.add("broadcast::SendFuture", "not polled", &send);
    waits(&mut send);
    shown.add("broadcast::SendFuture", "waiting", &send);
    drop(send);
    shown.add("broadcast::Counts", "some", &tx.counts());
    let mut late = rx.clone();
    drop(rx);
    drop(tx);
    assert_eq!(late.try_recv(), Ok(1));
    shown.add("broadcast::Receiver", "closed", &late);
    shown.add("broadcast::TryRecvError", "closed", &late.try_recv().unwrap_err());
    shown.add("broadcast::RecvError", "closed", &late.blocking_recv().unwrap_err());
    let closed = late.blocking_recv_timeout(LATER).unwrap_err();
    shown.add("broadcast::RecvTimeoutError", "closed", &closed);
    let (tx, rx) = broadcast::channel::<u8>(1, OnLag::Skip);
    drop(rx);
    shown.add("broadcast::Sender", "nobody receives", &tx);
    shown.add("broadcast::SendError", "nobody receives", &tx.blocking_send(1).unwrap_err());
    shown.add("broadcast::TrySendError", "nobody receives", &tx.try_send(1).unwrap_err());
    for (on_lag, state) in [(OnLag::Skip, "lagged"), (OnLag::Disconnect, "disconnected")] {
        let (tx, mut rx) = broadcast::channel::<u8>(1, on_lag);
        for n in 0..4 {
            let _cut_off = tx.try_send(n);
        }
        shown.add("broadcast::RecvError", state, &rx.blocking_recv().unwrap_err());
        shown.add("broadcast::OnLag", state, &on_lag);
    }
    shown.add("broadcast::OnLag", "wait", &OnLag::Wait);
}

pub(crate) fn questions(shown: &mut Shown) {
    let (client, server) = request::channel::<u8, u8>(1);
    shown.add("request::Client", "empty", &client);
    shown.add("request::Server", "empty", &server);
    let mut call = Box::pin(client.call_timeout(1, LATER));
    waits(&mut call);
    shown.add("request::Client", "full", &client);
    shown.add("request::Server", "full", &server);
    let (_question, reply) = server.try_next().unwrap();
    shown.add("request::Reply", "wanted", &reply);
    drop(call);
    shown.add("request::Reply", "unwanted", &reply);
    shown.add("request::Unwanted", "unwanted", &reply.send(2).unwrap_err());
    let now = goro::time::now();
    shown.add("request::CallError", "late", &client.blocking_call(3, now).unwrap_err());
    drop(server);
    shown.add("request::Client", "closed", &client);
    shown.add("request::CallError", "closed", &client.blocking_call(3, now + LATER).unwrap_err());
}
