//! Any sequence of operations against a model of what a channel is: a queue, and values that are
//! each in one place.
//!
//! One thread, so that every step can be judged; futures are polled, kept and dropped at random.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::collections::{BTreeMap, VecDeque};
use std::task::Wake;

use goro_shim::global::{Arc, AtomicUsize, Ordering};
#[cfg(test)]
use proptest::prelude::*;

use super::*;

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    InFuture,
    InChannel,
    Received,
    Returned,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A future that was begun, how often it was woken, and how often that was seen.
struct Guest<F> {
    future: F,
    value: u64,
    wakes: Arc<Wakes>,
    seen: usize,
    polled: bool,
}

impl<F: Future + Unpin> Guest<F> {
    fn new(future: F, value: u64) -> Self {
        Self { future, value, wakes: Arc::default(), seen: 0, polled: false }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        self.seen = self.wakes.0.load(Ordering::Acquire);
        self.polled = true;
        let waker = Waker::from(Arc::clone(&self.wakes));
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }

    fn was_called(&self) -> bool {
        self.wakes.0.load(Ordering::Acquire) > self.seen
    }
}

fn called<F: Future + Unpin>(guests: &[Guest<F>]) -> usize {
    guests.iter().filter(|guest| guest.was_called()).count()
}

struct World<'a> {
    tx: &'a Sender<u64>,
    rx: &'a Receiver<u64>,
    capacity: usize,
    sends: Vec<Guest<SendFuture<'a, u64>>>,
    recvs: Vec<Guest<RecvFuture<'a, u64>>>,
    reserves: Vec<Guest<Reserve<'a, u64>>>,
    permits: Vec<Permit<'a, u64>>,
    fates: BTreeMap<u64, Fate>,
    queue: VecDeque<u64>,
    /// At a rendezvous: the values in line.
    offered: VecDeque<u64>,
    closed: bool,
    next: u64,
}

impl<'a> World<'a> {
    fn new(tx: &'a Sender<u64>, rx: &'a Receiver<u64>, capacity: usize) -> Self {
        Self {
            tx,
            rx,
            capacity,
            sends: Vec::new(),
            recvs: Vec::new(),
            reserves: Vec::new(),
            permits: Vec::new(),
            fates: BTreeMap::new(),
            queue: VecDeque::new(),
            offered: VecDeque::new(),
            closed: false,
            next: 0,
        }
    }

    fn value(&mut self) -> u64 {
        self.next += 1;
        self.fates.insert(self.next, Fate::InFuture);
        self.next
    }

    fn becomes(&mut self, value: u64, from: &[Fate], to: Fate) {
        let fate = self.fates.insert(value, to).expect("a value that was made");
        assert!(from.contains(&fate), "{value}: {fate:?} -> {to:?}");
    }

    fn entered(&mut self, value: u64) {
        self.becomes(value, &[Fate::InFuture], Fate::InChannel);
        self.queue.push_back(value);
    }

    fn returned(&mut self, value: u64) {
        self.becomes(value, &[Fate::InFuture], Fate::Returned);
        self.offered.retain(|&other| other != value);
    }

    fn received(&mut self, value: u64) {
        self.becomes(value, &[Fate::InChannel, Fate::InFuture], Fate::Received);
        let first = self.queue.pop_front().or_else(|| self.offered.pop_front());
        assert_eq!(first, Some(value), "first in, first out");
    }

    fn poll_send(&mut self, at: usize) {
        let room = self.tx.channel.lock().free() > 0;
        let guest = &mut self.sends[at];
        let value = guest.value;
        let first = !guest.polled;
        match guest.poll() {
            Poll::Pending if first && self.capacity == 0 => self.offered.push_back(value),
            Poll::Pending => {}
            Poll::Ready(Ok(())) => {
                self.sends.remove(at);
                match self.capacity {
                    0 => assert_eq!(self.fates[&value], Fate::Received),
                    _ => {
                        assert!(room, "the place is free, and nobody's permit");
                        self.entered(value);
                    }
                }
            }
            Poll::Ready(Err(error)) => {
                self.sends.remove(at);
                assert!(self.closed);
                assert_eq!(error.into_inner(), value);
                self.returned(value);
            }
        }
    }

