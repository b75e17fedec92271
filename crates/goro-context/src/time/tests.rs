use super::*;
use crate::note::WaitNote;
use crate::testing::{Scripted, Wakes};
use goro_shim::global::Ordering;
use goro_shim::thread;

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_nanos(1);

fn poll(deadline: &mut Deadline, wakes: &goro_shim::global::Arc<Wakes>) -> bool {
    let waker = wakes.waker();
    deadline.poll(&mut Context::from_waker(&waker)).is_ready()
}

#[test]
fn a_past_deadline_costs_no_timer_and_leaves_no_note() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    note::take();
    for at in [now(), now() - SECOND] {
        let mut deadline = Deadline::at(at);
        assert!(poll(&mut deadline, &wakes) && poll(&mut deadline, &wakes));
        assert!(!deadline.is_armed());
    }
    assert_eq!((host.calls(), note::take()), ([0, 0, 0], WaitNote::NOTHING));
}

#[test]
fn a_deadline_registers_at_its_first_pending_and_is_ready_at_its_time() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let mut deadline = Deadline::at(after(SECOND));
    assert!(!deadline.is_armed() && host.armed().is_empty());
    assert!(!poll(&mut deadline, &wakes));
    assert_eq!(note::take().op, Op::Timer);
    assert_eq!(host.armed(), [deadline.deadline()]);
    host.advance(SECOND - TICK);
    assert_eq!(wakes.count(), 0);
    assert!(!poll(&mut deadline, &wakes), "a nanosecond early");
    host.advance(TICK);
    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut deadline, &wakes) && poll(&mut deadline, &wakes), "ready stays ready");
    assert!(!deadline.is_armed());
}

#[test]
fn who_has_read_the_clock_need_not_read_it_twice_until_it_is_armed() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let start = now();
    let mut cx = Context::from_waker(core::task::Waker::noop());
    let mut deadline = Deadline::at(start + SECOND);
    assert_eq!(deadline.poll_from(start + SECOND, &mut cx), Poll::Ready(start + SECOND));
    assert_eq!(deadline.poll_from(start, &mut cx), Poll::Pending);
    assert!(deadline.is_armed());
    assert_eq!(deadline.poll_from(start + SECOND, &mut cx), Poll::Pending, "its own clock counts");
    host.advance(2 * SECOND);
    assert_eq!(deadline.poll_clock(&mut cx), Poll::Ready(start + 2 * SECOND));
}

#[test]
fn a_host_that_says_it_has_fired_is_asked_for_nothing_more() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let mut deadline = Deadline::at(after(SECOND));
    let mut later = Deadline::at(after(2 * SECOND));
    assert!(!poll(&mut deadline, &wakes) && !poll(&mut later, &wakes));
    host.advance_and_tell(SECOND);
    let (calls, looks) = (host.calls(), host.looks.load(Ordering::Acquire));
    assert!(poll(&mut deadline, &wakes) && !deadline.is_armed());
    assert_eq!((host.calls(), host.looks.load(Ordering::Acquire)), (calls, looks));
    assert!(!poll(&mut later, &wakes) && later.is_armed(), "it spoke of the first one only");
}

/// The timer was armed for later than the deadline is now, so it is still there.
#[test]
fn a_deadline_moved_to_an_earlier_time_takes_its_timer_along() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let mut deadline = Deadline::at(after(3 * SECOND));
    assert!(!poll(&mut deadline, &wakes));
    deadline.reset(deadline.deadline() - 2 * SECOND);
    host.advance_and_tell(2 * SECOND);
    assert!(poll(&mut deadline, &wakes));
    assert_eq!((host.armed(), deadline.is_armed()), (vec![], false));
}

#[test]
fn the_waker_of_the_latest_poll_is_woken() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let (first, second) = (Wakes::new(), Wakes::new());
    let mut deadline = Deadline::at(after(SECOND));
    assert!(!poll(&mut deadline, &first) && !poll(&mut deadline, &second));
    assert_eq!(host.calls(), [1, 1, 0]);
    host.advance(SECOND);
    assert_eq!((first.count(), second.count()), (0, 1));
}

#[test]
fn dropped_or_ready_it_holds_no_timer() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let mut dropped = Deadline::at(after(SECOND));
    let mut ready = Deadline::at(after(SECOND));
    assert!(!poll(&mut dropped, &wakes) && !poll(&mut ready, &wakes));
    drop(dropped);
    assert_eq!(host.armed().len(), 1);
    host.set_now(host.now() + SECOND);
    assert!(poll(&mut ready, &wakes));
    assert_eq!((host.armed().len(), host.calls()), (0, [2, 0, 2]));
}

/// Pitfall 137: a deadline that is moved on and on costs neither timers nor wakes.
#[test]
fn moving_it_later_costs_nothing_until_the_former_time() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let start = now();
    let mut deadline = Deadline::at(start + SECOND);
    assert!(!poll(&mut deadline, &wakes));
    for n in 2..100 {
        deadline.reset(start + n * SECOND);
    }
    assert_eq!(host.calls(), [1, 0, 0]);
    assert!(!poll(&mut deadline, &wakes));
    assert_eq!((host.calls(), host.armed()), ([1, 1, 0], vec![start + SECOND]));
    host.advance(SECOND);
    assert_eq!(wakes.count(), 1, "the former time, once");
    assert!(!poll(&mut deadline, &wakes));
    assert_eq!(host.armed(), [start + 99 * SECOND]);
    host.advance(98 * SECOND);
    assert_eq!(wakes.count(), 2);
    assert!(poll(&mut deadline, &wakes));
}

