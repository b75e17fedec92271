//! What loom explores: a turner that goes to sleep as a source, a notice, or both come.
//!
//! The sources are a number, the kernel's poll a parker of its own, which a giver is told to
//! interrupt. What is lost is a turner that sleeps for ever: loom reports the deadlock.

use super::*;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, AtomicUsize, Ordering};

struct Room {
    notice: Notice,
    sources: AtomicUsize,
    /// What was to be done before the notice.
    work: AtomicBool,
    poll: Parker,
}

impl Room {
    fn has_none(&self) -> bool {
        self.sources.load(Ordering::Relaxed) == 0
    }

    fn register(&self) {
        self.sources.fetch_add(1, Ordering::Relaxed);
        if self.notice.is_to_be_called() {
            self.notify();
        }
    }

    fn notify(&self) {
        if self.notice.give() && self.poll.give() == Nudge::Thread {
            self.poll.wake_thread();
        }
    }

    /// One turn; where it slept.
    fn turn(&self) -> Bed {
        let bed = self.notice.lie_down(|| self.has_none());
        match bed {
            Bed::None => {}
            Bed::Poll => {
                self.poll.sleep(None);
            }
            Bed::Thread => {
                self.notice.parker().sleep_on(None);
            }
        }
        self.notice.parker().take();
        bed
    }
}

fn explore(check: impl Fn(Arc<Room>) + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let (sources, work) = (AtomicUsize::new(0), AtomicBool::new(false));
        let room = Room { notice: Notice::new(), sources, work, poll: Parker::new() };
        room.poll.adopt();
        check(Arc::new(room));
    });
}

fn start(room: &Arc<Room>, body: impl FnOnce(&Room) + 'static) -> loom::thread::JoinHandle<()> {
    let room = Arc::clone(room);
    loom::thread::spawn(move || body(&room))
}

/// The turner comes to where it hears of the source, wherever it was when that came.
#[test]
fn a_first_source_calls_the_turner_into_the_poll() {
    explore(|room| {
        let other = start(&room, Room::register);
        while room.notice.lie_down(|| room.has_none()) != Bed::Poll {
            if room.notice.parker().is_asleep() {
                room.notice.parker().sleep_on(None);
            }
        }
        other.join().unwrap();
        assert!(!room.has_none(), "it went into the poll for a source");
    });
}

/// The work is seen after the turn, wherever that slept.
#[test]
fn a_notice_ends_the_turn_wherever_it_sleeps() {
    for sources in [0, 1] {
        explore(move |room| {
            room.sources.store(sources, Ordering::Relaxed);
            let other = start(&room, |room| {
                room.work.store(true, Ordering::Relaxed);
                room.notify();
            });
            if !room.work.load(Ordering::Relaxed) {
                room.turn();
                assert!(room.work.load(Ordering::Relaxed), "nothing else ends the turn");
            }
            other.join().unwrap();
        });
    }
}

#[test]
fn a_notice_is_not_lost_as_the_turner_is_called_into_the_poll() {
    explore(|room| {
        let source = start(&room, Room::register);
        let notice = start(&room, |room| {
            room.work.store(true, Ordering::Relaxed);
            room.notify();
        });
        let mut turns = 0;
        while !room.work.load(Ordering::Relaxed) {
            room.turn();
            turns += 1;
        }
        assert!(turns <= 2, "one for the source, one for the notice");
        source.join().unwrap();
        notice.join().unwrap();
    });
}
