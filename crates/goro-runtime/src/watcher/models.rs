//! Models of outsiders' deadlines: each is read before the sleep in the reactor, or ends it.

use super::Watcher;
use crate::timers::Timers;
use core::task::Waker;
use goro_reactor::{Nudge, Parker};
use goro_shim::Arc;
use goro_shim::time::{Duration, Instant, now};
use loom::thread;

struct Room {
    watcher: Watcher,
    /// The deadlines of those who are no workers.
    outsiders: Timers,
    /// The reactor: a sleep that is ended by an interruption, also if that came before.
    reactor: Parker,
}

impl Room {
    fn new() -> (Arc<Self>, Instant) {
        let base = now();
        let outsiders = Timers::new(base);
        outsiders.open();
        let room = Self { watcher: Watcher::nobody(), outsiders, reactor: Parker::new() };
        (Arc::new(room), base + Duration::from_millis(1))
    }

    /// A worker: goes to sleep in the reactor, and comes back, until it knows of a deadline before
    /// `early`; which is that.
    fn watch(&self, early: Instant) -> Instant {
        self.reactor.adopt();
        loop {
            self.watcher.begin(0);
            let known = self.outsiders.wake_at().filter(|&known| known < early);
            if known.is_none() {
                self.reactor.sleep(None);
            }
            self.watcher.end();
            if let Some(known) = known {
                return known;
            }
        }
    }

    /// A thread that is no worker.
    fn arm(&self, at: Instant) {
        let (_, earliest) = self.outsiders.arm(at, Waker::noop()).unwrap();
        if earliest && self.watcher.is_to_be_told() && self.reactor.give() == Nudge::Thread {
            self.reactor.wake_thread();
        }
    }
}

/// A lost deadline is a worker that sleeps for ever: loom reports the deadlock.
fn armed_as_a_worker_goes_to_sleep(before: Option<Duration>) {
    loom::model(move || {
        let (room, at) = Room::new();
        if let Some(later) = before {
            room.arm(at + later);
        }
        let worker = {
            let room = Arc::clone(&room);
            thread::spawn(move || room.watch(at + Duration::from_millis(10)))
        };
        room.arm(at);
        let known = worker.join().unwrap();
        assert!(known >= at, "nothing was armed for then");
    });
}

/// Pitfall 136: the poller is not told of a deadline that is earlier than all it knows.
#[test]
fn an_outsider_arms_as_a_worker_goes_to_sleep_in_the_reactor() {
    armed_as_a_worker_goes_to_sleep(None);
}

/// Pitfall 136.
#[test]
fn an_outsider_arms_an_earlier_one_than_the_worker_knows() {
    armed_as_a_worker_goes_to_sleep(Some(Duration::from_millis(50)));
}
