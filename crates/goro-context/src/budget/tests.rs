use core::task::Waker;

use super::*;
use crate::note::WaitNote;
use crate::task::{CurrentTask, TaskId};
use crate::testing::Wakes;

fn in_a_task<R>(f: impl FnOnce() -> R) -> R {
    let _scope = task::enter(CurrentTask { id: TaskId::next(), kind: crate::Kind::OTHER });
    f()
}

fn spend_keeping(cx: &mut Context<'_>) -> bool {
    poll_spend(cx).map(drop).is_ready()
}

/// Pitfalls 124, 125: what is always ready lets others run after `LIMIT` operations.
#[test]
fn the_operation_after_the_last_unit_yields_with_a_wake_and_a_note() {
    let wakes = Wakes::new();
    let waker = wakes.waker();
    let mut cx = Context::from_waker(&waker);
    in_a_task(|| {
        reset();
        let ready = (0..10 * LIMIT).take_while(|_| spend_keeping(&mut cx)).count();
        assert_eq!(ready, LIMIT as usize);
        assert_eq!(wakes.count(), 1);
        assert_eq!(note::take(), WaitNote { op: Op::Yield, object: 0 });
        assert_eq!(remaining(), 0);
        reset();
        assert!(spend_keeping(&mut cx));
        assert_eq!(remaining(), LIMIT - 1);
    });
    reset();
}

#[test]
fn what_was_not_ready_pays_nothing() {
    let mut cx = Context::from_waker(Waker::noop());
    in_a_task(|| {
        reset();
        for _ in 0..10 * LIMIT {
            let Poll::Ready(spent) = poll_spend(&mut cx) else { panic!("a refund was lost") };
            spent.refund();
        }
        assert_eq!(remaining(), LIMIT);
    });
}

#[test]
fn without_a_task_nothing_is_ever_pending() {
    let wakes = Wakes::new();
    let waker = wakes.waker();
    let mut cx = Context::from_waker(&waker);
    reset();
    assert!((0..10 * LIMIT).all(|_| spend_keeping(&mut cx)));
    let Poll::Ready(spent) = poll_spend(&mut cx) else { panic!("pending on a plain thread") };
    spent.refund();
    assert_eq!(remaining(), 0, "what was free is not refunded");
    assert_eq!(wakes.count(), 0);
    reset();
}

#[test]
fn a_nested_budget_is_its_own_and_ends_with_a_panic_too() {
    reset();
    with(3, || {
        assert_eq!(remaining(), 3);
        let unwound = std::panic::catch_unwind(|| {
            with(1, || {
                let mut cx = Context::from_waker(Waker::noop());
                in_a_task(|| {
                    assert!(spend_keeping(&mut cx));
                    assert!(!spend_keeping(&mut cx));
                });
                std::panic::resume_unwind(Box::new(()));
            })
        });
        assert!(unwound.is_err());
        assert_eq!(remaining(), 3);
    });
    assert_eq!(remaining(), LIMIT);
}

#[test]
fn the_unconstrained_neither_yield_nor_pay() {
    in_a_task(|| {
        with(2, || {
            let mut rounds = 0;
            let greedy = poll_fn(|cx| {
                while rounds < 10 * LIMIT {
                    let Poll::Ready(spent) = poll_spend(cx) else { return Poll::Pending };
                    if rounds % 2 == 0 {
                        spent.refund();
                    }
                    rounds += 1;
                }
                assert_eq!(remaining(), UNLIMITED);
                Poll::Ready(7)
            });
            let mut future = pin!(unconstrained(greedy));
            let mut cx = Context::from_waker(Waker::noop());
            assert_eq!(future.as_mut().poll(&mut cx), Poll::Ready(7));
            assert_eq!(remaining(), 2);
        });
    });
}

/// As long as the generator says, which is a lower bound: a thread sleeps no shorter.
#[test]
fn a_task_is_held_up_when_its_budget_is_spent_if_that_is_asked_for() {
    let _task = task::enter(CurrentTask { id: TaskId::next(), kind: crate::Kind::OTHER });
    let mut cx = Context::from_waker(Waker::noop());
    let spent = |cx: &mut Context<'_>| with(0, || poll_spend(cx).is_pending());
    hold_up(Duration::from_millis(4));
    random::seed(9);
    let due: u32 = (0..10).map(|_| random::below(4_000_000)).sum();
    random::seed(9);
    let before = goro_shim::time::now();
    assert!((0..10).all(|_| spent(&mut cx)));
    assert!(goro_shim::time::now() - before >= Duration::from_nanos(due.into()));
    hold_up(Duration::ZERO);
    random::seed(9);
    let first = random::next();
    random::seed(9);
    assert!(spent(&mut cx));
    assert_eq!(random::next(), first, "nothing is drawn when nobody is held up");
}
