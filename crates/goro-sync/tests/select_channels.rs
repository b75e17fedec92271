//! `select!` over channels: what is sent and received when an arm wins, and nothing when it loses.
//!
//! The cases of Go's own tests of select (`runtime/chan_test.go`, `test/chan/select*.go`) are told
//! again here, as far as they have a counterpart.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use goro_sync::channel::{Receiver, Sender, bounded, unbounded};
use goro_sync::select;

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct Counting(AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Go: a select with a default receives what is there, and nothing else.
#[test]
fn default_receives_what_is_there() {
    let (sender, receiver) = bounded(1);
    let take = || {
        block_on(async {
            select! {
                item = receiver.recv() => item.ok(),
                default => None,
            }
        })
    };
    assert_eq!(take(), None);
    sender.try_send(7).unwrap();
    assert_eq!((take(), take()), (Some(7), None));
}

/// Go: a select with a default sends where there is a place, and the value stays where it was if not.
#[test]
fn default_sends_where_there_is_a_place() {
    let (sender, receiver) = bounded(1);
    let mut kept = vec!["first", "second"];
    let mut offer = || {
        block_on(async {
            select! {
                permit = sender.reserve() => {
                    let value = kept.remove(0);
                    permit.unwrap().send(value).unwrap();
                    kept.len()
                }
                default => kept.len(),
            }
        })
    };
    assert_eq!((offer(), offer()), (1, 1));
    assert_eq!(receiver.try_recv(), Ok("first"));
    assert_eq!(offer(), 0);
}

/// Go: closed channels are ready, for senders and for receivers (TestSelectStackAdjust's relatives).
#[test]
fn a_closed_channel_is_ready_on_both_sides() {
    let (sender, receiver) = bounded::<u32>(1);
    sender.try_send(1).unwrap();
    sender.close();
    block_on(async {
        let first = select! { item = receiver.recv() => item, () = pending() => unreachable!() };
        assert_eq!(first, Ok(1));
        let then = select! { item = receiver.recv() => item, () = pending() => unreachable!() };
        assert!(then.is_err());
        let permit = select! { permit = sender.reserve() => permit.is_ok(), default => true };
        assert!(!permit);
    });
}

/// Go: nil channels, whose arms are never ready (`test/chan/nilptr` and `select3.go`).
#[test]
fn an_arm_without_a_channel_is_never_ready() {
    let (sender, receiver) = bounded(1);
    let absent: Option<Receiver<u32>> = None;
    sender.try_send(5).unwrap();
    for _ in 0..100 {
        let item = block_on(async {
            select! {
                item = absent.as_ref().unwrap().recv(), if absent.is_some() => item,
                item = receiver.recv() => item,
            }
        });
        assert_eq!(item, Ok(5));
        sender.try_send(5).unwrap();
    }
}

/// Pitfall 100, and Go's select4/select6: two selects meet at a rendezvous, one sending and one
/// receiving, whoever of them comes first and however they are polled.
#[test]
fn two_selects_meet_at_a_rendezvous() {
    for receiver_first in [false, true] {
        let (sender, receiver) = bounded(0);
        let mut sending = Box::pin(async {
            select! {
                permit = sender.reserve() => permit.unwrap().send(3).is_ok(),
                () = pending() => unreachable!(),
            }
        });
        let mut receiving = Box::pin(async {
            select! {
                item = receiver.recv() => item,
                () = pending() => unreachable!(),
            }
        });
        let (mut sent, mut item) = (Poll::Pending, Poll::Pending);
        for round in 0..8 {
            if (round % 2 == 0) == receiver_first {
                if item.is_pending() {
                    item = poll_once(&mut receiving);
                }
            } else if sent.is_pending() {
                sent = poll_once(&mut sending);
            }
        }
        assert_eq!((sent, item), (Poll::Ready(true), Poll::Ready(Ok(3))));
    }
}

/// Pitfall 100: a select of receivers that are all disconnected ends, by `else`.
#[test]
fn a_select_of_ends_that_are_all_gone_ends() {
    let (ends, receivers): (Vec<_>, Vec<_>) = (0..3).map(|_| bounded::<u32>(1)).unzip();
    drop(ends);
    let outcome = block_on(async {
        select! {
            Ok(item) = receivers[0].recv() => Some(item),
            Ok(item) = receivers[1].recv() => Some(item),
            Ok(item) = receivers[2].recv() => Some(item),
            else => None,
        }
    });
    assert_eq!(outcome, None);
}

/// Pitfall 103: a select that was called by one channel, and takes from another, passes the call on.
#[test]
fn a_loser_that_was_called_calls_the_next() {
    let (a, from_a) = bounded(1);
    let (b, from_b) = bounded(1);
    let mut select = Box::pin(async {
        select! {
            biased;
            item = from_b.recv() => item,
            item = from_a.recv() => item,
        }
    });
    assert!(poll_once(&mut select).is_pending());
    // Somebody stands in line at `a`, behind the select.
    let woken = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut next = pin!(from_a.recv());
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    a.try_send(1).unwrap(); // calls the select
    b.try_send(2).unwrap();
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    assert_eq!(poll_once(&mut select), Poll::Ready(Ok(2)));
    drop(select);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "nobody came for what stands in `a`");
    assert_eq!(poll_once(&mut next), Poll::Ready(Ok(1)));
}

