//! Deadlines, by the clock of a host that a test turns.

use super::*;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn the_smaller_deadline_counts_on_the_way_down() {
    let root = CancellationToken::new();
    let (near, far) = (time::after(ms(60_000)), time::after(ms(120_000)));
    let child = root.with_deadline(near);
    let alarms = |token: &CancellationToken| {
        let asked = token.node.with_open((), |open, ()| {
            open.retinue_mut().is_some_and(|retinue| retinue.alarm.is_some())
        });
        asked.unwrap_or(false)
    };
    let later = child.with_deadline(far);
    assert_eq!((later.deadline(), alarms(&later)), (Some(near), false), "no timer is needed");
    let sooner = root.with_deadline(far).with_deadline(near);
    assert_eq!((sooner.deadline(), alarms(&sooner)), (Some(near), true));
    let any = CancellationToken::any([&root.with_deadline(far), &child, &root]).child_token();
    assert_eq!(any.deadline(), Some(near));
    assert_eq!(root.deadline(), None);
    assert!(child.cancel_with("before that"));
    assert_eq!(child.deadline(), None);
    assert_eq!(later.cause(), Some(Cause::new("before that")));
}

#[test]
fn a_deadline_that_has_passed_cancels_at_once() {
    let root = CancellationToken::new();
    assert_eq!(root.with_timeout(Duration::ZERO).cause(), Some(Cause::Deadline));
    assert!(!root.with_timeout(Duration::MAX).is_cancelled());
    assert!(!root.is_cancelled());
}

#[test]
fn a_deadline_cancels_what_is_below_and_nothing_above() {
    let root = CancellationToken::new();
    let start = time::now();
    let timed = root.with_timeout(ms(20));
    let below = timed.child_token();
    assert_eq!(below.blocking_cancelled(), Cause::Deadline);
    assert!(time::now() >= start + ms(20), "never early");
    assert!(!root.is_cancelled());
}

/// A timer is taken back by whatever comes before it.
#[test]
fn no_timer_outlives_its_token() {
    let root = CancellationToken::new();
    let timers = |token: &CancellationToken| {
        let bells = token.node.with_open((), |open, ()| {
            open.retinue_mut().is_some_and(|retinue| retinue.alarm.is_some())
        });
        bells.unwrap_or(false)
    };
    let before = goro_context::fallback::armed();
    let tokens: Vec<_> = (0..1_000).map(|_| root.with_timeout(ms(3_600_000))).collect();
    assert!(tokens.iter().all(timers));
    assert!(goro_context::fallback::armed() >= before + 1_000);
    for token in &tokens[..500] {
        token.cancel();
    }
    drop(tokens);
    // Others' tests may have a few of their own.
    assert!(goro_context::fallback::armed() < before + 500);
}
