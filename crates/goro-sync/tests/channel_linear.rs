//! Histories of concurrent operations, and whether a queue could have answered so.
//!
//! Each operation is noted with when it began and when it had answered. A history is *linearizable*
//! if the operations can be put in one order, each at a moment between its two times, in which a
//! plain queue gives the same answers. The checker tries the orders, remembering where it has been;
//! a channel that is not linearizable, planted below, shows that it can say no.
//!
//! `GORO_CHANNEL_HISTORIES` says how many histories of each flavour are checked.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "used as programs use it")]

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use goro_context::random;
use goro_sync::channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};

/// What an operation answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// The value was sent; at a rendezvous by `send`, it was handed over at that moment.
    Sent(u64),
    HandedOver(u64),
    Full,
    /// Nothing was sent: the send was given up. It stood in line meanwhile.
    GaveUp,
    Received(u64),
    Empty,
}

/// An operation of a history. Others that changed nothing and said nothing are not noted.
#[derive(Clone, Copy, Debug)]
struct Event {
    began: u64,
    ended: u64,
    answer: Answer,
}

/// One thread's operations, in order.
type Thread = Vec<Event>;

/// Whether some order explains the history, for a queue with so many places.
fn is_linearizable(threads: &[Thread], capacity: usize) -> bool {
    let mut seen = HashSet::new();
    search(threads, capacity, &mut vec![0; threads.len()], &mut VecDeque::new(), &mut seen)
}

/// Where a search is: what each thread has done, and what is in the queue.
type Mark = (Vec<usize>, Vec<u64>);

fn search(
    threads: &[Thread],
    capacity: usize,
    done: &mut Vec<usize>,
    queue: &mut VecDeque<u64>,
    seen: &mut HashSet<Mark>,
) -> bool {
    let next = |thread: usize, done: &[usize]| threads[thread].get(done[thread]).copied();
    let Some(first_end) = (0..threads.len()).filter_map(|t| next(t, done)).map(|e| e.ended).min()
    else {
        return true;
    };
    if !seen.insert((done.clone(), queue.iter().copied().collect())) {
        return false;
    }
    for thread in 0..threads.len() {
        let Some(event) = next(thread, done).filter(|event| event.began <= first_end) else {
            continue;
        };
        let before = queue.clone();
        let partner = match event.answer {
            Answer::Sent(value) => {
                queue.push_back(value);
                None
            }
            // A queue with room says so, unless others are on their way in.
            Answer::Full if queue.len() < capacity && !others_send(threads, thread, &event) => {
                continue;
            }
            Answer::Empty if !queue.is_empty() => continue,
            Answer::Full | Answer::Empty | Answer::GaveUp => None,
            Answer::Received(value) if queue.front() == Some(&value) => {
                queue.pop_front();
                None
            }
            // Hand in hand with its sender.
            Answer::Received(value) if queue.is_empty() => {
                let hands = |t: &usize| {
                    next(*t, done).is_some_and(|other| {
                        other.answer == Answer::HandedOver(value) && other.began <= first_end
                    })
                };
                let Some(sender) = (0..threads.len()).find(hands) else { continue };
                Some(sender)
            }
            Answer::Received(_) | Answer::HandedOver(_) => continue,
        };
        done[thread] += 1;
        partner.into_iter().for_each(|sender| done[sender] += 1);
        if search(threads, capacity, done, queue, seen) {
            return true;
        }
        done[thread] -= 1;
        partner.into_iter().for_each(|sender| done[sender] -= 1);
        *queue = before;
    }
    false
}

/// Whether somebody else is sending meanwhile: then "full" may mean that others go first.
fn others_send(threads: &[Thread], thread: usize, event: &Event) -> bool {
    let others = threads.iter().enumerate().filter(|(other, _)| *other != thread);
    others.flat_map(|(_, events)| events).any(|other| {
        let sends =
            matches!(other.answer, Answer::Sent(_) | Answer::HandedOver(_) | Answer::GaveUp);
        sends && other.began < event.ended && event.began < other.ended
    })
}

/// What a history is made with.
trait Queue: Send + Sync + 'static {
    fn operate(&self, value: u64) -> Option<Answer>;
}

struct Channel<V>(Sender<V>, Receiver<V>);

/// A value of which two fit into each part that a channel's memory is made of: in most histories there are
/// several parts.
struct Wide(u64, [u64; 1000]);

impl From<u64> for Wide {
    fn from(value: u64) -> Self {
        Self(value, [value; 1000])
    }
}

impl From<Wide> for u64 {
    fn from(Wide(value, room): Wide) -> Self {
        assert_eq!(room, [value; 1000]);
        value
    }
}

fn poll_some<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    for _ in 0..random::below(6) {
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = Pin::new(&mut *future).poll(&mut cx) {
            return Some(output);
        }
        thread::yield_now();
    }
    None
}

