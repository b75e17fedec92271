use core::cell::Cell;

use super::*;

#[test]
fn a_sleep_counts_from_the_call_and_is_never_early() {
    let stage = Stage::new();
    let mut nap = sleep(3 * SECOND);
    stage.advance(SECOND);
    assert!(stage.poll(&mut nap).is_pending());
    assert_eq!(stage.armed(), [nap.deadline()]);
    stage.advance(2 * SECOND - NANO);
    assert!(stage.poll(&mut nap).is_pending() && !nap.is_elapsed());
    assert_eq!(stage.wakes(), 0);
    stage.advance(NANO);
    assert_eq!(stage.wakes(), 1);
    assert!(nap.is_elapsed());
    assert!(stage.poll(&mut nap).is_ready() && stage.poll(&mut nap).is_ready());
}

#[test]
fn nothing_is_registered_before_the_first_poll_or_after_the_drop() {
    let stage = Stage::new();
    let mut nap = sleep(SECOND);
    assert_eq!(stage.arms(), 0);
    assert!(stage.poll(&mut nap).is_pending());
    drop(nap);
    assert_eq!((stage.arms(), stage.armed().len()), (1, 0));
    assert!(stage.poll(sleep(Duration::ZERO)).is_ready());
    assert!(stage.poll(sleep_until(stage.now() - SECOND)).is_ready());
    assert_eq!(stage.arms(), 1);
}

/// Pitfall 131.
#[test]
fn any_duration_will_do() {
    for duration in AWKWARD {
        let stage = Stage::new();
        let mut nap = sleep(duration);
        assert_eq!(stage.poll(&mut nap).is_ready(), duration.is_zero(), "{duration:?}");
        stage.advance(duration.min(clock::FAR));
        assert!(stage.poll(&mut nap).is_ready(), "{duration:?}");
    }
}

/// Pitfall 125: what is ready at once pays, so that a loop of it lets others run.
#[test]
fn a_loop_of_sleeps_of_zero_yields() {
    let stage = Stage::new();
    let rounds = Cell::new(0);
    let mut busy = pin!(async {
        loop {
            sleep(Duration::ZERO).await;
            rounds.set(rounds.get() + 1);
        }
    });
    let polled: Poll<()> = stage.poll_pinned(busy.as_mut());
    assert!(polled.is_pending());
    assert_eq!(stage.wakes(), 1);
    assert_eq!(note::take().op, Op::Yield);
    assert_eq!(rounds.get(), budget::LIMIT);
}

#[test]
fn a_sleep_that_is_not_ready_pays_nothing_and_says_what_it_waits_for() {
    let stage = Stage::new();
    assert!(stage.poll(sleep(SECOND)).is_pending());
    assert_eq!(budget::remaining(), budget::LIMIT);
    assert_eq!(note::take().op, Op::Timer);
}

#[test]
fn a_reset_moves_it_either_way_also_after_it_was_ready() {
    let stage = Stage::new();
    let start = stage.now();
    let mut nap = sleep(5 * SECOND);
    assert!(stage.poll(&mut nap).is_pending());
    nap.reset(start + 9 * SECOND);
    stage.advance(5 * SECOND);
    assert!(stage.poll(&mut nap).is_pending(), "moved later");
    assert_eq!(nap.deadline(), start + 9 * SECOND);
    nap.reset(start + 6 * SECOND);
    assert!(stage.poll(&mut nap).is_pending());
    stage.advance(SECOND);
    assert!(stage.poll(&mut nap).is_ready(), "moved earlier");
    nap.reset(start + 7 * SECOND);
    assert!(stage.poll(&mut nap).is_pending(), "ready, and moved");
    stage.advance(SECOND);
    assert!(stage.poll(&mut nap).is_ready());
}
