use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Wake;

use goro_shim::atomic::AtomicU32;
use proptest::prelude::*;

use super::acquire::MOST_LOSSES;
use super::*;
use crate::testing::cases;

mod watched;

type Request<'a> = acquire::Acquire<'a, Sharing, 1>;

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Wakes {
    fn take(&self) -> u32 {
        self.0.swap(0, Ordering::AcqRel)
    }
}

fn poll<'a, M: Manner, const Q: usize>(
    acquire: &mut acquire::Acquire<'a, M, Q>,
    wakes: &Arc<Wakes>,
) -> Poll<Result<Held<'a, Q>, Closed>> {
    let waker = Waker::from(Arc::clone(wakes));
    Pin::new(acquire).poll(&mut Context::from_waker(&waker))
}

fn wakes<const N: usize>() -> [Arc<Wakes>; N] {
    core::array::from_fn(|_| Arc::default())
}

#[test]
fn giving_back_wakes_the_first_and_gives_it_nothing() {
    let permits = Permits::new(1);
    let held = permits.try_take::<1>(1).unwrap();
    let [a, b] = wakes();
    let (mut one, mut two) = (permits.acquire::<Barging, 1>(1), permits.acquire::<Barging, 1>(1));
    assert!(poll(&mut one, &a).is_pending() && poll(&mut two, &b).is_pending());
    drop(held);
    assert_eq!((a.take(), b.take(), permits.free()), (1, 0, 1));
    assert_eq!(permits.waiting(), [1, 1]);

    let got = poll(&mut one, &a);
    assert!(got.is_ready());
    assert_eq!((permits.free(), b.take()), (0, 0));
    drop(got);
    assert_eq!(b.take(), 1);
    assert!(poll(&mut two, &b).is_ready());
    assert_eq!((permits.free(), permits.waiting()), (1, [0, 0]));
}

#[test]
fn a_turn_that_is_out_spares_further_wakes() {
    let permits = Permits::new(1);
    let [a, b] = wakes();
    let held = permits.try_take::<1>(1).unwrap();
    let (mut one, mut two) = (permits.acquire::<Barging, 1>(1), permits.acquire::<Barging, 1>(1));
    assert!(poll(&mut one, &a).is_pending() && poll(&mut two, &b).is_pending());
    drop(held);
    for _ in 0..10 {
        drop(permits.try_take::<1>(1).unwrap());
    }
    assert_eq!((a.take(), b.take()), (1, 0));
    drop(one);
    assert_eq!(b.take(), 1, "the turn of one that is dropped goes to the next");
    drop(two);
    assert_eq!(permits.waiting(), [0, 0]);
}

/// Pitfall 116: who waits is passed by so often, and not once more.
#[test]
fn passing_by_is_bounded() {
    let permits = Permits::new(1);
    let [a, b] = wakes();
    let mut held = Some(permits.try_take::<1>(1).unwrap());
    let mut waits = permits.acquire::<Barging, 1>(1);
    assert!(poll(&mut waits, &a).is_pending());
    let mut passed = 0;
    loop {
        drop(held.take());
        assert_eq!(a.take(), 1);
        match permits.try_take::<1>(1) {
            Ok(barged) => held = Some(barged),
            Err(refusal) => break assert_eq!(refusal, Refusal::TooFew),
        }
        passed += 1;
        assert!(poll(&mut waits, &a).is_pending(), "it loses");
    }
    // The first one that passes is one that it meets, and does not lose against.
    assert_eq!(passed, u32::from(MOST_LOSSES));
    let mut late = permits.acquire::<Barging, 1>(1);
    assert!(poll(&mut late, &b).is_pending(), "it is free, and kept for the first in line");
    let got = poll(&mut waits, &a);
    assert!(got.is_ready());
    drop(got);
    assert_eq!(b.take(), 1);
    assert!(poll(&mut late, &b).is_ready());
}

#[test]
fn a_line_that_is_fair_is_never_passed() {
    let permits = Permits::new(1);
    let [a] = wakes();
    let held = permits.try_take::<1>(1).unwrap();
    let mut waits = permits.acquire::<Fair, 1>(1);
    assert!(poll(&mut waits, &a).is_pending());
    drop(held);
    assert_eq!(permits.try_take::<1>(1).err(), Some(Refusal::TooFew));
    assert!(poll(&mut waits, &a).is_ready());
}

