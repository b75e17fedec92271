//! The owner's wait, against members that leave and that let others in.

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::Ends;

/// What members do, and the owner must find done.
struct Work {
    ends: Ends,
    done: [AtomicUsize; 2],
}

impl Work {
    fn new() -> Arc<Self> {
        Arc::new(Self { ends: Ends::new(), done: [AtomicUsize::new(0), AtomicUsize::new(0)] })
    }

    fn member(&self, number: usize) {
        self.done[number].store(1, Ordering::Relaxed);
        self.ends.leave();
    }

    fn end(&self) {
        self.ends.leave();
        self.ends.nobody.blocking_wait();
        for done in &self.done {
            assert_eq!(done.load(Ordering::Relaxed), 1, "what a member did has happened");
        }
    }
}

#[test]
fn the_owner_goes_on_when_both_have_left() {
    loom::model(|| {
        let work = Work::new();
        let members = [0, 1].map(|number| {
            work.ends.enter();
            let work = Arc::clone(&work);
            thread::spawn(move || work.member(number))
        });
        work.end();
        members.into_iter().for_each(|member| member.join().unwrap());
    });
}

#[test]
fn one_that_is_let_in_by_another_is_waited_for() {
    loom::model(|| {
        let work = Work::new();
        work.ends.enter();
        let first = {
            let work = Arc::clone(&work);
            thread::spawn(move || {
                work.ends.enter();
                let second = {
                    let work = Arc::clone(&work);
                    thread::spawn(move || work.member(1))
                };
                work.member(0);
                second.join().unwrap();
            })
        };
        work.end();
        first.join().unwrap();
    });
}