/// Pitfall 103 on the sending side: a permit that a loser had goes to the next.
#[test]
fn a_loser_that_was_called_to_send_calls_the_next() {
    let (sender, receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let (other, from_other) = bounded(1);
    let mut select = Box::pin(async {
        select! {
            biased;
            item = from_other.recv() => item.is_ok(),
            _ = sender.reserve() => unreachable!(),
        }
    });
    assert!(poll_once(&mut select).is_pending());
    let woken = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut next = pin!(sender.send(1));
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    other.try_send(()).unwrap();
    assert_eq!(poll_once(&mut select), Poll::Ready(true));
    drop(select);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(poll_once(&mut next).is_ready());
}

/// Pitfall 102: a close that meets a select which is about to go, or has gone, wakes nobody who is
/// not there.
#[test]
fn a_close_meets_selects_that_come_and_go() {
    for _ in 0..200 {
        let (sender, receiver) = unbounded::<u32>();
        let closing = thread::spawn(move || drop(sender));
        let ended = block_on(async {
            loop {
                select! {
                    item = receiver.recv() => break item.is_err(),
                    default => {
                        let lost = select! {
                            biased;
                            () = std::future::ready(()) => true,
                            _ = receiver.recv() => unreachable!(),
                        };
                        assert!(lost);
                        std::thread::yield_now();
                    }
                }
            }
        });
        assert!(ended);
        closing.join().unwrap();
    }
}

/// Pitfall 84 for selects: an arm that loses has received nothing, however the select was woken.
#[test]
fn nothing_is_lost_and_nothing_doubled_by_selects_that_compete() {
    const ITEMS: usize = 20_000;
    let channels: Vec<(Sender<usize>, Receiver<usize>)> = (0..3).map(|n| bounded(n + 1)).collect();
    let feeders: Vec<_> = (0..3)
        .map(|n| {
            let sender = channels[n].0.clone();
            thread::spawn(move || {
                (0..ITEMS).for_each(|item| sender.blocking_send(item * 3 + n).unwrap());
            })
        })
        .collect();
    let takers: Vec<_> = (0..3)
        .map(|_| {
            let receivers: Vec<_> = channels.iter().map(|(_, receiver)| receiver.clone()).collect();
            thread::spawn(move || block_on(take_all(&receivers)))
        })
        .collect();
    drop(channels);
    feeders.into_iter().for_each(|feeder| feeder.join().unwrap());
    let mut all: Vec<usize> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..3 * ITEMS));
}