/// Pitfall 115: one that is first and not polled is passed by once it is overdue, and is first again
/// when it is polled.
#[test]
fn a_turn_that_is_overdue_goes_to_the_next() {
    let permits = Permits::new(1);
    let [a, b] = wakes();
    let held = permits.try_take::<1>(1).unwrap();
    let mut stale = permits.acquire::<Fair, 1>(1);
    let mut next = permits.acquire::<Fair, 1>(1);
    assert!(poll(&mut stale, &a).is_pending() && poll(&mut next, &b).is_pending());
    drop(held);
    assert_eq!((a.take(), b.take()), (1, 0));
    permits.overdue();
    assert_eq!(b.take(), 1);
    let got = poll(&mut next, &b);
    assert!(got.is_ready());
    assert!(poll(&mut stale, &a).is_pending());
    let [c] = wakes();
    let mut third = permits.acquire::<Fair, 1>(1);
    assert!(poll(&mut third, &c).is_pending());
    drop(got);
    assert_eq!((a.take(), c.take()), (1, 0));
    assert!(poll(&mut stale, &a).is_ready());
    assert_eq!(c.take(), 1);
}

/// The same, by the watch itself, on the fallback's timer thread.
#[test]
fn the_watch_finds_what_is_overdue() {
    let permits = Permits::new(1);
    let [a] = wakes();
    let held = permits.try_take::<1>(1).unwrap();
    let (mut stale, mut other) = (permits.acquire::<Fair, 1>(1), permits.acquire::<Fair, 1>(1));
    assert!(poll(&mut stale, &a).is_pending() && poll(&mut other, &a).is_pending());
    drop(held);
    let next = crate::block::block(permits.acquire::<Fair, 1>(1));
    drop((other, stale));
    assert!(next.is_ok(), "behind two that are not polled");
}

#[test]
fn permits_add_up_for_a_big_request() {
    let permits = Permits::new(3);
    let [a] = wakes();
    let (one, two) = (permits.try_take::<1>(1).unwrap(), permits.try_take::<1>(2).unwrap());
    let mut all = permits.acquire::<Sharing, 1>(3);
    assert!(poll(&mut all, &a).is_pending());
    drop(one);
    assert_eq!((permits.free(), a.take()), (1, 0));
    assert_eq!(permits.try_take::<1>(1).err(), Some(Refusal::TooFew), "it is kept for the big one");
    drop(two);
    assert_eq!(a.take(), 1);
    let got = poll(&mut all, &a);
    assert!(matches!(&got, Poll::Ready(Ok(held)) if held.count() == 3));
    drop(got);
    drop(all);
    assert_eq!(permits.try_take::<1>(3).map(|held| held.count()).ok(), Some(3));
}

/// Pitfall 113: a big request that is dropped gives way to those that it has kept back.
#[test]
fn a_big_request_that_is_dropped_lets_others_in() {
    let permits = Permits::new(2);
    let [a, b] = wakes();
    let held = permits.try_take::<1>(1).unwrap();
    let (mut all, mut one) = (permits.acquire::<Sharing, 1>(2), permits.acquire::<Sharing, 1>(1));
    assert!(poll(&mut all, &a).is_pending() && poll(&mut one, &b).is_pending());
    drop(all);
    assert_eq!(b.take(), 1);
    assert!(poll(&mut one, &b).is_ready());
    drop(held);
    assert_eq!(permits.free(), 2);
}

#[test]
fn those_who_need_all_are_not_woken_for_less() {
    let permits = Permits::new(3);
    let [a] = wakes();
    let readers = [0; 3].map(|_| permits.try_take::<3>(1).unwrap());
    let mut writer = permits.acquire::<Sharing, 3>(3);
    assert!(poll(&mut writer, &a).is_pending());
    let mut woken = readers.map(|reader| {
        drop(reader);
        a.take()
    });
    woken.reverse();
    assert_eq!(woken, [1, 0, 0]);
    assert!(poll(&mut writer, &a).is_ready());
}