    fn drop_send(&mut self, at: usize) {
        let guest = self.sends.remove(at);
        match guest.future.into_inner() {
            Some(value) => {
                assert_eq!(value, guest.value);
                self.returned(value);
            }
            None => {
                assert_eq!((self.capacity, self.fates[&guest.value]), (0, Fate::Received));
            }
        }
    }

    fn poll_recv(&mut self, at: usize) {
        match self.recvs[at].poll() {
            Poll::Pending => assert!(self.queue.is_empty() && self.offered.is_empty()),
            Poll::Ready(outcome) => {
                self.recvs.remove(at);
                match outcome {
                    Ok(value) => self.received(value),
                    Err(_) => assert!(self.closed && self.queue.is_empty()),
                }
            }
        }
    }

    fn try_both(&mut self, send: bool) {
        if !send {
            match self.rx.try_recv() {
                Ok(value) => self.received(value),
                Err(error) => {
                    assert!(self.queue.is_empty() && self.offered.is_empty());
                    assert_eq!(matches!(error, TryRecvError::Closed(_)), self.closed);
                }
            }
            return;
        }
        let value = self.value();
        match self.tx.try_send(value) {
            Ok(()) => self.entered(value),
            Err(error) => {
                assert_eq!(matches!(error, TrySendError::Closed(..)), self.closed);
                assert_eq!(error.into_inner(), value);
                self.returned(value);
            }
        }
    }

    fn force(&mut self) {
        let value = self.value();
        match self.tx.force_send(value) {
            Ok(oldest) => {
                self.entered(value);
                if let Some(oldest) = oldest {
                    assert_eq!(self.queue.pop_front(), Some(oldest));
                    self.becomes(oldest, &[Fate::InChannel], Fate::Returned);
                }
            }
            Err(error) => {
                let closed = matches!(error, ForceSendError::Closed(..));
                assert!(closed == self.closed && (closed || self.capacity == 0));
                self.returned(error.into_inner());
            }
        }
    }

    fn use_permit(&mut self, at: usize) {
        let permit = self.permits.remove(at);
        let value = self.value();
        match permit.send(value) {
            Ok(()) => self.entered(value),
            Err(error) => {
                assert!(self.closed || self.capacity == 0);
                self.returned(error.into_inner());
            }
        }
    }

    fn poll_reserve(&mut self, at: usize) {
        if let Poll::Ready(outcome) = self.reserves[at].poll() {
            self.reserves.remove(at);
            assert_eq!(outcome.is_err(), self.closed);
            self.permits.extend(outcome);
        }
    }

    fn step(&mut self, kind: u8, which: usize) {
        let among = |len: usize| (len > 0).then(|| which % len);
        match kind {
            0 => {
                let value = self.value();
                self.sends.push(Guest::new(self.tx.send(value), value));
            }
            1 => self.recvs.push(Guest::new(self.rx.recv(), 0)),
            2 | 3 => among(self.sends.len()).into_iter().for_each(|at| self.poll_send(at)),
            4 | 5 => among(self.recvs.len()).into_iter().for_each(|at| self.poll_recv(at)),
            6 => among(self.sends.len()).into_iter().for_each(|at| self.drop_send(at)),
            7 => drop(among(self.recvs.len()).map(|at| self.recvs.remove(at))),
            8 => self.try_both(which % 2 == 0),
            9 => match which % 3 {
                0 => self.reserves.push(Guest::new(self.tx.reserve(), 0)),
                1 => drop(among(self.reserves.len()).map(|at| self.reserves.remove(at))),
                _ => self.force(),
            },
            10 => among(self.reserves.len()).into_iter().for_each(|at| self.poll_reserve(at)),
            11 => match among(self.permits.len()) {
                Some(at) if which % 3 > 0 => self.use_permit(at),
                Some(at) => drop(self.permits.remove(at)),
                None => {}
            },
            _ if which % 16 == 0 => {
                assert_eq!(self.rx.close(), !self.closed);
                self.closed = true;
            }
            _ => {}
        }
    }

