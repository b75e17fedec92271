//! What loom explores: sources that come and go as their events are delivered.
//!
//! The kernel has no part in it: tokens are entered and events delivered by hand.

use super::*;
use crate::interest::Direction;
use crate::watch::{Place, Seen};

fn explore(check: impl Fn(Arc<Directory>) + Sync + Send + 'static) {
    let poll = mio::Poll::new().unwrap();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let registry = poll.registry().try_clone().unwrap();
        check(Arc::new(Directory::new(registry)));
    });
}

/// Enters a source that is not ready.
fn enter(directory: &Directory) -> (Token, Arc<Watch>) {
    let watch = Arc::new(Watch::new());
    for direction in [Direction::Read, Direction::Write] {
        let Seen::Ready(seen) = watch.look(direction) else { panic!("ready at first") };
        watch.clear(seen);
    }
    let token = directory.insert(&watch).unwrap();
    (token, watch)
}

fn deliver(directory: &Directory, token: Token) -> (usize, usize) {
    let mut wakers = Vec::new();
    let delivered = directory.deliver([(token, Directions::BOTH)].into_iter(), &mut wakers);
    (delivered, wakers.len())
}

/// Pitfall 140: an event for a source that leaves, and whose number is given out again.
#[test]
fn an_event_for_one_that_leaves_does_not_reach_the_next() {
    explore(|directory| {
        let (token, watch) = enter(&directory);
        assert_eq!(watch.wait(Direction::Read, Place::Seat, None, Waker::noop()), Seen::Waiting);
        let turner = {
            let directory = Arc::clone(&directory);
            loom::thread::spawn(move || deliver(&directory, token))
        };
        directory.remove(token);
        let (next, its) = enter(&directory);
        assert_eq!(next.key(), token.key(), "the number is free");
        let (delivered, woken) = turner.join().unwrap();
        assert_eq!(delivered, woken, "who waited is woken, or the event found nobody");
        assert_eq!(its.look(Direction::Read), Seen::Waiting, "another's event");
        directory.remove(token);
        assert_eq!(directory.len(), 1, "a source that has left does not take the next one along");
        directory.remove(next);
    });
}

/// A source is entered as the reactor ends: it is refused, or told.
#[test]
fn a_source_that_comes_at_the_end_is_refused_or_told() {
    explore(|directory| {
        let stopper = {
            let directory = Arc::clone(&directory);
            loom::thread::spawn(move || directory.stop(&mut Vec::new()))
        };
        let watch = Arc::new(Watch::new());
        let entered = directory.insert(&watch).is_ok();
        stopper.join().unwrap();
        let Seen::Ready(seen) = watch.look(Direction::Read) else { panic!("ready at first") };
        watch.clear(seen);
        let told = watch.look(Direction::Read) == Seen::Stopped;
        assert_eq!(told, entered);
    });
}
