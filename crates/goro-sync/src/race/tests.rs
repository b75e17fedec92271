use core::cell::Cell;
use core::future::{pending, ready};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use futures::executor::block_on;
use goro_context::{CurrentTask, Kind, TaskId, budget, task};

use super::*;
use crate::select::CancelSafe;

struct Dropped<'a>(&'a Cell<u32>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

async fn keep(ready: bool, _kept: Dropped<'_>) {
    if !ready {
        pending::<()>().await;
    }
}

#[test]
fn the_first_that_is_ready_wins_and_the_race_then_holds_nothing() {
    let dropped = Cell::new(0);
    let runner = |ready| keep(ready, Dropped(&dropped));
    let mut race = pin!(race((runner(false), runner(true), runner(false))));
    let polled = race.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(OneOf3::B(())));
    assert_eq!(dropped.get(), 3);
}

#[test]
#[should_panic(expected = "a race is over")]
fn a_race_that_is_over_cannot_be_polled() {
    let mut race = pin!(race((ready(1), ready(2))));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(race.as_mut().poll(&mut cx).is_ready());
    let _never = race.poll(&mut cx);
}

#[test]
fn no_runner_is_favoured() {
    goro_context::random::seed(8);
    let mut wins = [0_u32; 8];
    for _ in 0..80_000 {
        let all = (ready(0), ready(1), ready(2), ready(3), ready(4), ready(5), ready(6), ready(7));
        match block_on(race(all)) {
            OneOf8::A(n)
            | OneOf8::B(n)
            | OneOf8::C(n)
            | OneOf8::D(n)
            | OneOf8::E(n)
            | OneOf8::F(n)
            | OneOf8::G(n)
            | OneOf8::H(n) => wins[n as usize] += 1,
        }
    }
    // Expected 10,000 each with a standard deviation of 94.
    assert!(wins.iter().all(|n| (9_400..10_600).contains(n)), "{wins:?}");
}

/// Pitfall 122: neither too early nor too late.
#[test]
fn a_failure_waits_for_the_others_and_a_success_does_not() {
    let dropped = Cell::new(0);
    let outcome = block_on(race_ok((
        async { Err("first") },
        async {
            keep(true, Dropped(&dropped)).await;
            Ok(2)
        },
        async {
            keep(false, Dropped(&dropped)).await;
            Ok(3)
        },
    )));
    assert_eq!(outcome, Ok(2));
    assert!(dropped.get() >= 1);
    let all_fail = (ready(Err::<(), _>(1)), ready(Err(2)), ready(Err(3)), ready(Err(4)));
    assert_eq!(block_on(race_ok(all_fail)), Err([1, 2, 3, 4]));
    let waits = pin!(race_ok((ready(Err::<(), _>(1)), pending()))).poll(&mut noop());
    assert!(waits.is_pending());
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn a_race_that_is_ready_at_once_pays() {
    let _turn = task::turn(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    let rounds = Cell::new(0);
    let looping = async {
        loop {
            match race_ok((ready(Err::<(), _>(())), ready(Err(())))).await {
                Ok(()) => return,
                Err(_) => rounds.set(rounds.get() + 1),
            }
            race((ready(()), pending::<()>())).await;
        }
    };
    let polled = budget::with(100, || pin!(looping).poll(&mut noop()));
    assert_eq!((polled, rounds.get()), (Poll::Pending, 50));
}

#[test]
fn a_race_of_futures_that_may_be_dropped_may_be_dropped() {
    fn may_be_dropped<F: CancelSafe + Send>(future: F) -> F {
        future
    }
    let mut kept = pin!(async { Ok::<_, ()>(1) });
    let outcome = block_on(may_be_dropped(race((ready(2), kept.as_mut()))));
    assert!(matches!(outcome, OneOf2::A(2) | OneOf2::B(Ok(1))));
    let mut kept = pin!(async { Ok::<_, ()>(1) });
    assert_eq!(block_on(may_be_dropped(race_ok((ready(Err(())), kept.as_mut())))), Ok(1));
}
