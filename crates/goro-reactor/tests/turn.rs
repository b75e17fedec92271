//! Turning the reactor: notices, deadlines, who may turn.

use std::process::Command;

use goro_reactor::{Reactor, Turn, Wait};
use goro_shim::time::{Duration, now};
use goro_shim::{Arc, thread};

/// A reactor with nothing to watch, whose turner sleeps on its thread, and one that watches a source
/// on which nothing happens, whose turner sleeps in the kernel's poll.
fn with_and_without_a_source(check: impl Fn(&Arc<Reactor>)) {
    check(&Arc::new(Reactor::new().unwrap()));
    #[cfg(unix)]
    {
        let reactor = Arc::new(Reactor::new().unwrap());
        let (source, _peer) = mio::net::UnixStream::pair().unwrap();
        let source = goro_reactor::Watched::new(&reactor, source).unwrap();
        // That it can be written to is the one event there is.
        assert_eq!(turn(&reactor, Wait::Forever).events, 1);
        check(&reactor);
        drop(source);
    }
}

fn turn(reactor: &Reactor, wait: Wait) -> Turn {
    let mut wakers = Vec::new();
    let turn = reactor.try_turn(wait, &mut wakers).expect("nobody else turns").unwrap();
    assert!(wakers.is_empty());
    turn
}

const NOTICE: Turn = Turn { events: 0, notified: true, timer: false };
const TIMER: Turn = Turn { events: 0, notified: false, timer: true };

#[test]
fn a_notice_before_the_turn_ends_it() {
    with_and_without_a_source(|reactor| {
        reactor.notify();
        assert_eq!(turn(reactor, Wait::Forever), NOTICE);
    });
}

#[test]
fn a_notice_during_the_turn_ends_it() {
    with_and_without_a_source(|reactor| {
        for _ in 0..200 {
            let turner = {
                let reactor = Arc::clone(reactor);
                thread::start("turner".into(), None, move || turn(&reactor, Wait::Forever)).unwrap()
            };
            reactor.notify();
            assert_eq!(turner.join().unwrap(), NOTICE);
        }
    });
}

#[test]
fn notices_that_stand_together_are_one_and_later_ones_are_others() {
    with_and_without_a_source(|reactor| {
        for _ in 0..3 {
            for _ in 0..1_000 {
                reactor.notify();
            }
            assert_eq!(turn(reactor, Wait::No), NOTICE);
            assert_eq!(turn(reactor, Wait::No), Turn::default());
        }
    });
}

/// The turner that sleeps on its thread, as there is no source, is called into the poll by the first.
#[cfg(unix)]
#[test]
fn a_first_source_is_heard_by_a_turn_under_way() {
    for _ in 0..50 {
        let reactor = Arc::new(Reactor::new().unwrap());
        let turner =
            {
                let reactor = Arc::clone(&reactor);
                thread::start("turner".into(), None, move || {
                    while turn(&reactor, Wait::Forever).events == 0 {}
                })
                .unwrap()
            };
        while !reactor.is_turning() {
            thread::yield_now();
        }
        let (source, _peer) = mio::net::UnixStream::pair().unwrap();
        let source = goro_reactor::Watched::new(&reactor, source).unwrap();
        turner.join().unwrap();
        drop(source);
    }
}

/// A notice that stands already is not told to the kernel again.
#[cfg(target_os = "linux")]
#[test]
fn a_standing_notice_costs_no_system_call() {
    let reactor = Reactor::new().unwrap();
    for _ in 0..5_000 {
        reactor.notify();
    }
    // Every notice the kernel hears adds one; the counters are never read.
    let counts: Vec<u64> = std::fs::read_dir("/proc/self/fdinfo")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .filter_map(|info| {
            let count = info.lines().find_map(|line| line.strip_prefix("eventfd-count:"))?;
            u64::from_str_radix(count.trim(), 16).ok()
        })
        .collect();
    assert!(!counts.is_empty() && counts.iter().all(|&count| count < 1_000), "{counts:?}");
    assert_eq!(turn(&reactor, Wait::Forever), NOTICE);
}

#[test]
fn not_waiting_returns_with_nothing() {
    with_and_without_a_source(|reactor| {
        assert_eq!(turn(reactor, Wait::No), Turn::default());
    });
}

