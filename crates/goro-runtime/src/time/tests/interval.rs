use super::*;
use MissedTickBehavior::{Burst, Delay, Skip};
use goro_shim::random::Random;

const PERIOD: Duration = SECOND;

impl Stage {
    fn tick(&self, interval: &mut Interval) -> Poll<Instant> {
        budget::reset();
        interval.poll_tick(&mut Context::from_waker(&self.waker))
    }

    /// All ticks that are due by now, in periods after `start`.
    fn ticks(&self, interval: &mut Interval, start: Instant) -> Vec<f64> {
        let mut ticks = Vec::new();
        while let Poll::Ready(due) = self.tick(interval) {
            ticks.push((due - start).as_secs_f64() / PERIOD.as_secs_f64());
        }
        ticks
    }
}

fn behaving(missed: MissedTickBehavior) -> Interval {
    let mut interval = interval(PERIOD);
    interval.set_missed_tick_behavior(missed);
    interval
}

#[test]
fn the_first_tick_is_at_once_and_none_is_early() {
    for missed in [Burst, Delay, Skip] {
        let stage = Stage::new();
        let start = stage.now();
        let mut interval = behaving(missed);
        assert_eq!(stage.ticks(&mut interval, start), [0.0]);
        for n in 1..10_u32 {
            stage.advance(PERIOD - NANO);
            assert!(stage.tick(&mut interval).is_pending(), "{missed:?}");
            stage.advance(NANO);
            assert_eq!(stage.wakes() as u32, n);
            assert_eq!(stage.ticks(&mut interval, start), [f64::from(n)], "{missed:?}");
        }
    }
}

/// Pitfall 133: 3.5 periods pass between the second tick and the look at the third.
#[test]
fn missed_ticks_are_made_up_for_or_put_off_or_left_out() {
    let table: [(MissedTickBehavior, &[f64], &[f64]); 3] =
        [(Burst, &[1.0, 2.0, 3.0, 4.0], &[5.0]), (Delay, &[1.0], &[5.5]), (Skip, &[1.0], &[5.0])];
    for (missed, late, next) in table {
        let stage = Stage::new();
        let start = stage.now();
        let mut interval = behaving(missed);
        assert_eq!(stage.ticks(&mut interval, start), [0.0]);
        stage.advance(PERIOD * 9 / 2);
        assert_eq!(stage.ticks(&mut interval, start), late, "{missed:?}");
        stage.advance(PERIOD);
        assert_eq!(stage.ticks(&mut interval, start), next, "{missed:?}");
        assert_eq!(interval.missed_tick_behavior(), missed);
    }
}

#[test]
fn late_by_exactly_a_period_is_a_missed_tick() {
    let table: [(MissedTickBehavior, &[f64]); 3] =
        [(Burst, &[0.0, 1.0]), (Delay, &[0.0]), (Skip, &[0.0])];
    for (missed, late) in table {
        let stage = Stage::new();
        let mut interval = behaving(missed);
        stage.advance(PERIOD);
        assert_eq!(stage.ticks(&mut interval, stage.now() - PERIOD), late, "{missed:?}");
        assert!(stage.tick(&mut interval).is_pending());
        stage.advance(PERIOD);
        assert_eq!(stage.ticks(&mut interval, stage.now() - 2 * PERIOD), [2.0], "{missed:?}");
    }
}

#[test]
fn an_interval_that_delays_does_not_drift_for_a_timers_ordinary_lateness() {
    let stage = Stage::new();
    let start = stage.now();
    let mut interval = behaving(Delay);
    stage.ticks(&mut interval, start);
    let little = Duration::from_millis(5);
    stage.advance(little);
    for n in 1..10 {
        stage.advance(PERIOD);
        assert_eq!(stage.ticks(&mut interval, start), [f64::from(n)], "on time");
    }
    stage.advance(NANO);
    stage.advance(PERIOD);
    assert_eq!(stage.ticks(&mut interval, start), [10.0]);
    let drifted = stage.now() + PERIOD;
    assert!(stage.tick(&mut interval).is_pending());
    assert!(stage.armed().contains(&drifted), "too late to count as on time");
}

#[test]
fn what_counts_as_on_time_shrinks_with_the_period() {
    let period = Duration::from_millis(10);
    let tenth = period / 10;
    for (late, next) in [(tenth, period), (tenth + NANO, period + tenth + NANO)] {
        let stage = Stage::new();
        let start = stage.now();
        let mut interval = interval(period);
        interval.set_missed_tick_behavior(Delay);
        stage.advance(late);
        assert!(stage.tick(&mut interval).is_ready() && stage.tick(&mut interval).is_pending());
        assert_eq!(stage.armed(), [start + next]);
    }
}

#[test]
fn a_tick_that_is_not_due_pays_nothing_and_says_what_it_waits_for() {
    let stage = Stage::new();
    let mut interval = interval_at(stage.now() + PERIOD, PERIOD);
    assert!(stage.tick(&mut interval).is_pending());
    assert_eq!((budget::remaining(), note::take().op), (budget::LIMIT, Op::Timer));
}

