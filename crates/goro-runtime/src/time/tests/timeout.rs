use super::*;

#[test]
fn a_ready_future_costs_neither_a_timer_nor_a_look_at_the_clock() {
    let stage = Stage::new();
    assert_eq!(stage.poll(timeout(SECOND, ready(7))), Poll::Ready(Ok(7)));
    assert_eq!(stage.poll(timeout(Duration::ZERO, ready(7))), Poll::Ready(Ok(7)));
    let past = stage.now() - SECOND;
    assert_eq!(stage.poll(timeout_at(past, ready(7))), Poll::Ready(Ok(7)));
    assert_eq!((stage.looks(), stage.arms()), (0, 0));
}

#[test]
fn one_look_at_the_clock_and_one_timer_for_a_future_that_waits() {
    let stage = Stage::new();
    let mut limited = timeout(SECOND, pending::<()>());
    assert!(stage.poll(&mut limited).is_pending());
    assert_eq!((stage.looks(), stage.arms()), (1, 1));
    drop(limited);
    assert!(stage.armed().is_empty());
}

#[test]
fn the_time_is_up_at_the_deadline_and_never_before() {
    let stage = Stage::new();
    let mut limited = timeout(SECOND, pending::<()>());
    assert!(stage.poll(&mut limited).is_pending());
    stage.advance(SECOND - NANO);
    assert!(stage.poll(&mut limited).is_pending());
    stage.advance(NANO);
    assert_eq!(stage.wakes(), 1);
    let Poll::Ready(Err(elapsed)) = stage.poll(&mut limited) else { panic!("the time is up") };
    assert_eq!(elapsed.allowed(), Some(SECOND));
    assert_eq!(elapsed.to_string(), "timed out after 1s");
    assert_eq!(io::Error::from(elapsed).kind(), io::ErrorKind::TimedOut);
    assert_eq!(Cause::from(elapsed), Cause::Deadline);
}

#[test]
fn what_is_ready_when_the_time_is_up_is_not_thrown_away() {
    let stage = Stage::new();
    let at = stage.now() + SECOND;
    let same_time = poll_fn(|_| if stage.now() >= at { Poll::Ready(7) } else { Poll::Pending });
    let mut limited = timeout_at(at, same_time);
    assert!(stage.poll(&mut limited).is_pending());
    stage.advance(2 * SECOND);
    assert_eq!(stage.poll(&mut limited), Poll::Ready(Ok(7)));
}

#[test]
fn a_deadline_in_the_past_leaves_one_poll() {
    let stage = Stage::new();
    let mut polls = 0;
    let never = poll_fn(|_| {
        polls += 1;
        Poll::<()>::Pending
    });
    let Poll::Ready(Err(elapsed)) = stage.poll(timeout_at(stage.now() - SECOND, never)) else {
        panic!("the time is up")
    };
    assert_eq!((polls, elapsed.allowed()), (1, None));
    assert_eq!(elapsed.to_string(), "timed out at its deadline");
    assert!(stage.poll(timeout(Duration::ZERO, pending::<()>())).is_ready());
    assert_eq!(stage.arms(), 0);
}

/// Pitfall 123: a future that eats the budget in each of its polls times out all the same.
#[test]
fn the_deadline_is_looked_at_when_the_budget_is_used_up() {
    let stage = Stage::new();
    let greedy = poll_fn(|cx| {
        loop {
            if budget::poll_spend(cx).map(drop).is_pending() {
                return Poll::<()>::Pending;
            }
        }
    });
    let mut limited = timeout(SECOND, greedy);
    assert!(stage.poll(&mut limited).is_pending());
    assert_eq!(budget::remaining(), 0);
    stage.advance(SECOND);
    assert!(matches!(stage.poll(&mut limited), Poll::Ready(Err(_))));
}

#[test]
fn a_dump_shows_what_the_future_waits_for() {
    let stage = Stage::new();
    let waits = poll_fn(|_| {
        note::leave(Op::Recv, 9);
        Poll::<()>::Pending
    });
    let mut limited = timeout(SECOND, waits);
    for _ in 0..2 {
        assert!(stage.poll(&mut limited).is_pending());
        assert_eq!(note::take(), WaitNote { op: Op::Recv, object: 9 });
    }
    assert!(stage.poll(timeout(SECOND, pending::<()>())).is_pending());
    assert_eq!(note::take().op, Op::Timer, "a future that says nothing waits for the time at most");
}

/// Pitfall 131.
#[test]
fn any_duration_will_do() {
    for duration in AWKWARD {
        let stage = Stage::new();
        let mut limited = timeout(duration, pending::<()>());
        assert_eq!(stage.poll(&mut limited).is_ready(), duration.is_zero(), "{duration:?}");
        stage.advance(duration.min(clock::FAR));
        assert!(stage.poll(&mut limited).is_ready(), "{duration:?}");
    }
}

#[test]
fn the_future_can_be_reached_and_got_back() {
    let mut limited = timeout(SECOND, ready(7));
    assert_eq!(limited.get_ref().clone().into_inner(), 7);
    *limited.get_mut() = ready(8);
    assert_eq!(limited.into_inner().into_inner(), 8);
}