/// Pitfall 138: a poll in whole milliseconds is early, or late by one.
#[test]
fn a_deadline_is_never_reported_early() {
    with_and_without_a_source(|reactor| {
        for micros in [1, 50, 100, 300, 900, 1_100, 2_500, 100, 1, 5_000] {
            for _ in 0..10 {
                let at = now() + Duration::from_micros(micros);
                assert_eq!(turn(reactor, Wait::Until(at)), TIMER);
                assert!(now() >= at);
            }
        }
    });
}

#[test]
fn a_deadline_in_the_past_does_not_sleep_and_still_looks() {
    with_and_without_a_source(|reactor| {
        let past = now();
        assert_eq!(turn(reactor, Wait::Until(past)), TIMER);
        reactor.notify();
        assert_eq!(turn(reactor, Wait::Until(past)), Turn { notified: true, ..TIMER });
    });
}

/// Pitfall 136, in the kernel.
#[test]
fn an_earlier_deadline_is_armed_over_a_later_one() {
    with_and_without_a_source(|reactor| {
        reactor.notify();
        assert_eq!(turn(reactor, Wait::Until(now() + Duration::from_secs(3600))), NOTICE);
        let soon = now() + Duration::from_millis(2);
        assert_eq!(turn(reactor, Wait::Until(soon)), TIMER);
    });
}

#[test]
fn the_expiry_of_an_abandoned_deadline_ends_no_later_turn() {
    with_and_without_a_source(|reactor| {
        reactor.notify();
        let abandoned = now() + Duration::from_millis(3);
        assert_eq!(turn(reactor, Wait::Until(abandoned)), NOTICE);
        let at = abandoned + Duration::from_millis(10);
        assert_eq!(turn(reactor, Wait::Until(at)), TIMER);
        assert!(now() >= at);

        // Nor does it end one that waits for events alone.
        reactor.notify();
        let abandoned = now() + Duration::from_millis(2);
        assert_eq!(turn(reactor, Wait::Until(abandoned)), NOTICE);
        let notifier = {
            let reactor = Arc::clone(reactor);
            thread::start("notifier".into(), None, move || {
                while now() < abandoned + Duration::from_millis(5) {
                    thread::sleep(Duration::from_millis(1));
                }
                reactor.notify();
            })
            .unwrap()
        };
        assert_eq!(turn(reactor, Wait::Forever), NOTICE);
        notifier.join().unwrap();
    });
}

#[test]
fn one_thread_at_a_time_may_turn() {
    let reactor = Reactor::new().unwrap();
    assert!(!reactor.is_turning());
    let mut hold = reactor.try_hold().unwrap();
    assert!(reactor.is_turning());
    assert!(reactor.try_hold().is_none());
    assert!(reactor.try_turn(Wait::No, &mut Vec::new()).is_none());
    let before = reactor.turns();
    hold.turn(Wait::No, &mut Vec::new()).unwrap();
    assert_eq!(reactor.turns(), before.wrapping_add(1));
    drop(hold);
    assert!(!reactor.is_turning());
    assert!(reactor.try_hold().is_some());
}

/// Pitfalls 152, 156: a poll that a signal interrupts goes on. A stopped and continued process
/// meets the interruption without any handler.
#[cfg(target_os = "linux")]
#[test]
fn interruptions_end_no_turn() {
    with_and_without_a_source(|reactor| {
        let turner = {
            let reactor = Arc::clone(reactor);
            thread::start("turner".into(), None, move || turn(&reactor, Wait::Forever)).unwrap()
        };
        while !reactor.is_turning() {
            thread::yield_now();
        }
        let this = std::process::id();
        let script =
            format!("for i in 1 2 3 4 5 6 7 8; do kill -STOP {this}; kill -CONT {this}; done");
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
        assert!(reactor.is_turning());
        reactor.notify();
        assert_eq!(turner.join().unwrap(), NOTICE);
    });
}

#[test]
fn a_closed_reactor_may_still_be_turned_and_notified() {
    with_and_without_a_source(|reactor| {
        reactor.close();
        reactor.close();
        reactor.notify();
        assert_eq!(turn(reactor, Wait::Forever), NOTICE);
    });
}

#[test]
fn many_reactors_leave_no_descriptor_behind() {
    let open = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    drop(Reactor::new().unwrap());
    let before = open();
    for _ in 0..100 {
        drop(Reactor::new().unwrap());
    }
    assert!(open() < before + 50, "{before} before, {} after", open());
}