impl<V: From<u64> + Into<u64> + Send + 'static> Queue for Channel<V> {
    fn operate(&self, value: u64) -> Option<Answer> {
        let Self(tx, rx) = self;
        let sent = match tx.capacity() {
            Some(0) => Answer::HandedOver(value),
            _ => Answer::Sent(value),
        };
        match random::below(4) {
            0 => match tx.try_send(value.into()) {
                Ok(()) => Some(Answer::Sent(value)),
                Err(TrySendError::Full(_)) => Some(Answer::Full),
                Err(TrySendError::Closed(..)) => panic!("nobody closes it"),
            },
            1 => match rx.try_recv() {
                Ok(value) => Some(Answer::Received(value.into())),
                Err(TryRecvError::Empty) => Some(Answer::Empty),
                Err(TryRecvError::Closed(_)) => panic!("nobody closes it"),
            },
            2 => {
                let mut send = tx.send(value.into());
                let was_sent = match poll_some(&mut send) {
                    Some(outcome) => outcome.is_ok(),
                    None => send.into_inner().is_none(),
                };
                Some(if was_sent { sent } else { Answer::GaveUp })
            }
            _ => match poll_some(&mut rx.recv()) {
                Some(received) => received.ok().map(|value| Answer::Received(value.into())),
                None => None,
            },
        }
    }
}

/// A queue in two parts that are looked at one after the other: each part is a queue, and the whole
/// is none.
struct Planted([Mutex<VecDeque<u64>>; 2]);

impl Queue for Planted {
    fn operate(&self, value: u64) -> Option<Answer> {
        if random::below(2) == 0 {
            let part = &self.0[random::below(2) as usize];
            part.lock().unwrap().push_back(value);
            return Some(Answer::Sent(value));
        }
        let first = self.0[0].lock().unwrap().pop_front();
        thread::yield_now();
        let value = first.or_else(|| self.0[1].lock().unwrap().pop_front());
        Some(value.map_or(Answer::Empty, Answer::Received))
    }
}

fn history(queue: &Arc<impl Queue>, threads: usize, operations: usize) -> Vec<Thread> {
    let clock = Arc::new(AtomicU64::new(0));
    let start = Arc::new(Barrier::new(threads));
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            let (queue, clock, start) = (Arc::clone(queue), Arc::clone(&clock), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                let mut events = Vec::new();
                for operation in 0..operations {
                    let value = (thread * operations + operation) as u64;
                    let began = clock.fetch_add(1, Ordering::SeqCst);
                    let answer = queue.operate(value);
                    let ended = clock.fetch_add(1, Ordering::SeqCst);
                    events.extend(answer.map(|answer| Event { began, ended, answer }));
                }
                events
            })
        })
        .collect();
    running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
}

fn histories() -> usize {
    let given = std::env::var("GORO_CHANNEL_HISTORIES").ok();
    given.map_or(100, |text| text.parse().expect("GORO_CHANNEL_HISTORIES is a number"))
}

fn check<V: From<u64> + Into<u64> + Send + 'static>(capacity: usize) {
    for round in 0..histories() {
        let (tx, rx) = bounded::<V>(capacity);
        let channel = Arc::new(Channel(tx, rx));
        let (threads, operations) = [(2, 20), (4, 12), (8, 20)][round % 3];
        let history = history(&channel, threads, operations);
        assert!(is_linearizable(&history, capacity), "{history:?}");
    }
}

#[test]
fn a_rendezvous_is_linearizable() {
    check::<u64>(0);
}

#[test]
fn a_channel_with_one_place_is_linearizable() {
    check::<u64>(1);
}

#[test]
fn a_channel_with_places_is_linearizable() {
    check::<u64>(3);
}

#[test]
fn an_unbounded_channel_is_linearizable() {
    check::<u64>(usize::MAX);
}

#[test]
fn an_unbounded_channel_of_wide_values_is_linearizable() {
    check::<Wide>(usize::MAX);
}

#[test]
fn a_planted_queue_that_is_none_is_rejected() {
    let rejected = (0..500).any(|_| {
        let planted = Arc::new(Planted(Default::default()));
        !is_linearizable(&history(&planted, 4, 12), usize::MAX)
    });
    assert!(rejected, "the checker accepts everything");
}

/// The checker says no to each kind of wrong answer, and yes to the right ones.
#[test]
fn the_checker_tells_right_from_wrong() {
    let one = |answers: &[Answer]| {
        let event = |(at, &answer): (usize, &Answer)| {
            let began = 2 * at as u64;
            Event { began, ended: began + 1, answer }
        };
        vec![answers.iter().enumerate().map(event).collect::<Thread>()]
    };
    use Answer::{Empty, Full, Received, Sent};
    let cases: [(&[Answer], bool); 7] = [
        (&[Sent(1), Sent(2), Received(1), Received(2), Empty], true),
        (&[Sent(1), Sent(2), Full], true),
        (&[Sent(1), Sent(2), Received(2)], false),
        (&[Sent(1), Empty], false),
        (&[Sent(1), Received(1), Received(1)], false),
        (&[Received(1), Sent(1)], false),
        (&[Sent(1), Full], false),
    ];
    for (answers, right) in cases {
        assert_eq!(is_linearizable(&one(answers), 2), right, "{answers:?}");
    }
}