async fn take_all(receivers: &[Receiver<usize>]) -> Vec<usize> {
    let mut taken = Vec::new();
    loop {
        select! {
            Ok(item) = receivers[0].recv() => taken.push(item),
            Ok(item) = receivers[1].recv() => taken.push(item),
            Ok(item) = receivers[2].recv() => taken.push(item),
            else => return taken,
        }
    }
}

/// Go's TestSelectFairness and TestSelectDuplicateChannel: of a channel that is always ready and one
/// that stands in the select twice, both come through.
#[test]
fn a_busy_channel_does_not_hide_another() {
    let (busy, from_busy) = unbounded();
    let (rare, from_rare) = unbounded();
    for n in 0..10_000 {
        busy.try_send(n).unwrap();
    }
    rare.try_send(()).unwrap();
    let rounds = block_on(async {
        let mut rounds = 0;
        loop {
            rounds += 1;
            select! {
                item = from_busy.recv() => drop(item),
                item = from_busy.recv() => drop(item),
                item = from_rare.recv() => { item.unwrap(); break rounds }
            }
        }
    });
    assert!(rounds < 100, "it came after {rounds} rounds, where 3 are to be expected");
}

/// Go's doubleselect.go: a value is never received twice by a select that could receive it by either
/// of two arms.
#[test]
fn four_channels_one_value_each_one_arm_each() {
    let ends: Vec<_> = (0..4).map(|_| bounded(0)).collect();
    let (all, merged) = unbounded();
    let sending: Vec<_> = ends
        .iter()
        .map(|(sender, _)| {
            let sender = sender.clone();
            thread::spawn(move || (0..2_000_u32).for_each(|n| sender.blocking_send(n).unwrap()))
        })
        .collect();
    let receivers: Vec<_> = ends.into_iter().map(|(_, receiver)| receiver).collect();
    let receiving = thread::spawn(move || {
        block_on(async move {
            let mut next = [0_u32; 4];
            loop {
                let (arm, item) = select! {
                    Ok(item) = receivers[0].recv() => (0, item),
                    Ok(item) = receivers[1].recv() => (1, item),
                    Ok(item) = receivers[2].recv() => (2, item),
                    Ok(item) = receivers[3].recv() => (3, item),
                    else => break,
                };
                assert_eq!(item, next[arm], "out of order, twice, or lost");
                next[arm] += 1;
            }
            all.try_send(next).unwrap();
        });
    });
    sending.into_iter().for_each(|sender| sender.join().unwrap());
    receiving.join().unwrap();
    assert_eq!(merged.try_recv(), Ok([2_000; 4]));
}

/// Pitfall 126: between the receiving and the use there is no place where an item could be dropped.
#[test]
fn a_worker_that_is_cancelled_between_two_items_has_all_it_took() {
    let (sender, receiver) = unbounded();
    (0..100).for_each(|n| sender.try_send(n).unwrap());
    drop(sender);
    let mut stored = Vec::new();
    loop {
        // A worker that looks for a reason to stop at every step, and is begun again.
        let mut worker = Box::pin(async {
            loop {
                select! {
                    item = receiver.recv() => match item {
                        Ok(item) => stored.push(item),
                        Err(_) => return true,
                    },
                    default => return false,
                }
                pending::<()>().await;
            }
        });
        if poll_once(&mut worker) == Poll::Ready(true) {
            break;
        }
    }
    assert!(stored.iter().copied().eq(0..100));
}

#[test]
fn a_timeout_gives_up_on_all_arms_and_leaves_them_as_they_were() {
    let (sender, receiver) = bounded(1);
    let outcome = block_on(async {
        select! {
            strict;
            item = receiver.recv() => item.ok(),
            timeout(Duration::from_millis(2)) => None,
        }
    });
    assert_eq!(outcome, None);
    sender.try_send(4).unwrap();
    assert_eq!(receiver.try_recv(), Ok(4));
}