#[test]
fn closing_ends_all_waits_and_is_done_once() {
    let permits = Permits::new(0);
    let [a] = wakes();
    let mut waits = permits.acquire::<Barging, 1>(1);
    assert!(poll(&mut waits, &a).is_pending());
    assert!(permits.close() && !permits.close());
    assert_eq!(a.take(), 1);
    assert_eq!(poll(&mut waits, &a).map(Result::err), Poll::Ready(Some(Closed)));
    permits.give(1, 1);
    assert_eq!(permits.try_take::<1>(1).err(), Some(Refusal::Closed));
    assert!(permits.is_closed());
}

#[test]
fn a_waker_that_panics_leaves_the_line_as_it_should_be() {
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }
    let permits = Permits::new(1);
    let [b] = wakes();
    let held = permits.try_take::<1>(1).unwrap();
    let mut bad = permits.acquire::<Barging, 1>(1);
    let waker = Waker::from(Arc::new(Bad));
    assert!(Pin::new(&mut bad).poll(&mut Context::from_waker(&waker)).is_pending());
    let mut next = permits.acquire::<Barging, 1>(1);
    assert!(poll(&mut next, &b).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(held))).is_ok());
    drop(bad);
    assert_eq!(b.take(), 1);
    assert!(poll(&mut next, &b).is_ready());
}

/// What may be done next, by somebody of a few.
#[derive(Clone, Copy, Debug)]
enum Act {
    Come { count: usize },
    Poll(usize),
    Drop(usize),
    GiveBack(usize),
    Take(usize),
    Overdue,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1_usize..4).prop_map(|count| Act::Come { count }),
        6 => (0_usize..8).prop_map(Act::Poll),
        2 => (0_usize..8).prop_map(Act::Drop),
        4 => (0_usize..8).prop_map(Act::GiveBack),
        2 => (1_usize..4).prop_map(Act::Take),
        1 => Just(Act::Overdue),
    ]
}

struct Waits<'a> {
    future: Request<'a>,
    count: usize,
    wakes: Arc<Wakes>,
}

/// Polls one that waits; it holds its permits, or still waits.
fn step<'a>(waiting: &mut Vec<Waits<'a>>, held: &mut Vec<Held<'a>>, at: usize) {
    let waits = &mut waiting[at];
    waits.wakes.take();
    if let Poll::Ready(got) = poll(&mut waits.future, &waits.wakes) {
        let got = got.unwrap();
        assert_eq!(got.count(), waits.count);
        held.push(got);
        waiting.remove(at);
    }
}

/// Whatever is done: what is held and what is free add up; nobody gets more than there is; and when
/// only those are polled that were woken, all are served in the end.
fn conserves(acts: &[Act]) {
    const ALL: usize = 3;
    let permits = Permits::new(ALL);
    let mut waiting: Vec<Waits<'_>> = Vec::new();
    let mut held: Vec<Held<'_>> = Vec::new();
    for &act in acts {
        match act {
            Act::Come { count } => {
                let future = permits.acquire(count);
                waiting.push(Waits { future, count, wakes: Arc::default() });
                let last = waiting.len() - 1;
                step(&mut waiting, &mut held, last);
            }
            Act::Poll(at) if at < waiting.len() => step(&mut waiting, &mut held, at),
            Act::Drop(at) if at < waiting.len() => drop(waiting.remove(at)),
            Act::GiveBack(at) if at < held.len() => drop(held.remove(at)),
            Act::Take(count) => held.extend(permits.try_take(count)),
            Act::Overdue => permits.overdue(),
            Act::Poll(_) | Act::Drop(_) | Act::GiveBack(_) => {}
        }
        assert_eq!(permits.free() + held.iter().map(Held::count).sum::<usize>(), ALL);
        assert!(permits.waiting()[1] <= 1, "at most one turn is out and counts");
    }
    while !waiting.is_empty() {
        held.clear();
        let woken = waiting.iter().position(|waits| waits.wakes.0.load(Ordering::Acquire) > 0);
        let woken = woken.expect("permits are free, so somebody who waits has been woken");
        step(&mut waiting, &mut held, woken);
    }
    held.clear();
    assert_eq!((permits.free(), permits.waiting()[0]), (ALL, 0));
}

proptest! {
    #![proptest_config(cases())]

    /// Pitfalls 113, 114: no permit is lost or made up, and no turn.
    #[test]
    fn permits_are_conserved(acts in prop::collection::vec(act(), 0..60)) {
        conserves(&acts);
    }
}