#[test]
fn moving_it_earlier_takes_effect_at_the_next_poll() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let start = now();
    let mut deadline = Deadline::at(start + 60 * SECOND);
    assert!(!poll(&mut deadline, &wakes));
    deadline.reset(start + 30 * SECOND);
    assert_eq!(host.armed(), [start + 60 * SECOND], "a waker left behind is not forgotten");
    assert!(!poll(&mut deadline, &wakes));
    assert_eq!(host.armed(), [start + 30 * SECOND]);
    deadline.reset(start);
    assert!(poll(&mut deadline, &wakes));
    assert!(host.armed().is_empty());
    deadline.reset(start + SECOND);
    assert!(!poll(&mut deadline, &wakes), "ready, moved, and a deadline again");
    assert_eq!(host.armed(), [start + SECOND]);
}

#[test]
fn moving_it_earlier_and_then_later_is_never_late() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let start = now();
    let mut deadline = Deadline::at(start + 9 * SECOND);
    assert!(!poll(&mut deadline, &wakes));
    deadline.reset(start + SECOND);
    deadline.reset(start + 5 * SECOND);
    assert!(!poll(&mut deadline, &wakes));
    host.advance(5 * SECOND);
    assert_eq!(wakes.count(), 1);
    assert!(poll(&mut deadline, &wakes));
}

#[test]
fn it_outlives_its_host_and_arms_with_the_next() {
    let (first, second) = (Scripted::new(), Scripted::new());
    second.set_now(first.now());
    let wakes = Wakes::new();
    let mut deadline = Deadline::at(first.now() + SECOND);
    {
        let _entered = host::enter(first);
        assert!(!poll(&mut deadline, &wakes));
    }
    first.stop();
    assert_eq!(wakes.count(), 1, "a host that stops wakes everybody");
    let _entered = host::enter(second);
    assert!(!poll(&mut deadline, &wakes));
    assert_eq!(second.armed(), [deadline.deadline()]);
    second.advance(SECOND);
    assert!(poll(&mut deadline, &wakes));
}

#[test]
fn polled_elsewhere_it_goes_by_the_clock_of_the_host_it_is_armed_with() {
    let host = Scripted::new();
    let wakes = Wakes::new();
    let mut deadline = Deadline::at(host.now() + 9 * SECOND);
    {
        let _entered = host::enter(host);
        assert!(!poll(&mut deadline, &wakes));
    }
    assert!(!deadline.is_past());
    host.advance(9 * SECOND);
    assert!(deadline.is_past() && poll(&mut deadline, &wakes));
}

/// A stopped host is no reason to lose a deadline: the timer thread keeps it.
#[test]
fn a_host_that_is_gone_leaves_it_to_the_timer_thread() {
    let host = Scripted::new();
    host.stop();
    let _entered = host::enter(host);
    let wakes = Wakes::new();
    let mut deadline = Deadline::at(goro_shim::time::now() + Duration::from_millis(20));
    while !poll(&mut deadline, &wakes) {
        thread::park();
    }
    assert!(goro_shim::time::now() >= deadline.deadline());
}

#[test]
fn a_waker_that_panics_when_armed_leaves_the_deadline_unarmed_and_usable() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let mut deadline = Deadline::at(after(SECOND));
    let wakes = Wakes::new();
    host.panic_at_next_arm();
    let unwound = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
        poll(&mut deadline, &wakes);
    }));
    assert!(unwound.is_err() && !deadline.is_armed());
    assert!(!poll(&mut deadline, &wakes));
    host.advance(SECOND);
    assert_eq!(wakes.count(), 1);
}

/// With the system refusing the timer thread, a deadline without an error to give asks again.
#[test]
fn where_nobody_can_wake_it_later_it_is_woken_at_once() {
    let wakes = Wakes::new();
    let waker = wakes.waker();
    assert!(ask_again(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(wakes.count(), 1);
}

#[test]
fn far_durations_saturate() {
    let start = now();
    assert_eq!(later(start, Duration::MAX), start + FAR);
    assert_eq!(later(start, FAR), start + FAR);
    assert_eq!(later(start, FAR - TICK), start + FAR - TICK);
    assert_eq!(later(start, Duration::ZERO), start);
    let mut last = start;
    while let Some(later) = last.checked_add(FAR) {
        last = later;
        if last.duration_since(start) > 1_000_000 * FAR {
            break;
        }
    }
    assert!(later(last, Duration::MAX) >= last);
}

#[test]
fn a_deadline_moves_between_threads() {
    fn can_move<T: Send + Sync + Unpin + 'static>(_: &T) {}
    can_move(&Deadline::at(now()));
}

/// `now` is the host's where there is one.
#[test]
fn the_hosts_clock_is_the_clock() {
    let host = Scripted::new();
    let entered = host::enter(host);
    host.advance(FAR);
    assert_eq!(now(), host.now());
    drop(entered);
    assert!(now() < host.now());
}