    /// Nobody who waits has been forgotten.
    fn check(&self) {
        let state = self.tx.channel.lock();
        let (rx, tx) = (&state.rx, &state.tx);
        assert_eq!(state.len(), self.queue.len());
        assert_eq!(self.tx.channel.seems_idle(), state.has_nothing());
        assert!(rx.turned() <= state.available() && rx.turned() <= called(&self.recvs));
        assert!(tx.turned() <= called(&self.sends) + called(&self.reserves));
        if !self.closed {
            assert!(rx.waiting() == 0 || rx.turned() >= state.available());
            assert!(tx.waiting() == 0 || tx.turned() >= state.free());
            // Who found nothing looks again while there are others to be called.
            assert!(
                rx.waiting() == 0
                    || state.available() > 0
                    || !state.has_room_for_those_in_line()
                    || called(&self.recvs) > 0
            );
        }
        drop(state);
        assert!(self.tx.len() <= self.capacity);
    }

    /// Everybody who was called comes, until nobody is; then nobody may be left who could go.
    fn run_down(&mut self) {
        while called(&self.sends) + called(&self.recvs) + called(&self.reserves) > 0 {
            if let Some(at) = self.recvs.iter().position(Guest::was_called) {
                self.poll_recv(at);
            }
            if let Some(at) = self.sends.iter().position(Guest::was_called) {
                self.poll_send(at);
            }
            if let Some(at) = self.reserves.iter().position(Guest::was_called) {
                self.poll_reserve(at);
            }
            self.check();
        }
        let waiting = |polled: bool, called: bool| polled && !called;
        let recvs = self.recvs.iter().any(|guest| waiting(guest.polled, guest.was_called()));
        let sends = self.sends.iter().any(|guest| waiting(guest.polled, guest.was_called()));
        if self.closed {
            assert!(!recvs && !sends, "the end was told to all");
        }
        if recvs {
            assert!(self.queue.is_empty() && self.offered.is_empty());
            assert!(!sends || !self.permits.is_empty());
        }
        if sends && self.permits.is_empty() {
            assert!(self.capacity == 0 || self.queue.len() >= self.capacity);
        }
    }

    fn end(mut self) {
        self.run_down();
        self.permits.clear();
        self.run_down();
        self.reserves.clear();
        self.permits.clear();
        self.recvs.clear();
        while !self.sends.is_empty() {
            self.drop_send(0);
        }
        self.check();
        while let Ok(value) = self.rx.try_recv() {
            self.received(value);
        }
        let open: Vec<_> = self
            .fates
            .iter()
            .filter(|(_, fate)| matches!(fate, Fate::InFuture | Fate::InChannel))
            .collect();
        assert!(open.is_empty(), "{open:?}");
        let state = self.tx.channel.lock();
        assert_eq!((state.rx.waiting(), state.tx.waiting(), state.reserved), (0, 0, 0));
        assert_eq!((state.rx.turned(), state.tx.turned()), (0, 0));
    }
}

fn run(capacity: usize, steps: &[(u8, usize)]) {
    let (tx, rx) = match capacity {
        usize::MAX => unbounded(),
        capacity => bounded(capacity),
    };
    let mut world = World::new(&tx, &rx, capacity);
    for &(kind, which) in steps {
        world.step(kind, which);
        world.check();
    }
    world.end();
}

#[cfg(test)]
fn steps() -> impl Strategy<Value = Vec<(u8, usize)>> {
    prop::collection::vec((0..13_u8, 0..1000_usize), 1..120)
}

/// A run as `bytes` have it, of one of the flavours.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let mut from = arbitrary::Unstructured::new(bytes);
    let Ok(capacity) = from.choose(&[0, 1, 3, usize::MAX]) else { return };
    let draw = |from: &mut arbitrary::Unstructured<'_>| {
        Ok((from.int_in_range(0..=12)?, usize::from(from.arbitrary::<u8>()?)))
    };
    run(*capacity, &crate::fuzzing::steps(&mut from, draw));
}

#[cfg(test)]
proptest! {
    #[test]
    fn a_rendezvous_is_what_its_model_is(steps in steps()) {
        run(0, &steps);
    }

    #[test]
    fn a_channel_with_one_place_is_what_its_model_is(steps in steps()) {
        run(1, &steps);
    }

    #[test]
    fn a_channel_with_places_is_what_its_model_is(steps in steps()) {
        run(3, &steps);
    }

    #[test]
    fn an_unbounded_channel_is_what_its_model_is(steps in steps()) {
        run(usize::MAX, &steps);
    }
}
