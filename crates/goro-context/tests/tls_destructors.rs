//! What code asks while its thread's locals are being destroyed.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use futures::executor::block_on;
use goro_context::inherit::{self, Head};
use goro_context::{
    CurrentTask, Deadline, Kind, Op, TaskId, budget, cancel, drops, host, note, random, spawn,
    task, time,
};
use goro_shim::global::{Arc, AtomicUsize, Ordering};
use goro_shim::thread;

/// Asks everything when it is dropped.
struct Late {
    answered: Arc<AtomicUsize>,
}

std::thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

impl Drop for Late {
    fn drop(&mut self) {
        let this = CurrentTask { id: TaskId::next(), kind: Kind::named("late", here()) };
        let outer = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::at(here()) });
        let inner = task::enter(this);
        // Out of order, so that the guards need memory.
        drop(outer);
        assert_eq!(task::current(), Some(this));
        note::leave(Op::Recv, 1);
        assert_eq!(note::take().op, Op::Recv);
        let mut cx = Context::from_waker(Waker::noop());
        while budget::poll_spend(&mut cx).map(drop) == Poll::Ready(()) {}
        budget::reset();
        drop(inner);
        assert!(random::below(7) < 7);
        assert!(host::current().is_none() && cancel::check().is_ok());
        let mut head = Head::EMPTY.push(3_u8);
        assert_eq!(inherit::with(&mut head, inherit::find::<u8>), Some(3));
        let dropped = Arc::new(());
        drops::scope(|| drops::defer(Box::new(Arc::clone(&dropped))));
        assert_eq!(Arc::strong_count(&dropped), 1);
        assert!(spawn::spawn(async {}, Kind::OTHER).is_err());
        // The waker of `block_on` is itself a thread-local, so this one is made by hand.
        let mut deadline = Deadline::at(time::after(Duration::from_millis(5)));
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        while deadline.poll(&mut Context::from_waker(&waker)).is_pending() {
            thread::park();
        }
        self.answered.fetch_add(1, Ordering::AcqRel);
    }
}

struct Unpark(thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[track_caller]
fn here() -> &'static core::panic::Location<'static> {
    core::panic::Location::caller()
}

/// Pitfall 62: every question works with thread-locals already gone, whether or not the thread had
/// asked before.
#[test]
fn every_question_is_answered_in_a_thread_locals_destructor() {
    let answered = Arc::new(AtomicUsize::new(0));
    for asked_before in [false, true] {
        let late = Late { answered: Arc::clone(&answered) };
        let body = move || {
            if asked_before {
                let mut deadline = Deadline::at(time::after(Duration::from_millis(1)));
                block_on(poll_fn(|cx| deadline.poll(cx)));
                let _ = (random::next(), TaskId::next());
            }
            LATE.set(Some(late));
        };
        thread::start("late".into(), None, body).unwrap().join().unwrap();
    }
    assert_eq!(answered.load(Ordering::Acquire), 2);
}