/// Whatever the delays: never early, never twice, and each behaviour's own promise.
#[test]
fn behaviours_keep_their_promises_on_random_schedules() {
    for seed in 0..300 {
        let random = Random::new(seed);
        let missed = [Burst, Delay, Skip][seed as usize % 3];
        let stage = Stage::new();
        let start = stage.now();
        let mut interval = behaving(missed);
        let mut taken: Vec<(Instant, Instant)> = Vec::new();
        for _ in 0..200 {
            let step = Duration::from_millis(u64::from(random.below(1_600)));
            stage.advance(if random.below(10) == 0 { step * 5 } else { step });
            while let Poll::Ready(due) = stage.tick(&mut interval) {
                taken.push((due, stage.now()));
            }
        }
        for (n, (due, at)) in taken.iter().enumerate() {
            assert!(due <= at, "{missed:?} is early");
            let since = (*due - start).as_nanos();
            match missed {
                Burst => assert_eq!(since, PERIOD.as_nanos() * n as u128),
                Skip => assert_eq!(since % PERIOD.as_nanos(), 0),
                Delay => {}
            }
        }
        for pair in taken.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{missed:?} comes twice");
            match missed {
                Burst => {}
                Delay => assert!(pair[1].1 - pair[0].1 >= PERIOD - Duration::from_millis(5)),
                Skip => assert!(pair[1].0 > pair[0].1, "a tick of the past was not left out"),
            }
        }
    }
}

/// Pitfall 139.
#[test]
fn no_stale_tick_comes_after_a_reset() {
    let stage = Stage::new();
    let mut interval = behaving(Burst);
    assert!(stage.tick(&mut interval).is_ready());
    assert!(stage.tick(&mut interval).is_pending());
    stage.advance(PERIOD * 7 / 2);
    assert_eq!(stage.wakes(), 1, "a tick is due");
    interval.reset();
    assert!(stage.tick(&mut interval).is_pending(), "and is none any more");
    stage.advance(PERIOD - NANO);
    assert!(stage.tick(&mut interval).is_pending());
    stage.advance(NANO);
    assert_eq!(stage.tick(&mut interval), Poll::Ready(stage.now()));
}

#[test]
fn the_resets_move_the_next_tick_and_the_period_goes_on_from_there() {
    let stage = Stage::new();
    let mut interval = behaving(Burst);
    assert!(stage.tick(&mut interval).is_ready());
    interval.reset_after(PERIOD / 4);
    assert!(stage.tick(&mut interval).is_pending());
    stage.advance(PERIOD / 4);
    assert_eq!(stage.tick(&mut interval), Poll::Ready(stage.now()));
    interval.reset_immediately();
    assert_eq!(stage.tick(&mut interval), Poll::Ready(stage.now()));
    let later = stage.now() + 5 * PERIOD;
    interval.reset_at(later);
    stage.advance(5 * PERIOD);
    assert_eq!(stage.tick(&mut interval), Poll::Ready(later));
    assert!(stage.tick(&mut interval).is_pending());
    stage.advance(PERIOD);
    assert_eq!(stage.tick(&mut interval), Poll::Ready(later + PERIOD));
    assert_eq!(interval.period(), PERIOD);
}

#[test]
fn a_dropped_tick_has_taken_none() {
    let stage = Stage::new();
    let start = stage.now();
    let mut interval = interval_at(start + PERIOD, PERIOD);
    {
        let mut tick = pin!(interval.tick());
        assert!(stage.poll_pinned(tick.as_mut()).is_pending());
        stage.advance(PERIOD);
    }
    assert_eq!(stage.tick(&mut interval), Poll::Ready(start + PERIOD));
}

/// Pitfall 125: making up for a million ticks lets others run in between.
#[test]
fn a_burst_spends_the_budget() {
    let stage = Stage::new();
    let mut interval = interval_at(stage.now() - 1_000_000 * NANO, NANO);
    budget::reset();
    let mut cx = Context::from_waker(&stage.waker);
    let ticks = (0..).take_while(|_| interval.poll_tick(&mut cx).is_ready()).count();
    assert_eq!((ticks as u32, stage.wakes()), (budget::LIMIT, 1));
    assert_eq!(note::take().op, Op::Yield);
}

/// Pitfall 131.
#[test]
fn any_period_above_zero_will_do() {
    for period in AWKWARD.into_iter().skip(1) {
        for missed in [Burst, Delay, Skip] {
            let stage = Stage::new();
            let mut interval = interval(period);
            interval.set_missed_tick_behavior(missed);
            assert!(stage.tick(&mut interval).is_ready(), "{period:?}");
            assert!(stage.tick(&mut interval).is_pending(), "{period:?}");
            stage.advance(period.min(clock::FAR));
            assert!(stage.tick(&mut interval).is_ready(), "{period:?}");
            interval.reset();
            assert!(stage.tick(&mut interval).is_pending(), "{period:?}");
        }
    }
    for after in AWKWARD {
        let stage = Stage::new();
        let mut interval = interval(SECOND);
        interval.reset_after(after);
        assert_eq!(stage.tick(&mut interval).is_ready(), after.is_zero(), "{after:?}");
    }
}

#[test]
#[should_panic(expected = "use yield_now")]
fn a_period_of_zero_names_what_to_use_instead() {
    let _never = interval(Duration::ZERO);
}

#[test]
fn it_is_a_stream_without_an_end() {
    let stage = Stage::new();
    let mut interval = behaving(Burst);
    stage.advance(2 * PERIOD);
    assert_eq!(interval.size_hint(), (usize::MAX, None));
    let three = stage.poll_pinned(pin!((&mut interval).take(3).count()));
    assert_eq!(three, Poll::Ready(3));
    let next = stage.poll(interval.next());
    assert!(next.is_pending());
}
