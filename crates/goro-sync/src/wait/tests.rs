use core::future::Future;
use core::pin::Pin;
use std::task::Wake;

use goro_context::time::{self, Duration, Instant};
use goro_context::{CurrentTask, Kind, TaskId, WaitNote, task};
use goro_shim::global::{Arc, AtomicUsize, Ordering};
use proptest::prelude::*;

use super::semaphore::{Acquire, Semaphore};
use super::timed::Limit;
use super::*;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// A waiter of the property test: its future, how often it was woken, how often that was seen.
struct Guest<'a> {
    acquire: Acquire<'a>,
    wakes: Arc<Wakes>,
    seen: usize,
}

impl Guest<'_> {
    fn was_called(&self) -> bool {
        self.wakes.0.load(Ordering::Acquire) > self.seen
    }
}

proptest! {
    /// Permits are neither lost nor doubled, and while one is free, either nobody waits in line or
    /// somebody who was called has yet to come.
    #[test]
    fn a_free_permit_never_stands_beside_a_line_that_nobody_calls(
        steps in prop::collection::vec((0..4_u8, 0..8_usize), 1..80),
    ) {
        let semaphore = Semaphore::new(2);
        let (mut guests, mut held): (Vec<Guest<'_>>, usize) = (Vec::new(), 0);
        for (kind, which) in steps {
            match kind {
                0 => guests.push(Guest {
                    acquire: semaphore.acquire(),
                    wakes: Arc::default(),
                    seen: 0,
                }),
                1 if !guests.is_empty() => {
                    let at = which % guests.len();
                    let guest = &mut guests[at];
                    guest.seen = guest.wakes.0.load(Ordering::Acquire);
                    let waker = Waker::from(Arc::clone(&guest.wakes));
                    if poll_with(&mut guest.acquire, &waker).is_ready() {
                        guests.swap_remove(at);
                        held += 1;
                    }
                }
                2 if !guests.is_empty() => drop(guests.swap_remove(which % guests.len())),
                3 if held > 0 => {
                    held -= 1;
                    semaphore.release();
                }
                _ => {}
            }
            let [free, waiting, turned] = semaphore.counts();
            prop_assert_eq!(free + held, 2);
            prop_assert!(turned <= guests.iter().filter(|guest| guest.was_called()).count());
            prop_assert!(
                free == 0 || waiting == 0 || guests.iter().any(Guest::was_called),
                "free {} waiting {}", free, waiting,
            );
        }
        drop(guests);
        prop_assert_eq!(semaphore.counts(), [2 - held, 0, 0]);
    }
}

#[test]
fn those_in_line_are_called_in_order() {
    let semaphore = Semaphore::new(0);
    let wakes: Vec<Arc<Wakes>> = (0..3).map(|_| Arc::default()).collect();
    let mut waiting: Vec<_> = wakes
        .iter()
        .map(|wakes| {
            let mut acquire = semaphore.acquire();
            assert!(poll_with(&mut acquire, &Waker::from(Arc::clone(wakes))).is_pending());
            acquire
        })
        .collect();
    let woken = || wakes.iter().map(|wakes| wakes.0.load(Ordering::Acquire)).collect::<Vec<_>>();
    semaphore.release();
    assert_eq!(woken(), [1, 0, 0]);
    // The first is dropped with its turn, which goes to the second.
    drop(waiting.remove(0));
    assert_eq!(woken(), [1, 1, 0]);
    // A newcomer is faster: the second waits at the front again, and is called before the third.
    assert!(poll_with(&mut semaphore.acquire(), Waker::noop()).is_ready());
    assert!(poll_with(&mut waiting[0], &Waker::from(Arc::clone(&wakes[1]))).is_pending());
    semaphore.release();
    assert_eq!(woken(), [1, 2, 0]);
}

/// Pitfall 94: a future that was called, and is kept without being polled, holds up nobody who
/// comes later.
#[test]
fn a_turn_that_is_never_used_holds_up_nobody_for_long() {
    let semaphore = Semaphore::new(0);
    let mut kept = semaphore.acquire();
    assert!(poll_with(&mut kept, Waker::noop()).is_pending());
    semaphore.release();
    assert_eq!(semaphore.counts(), [1, 0, 1]);
    assert!(poll_with(&mut semaphore.acquire(), Waker::noop()).is_ready());
    let wakes = Arc::new(Wakes::default());
    let mut other = semaphore.acquire();
    assert!(poll_with(&mut other, &Waker::from(Arc::clone(&wakes))).is_pending());
    semaphore.release();
    assert_eq!(wakes.0.load(Ordering::Acquire), 1);
    assert!(poll_with(&mut other, Waker::noop()).is_ready());
    drop(kept);
    assert_eq!(semaphore.counts(), [0, 0, 0]);
}

/// A waker whose clone, wake and drop all come back to the semaphore that it waits for.
struct Reentrant(Arc<Semaphore>);

impl Reentrant {
    fn call(&self) {
        self.0.counts();
    }
}

impl Wake for Reentrant {
    fn wake(self: Arc<Self>) {
        self.call();
    }
}

impl Drop for Reentrant {
    fn drop(&mut self) {
        self.call();
    }
}

/// Pitfall 111: user code never runs under the lock; it would wait for itself here.
#[test]
fn a_waker_may_use_what_it_waits_for() {
    let semaphore = Arc::new(Semaphore::new(0));
    let waker = || Waker::from(Arc::new(Reentrant(Arc::clone(&semaphore))));
    let mut acquire = semaphore.acquire();
    assert!(poll_with(&mut acquire, &waker()).is_pending());
    // Another waker: the former one is dropped.
    assert!(poll_with(&mut acquire, &waker()).is_pending());
    semaphore.release();
    assert!(poll_with(&mut acquire, &waker()).is_ready());
    let mut dropped = semaphore.acquire();
    assert!(poll_with(&mut dropped, &waker()).is_pending());
    drop(dropped);
    assert_eq!(semaphore.counts(), [0, 0, 0]);
}

#[test]
fn a_wait_leaves_a_note_and_costs_no_budget() {
    let semaphore = Semaphore::new(0);
    let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    budget::reset();
    let mut acquire = semaphore.acquire();
    assert!(poll_with(&mut acquire, Waker::noop()).is_pending());
    assert_eq!(note::take(), WaitNote { op: Op::Acquire, object: 0 });
    assert_eq!(budget::remaining(), budget::LIMIT);
    semaphore.release();
    assert!(poll_with(&mut acquire, Waker::noop()).is_ready());
    assert_eq!(budget::remaining(), budget::LIMIT - 1);
}

#[test]
fn what_is_always_ready_yields_when_the_budget_is_spent() {
    let semaphore = Semaphore::new(1000);
    let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    budget::reset();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let served = (0..1000).take_while(|_| poll_with(&mut semaphore.acquire(), &waker).is_ready());
    assert_eq!(served.count(), budget::LIMIT as usize);
    assert_eq!(wakes.0.load(Ordering::Acquire), 1);
}

/// Served or not is decided under the lock, by the attempt at the deadline.
#[test]
fn a_permit_that_is_there_at_the_deadline_is_taken() {
    let semaphore = Semaphore::new(0);
    let mut cx = Context::from_waker(Waker::noop());
    let mut early = Timed::at(time::now(), semaphore.acquire());
    assert_eq!(early.poll(&mut cx), Poll::Ready(Err(Elapsed)));
    assert_eq!(semaphore.counts(), [0, 0, 0]);

    let mut timed = Timed::after(Duration::from_millis(1), semaphore.acquire());
    assert!(timed.poll(&mut cx).is_pending());
    assert_eq!(note::take().op, Op::Acquire);
    while goro_shim::time::now() < deadline_of(&timed) {
        std::hint::spin_loop();
    }
    semaphore.release();
    assert_eq!(timed.poll(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(semaphore.counts(), [0, 0, 0]);
}

/// It may come as late as between the look at the clock and the last attempt.
#[test]
fn a_permit_that_comes_just_before_the_last_attempt_is_taken() {
    struct Late<'a>(Acquire<'a>, &'a Semaphore);
    impl Operation for Late<'_> {
        type Output = ();
        const OP: Op = Op::Acquire;
        fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
            if offer.is_none() {
                self.1.release();
            }
            self.0.attempt(offer)
        }
    }
    let semaphore = Semaphore::new(0);
    let mut timed = Timed::at(time::now(), Late(semaphore.acquire(), &semaphore));
    let polled = timed.poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(Ok(())));
    assert_eq!(semaphore.counts(), [0, 0, 0]);
}

fn deadline_of<O>(timed: &Timed<O>) -> Instant {
    match &timed.limit {
        Limit::At(deadline) => deadline.deadline(),
        Limit::After(_) => panic!("it has not waited yet"),
    }
}

#[test]
fn what_is_ready_reads_no_clock() {
    let semaphore = Semaphore::new(1);
    let mut timed = Timed::after(Duration::ZERO, semaphore.acquire());
    assert_eq!(timed.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())));
    assert!(matches!(timed.limit, Limit::After(_)));
}
