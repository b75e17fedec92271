//! Tasks that are asked to end, and tokens that tasks have inherited, against polls and ends.

use goro_context::Cause;
use goro_context::cancel::{self, Ambient, CancelSource};
use goro_context::inherit::Head;
use loom::thread;

use super::*;

/// Ready once it hears that it is to end; counts its polls.
struct Listens(global::Arc<AtomicUsize>);

impl Future for Listens {
    type Output = Cause;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Cause> {
        self.0.fetch_add(1, Ordering::Relaxed);
        cancel::cause().map_or(Poll::Pending, Poll::Ready)
    }
}

fn cause_of<T>(handle: JoinHandle<T>) -> Result<T, Option<Cause>> {
    let mut handle = handle;
    match poll_once(&mut handle, Waker::noop()) {
        Poll::Ready(outcome) => outcome.map_err(|error| error.cause().cloned()),
        Poll::Pending => panic!("it was asked, and woken"),
    }
}

/// A question during a poll, its first parking included, is heard by the next poll.
#[test]
fn a_question_during_a_poll_is_heard() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, handle) = spawn(home, Listens(Default::default()));
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.ask(Cause::new("in words")));
        home.run(task);
        other.join().unwrap();
        home.drain();
        assert_eq!(cause_of(handle), Ok(Cause::new("in words")));
        assert!(home.registry.is_empty());
    });
}

/// A question and an abort: the cause is that of one of them, and the future goes once.
#[test]
fn a_question_and_an_abort_agree_on_a_cause() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, handle) = spawn(home, Listens(Default::default()));
        assert_eq!(home.run(task), None);
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.abort_with(Cause::new("aborted")));
        handle.ask(Cause::new("asked"));
        home.drain();
        other.join().unwrap();
        home.drain();
        let outcome = cause_of(handle);
        let aborted = Err(Some(Cause::new("aborted")));
        let asked = Err(Some(Cause::new("asked")));
        assert!(outcome == Ok(Cause::new("asked")) || outcome == aborted || outcome == asked);
    });
}

/// A question that comes as the task ends leaves nothing behind.
#[test]
fn a_question_and_the_end() {
    loom::model(|| {
        let home = Hand::leak();
        let (task, handle) = spawn(home, std::future::ready(5));
        let abort = handle.abort_handle();
        let other = thread::spawn(move || abort.ask(Cause::new("too late")));
        home.run(task);
        other.join().unwrap();
        home.drain();
        assert_eq!(cause_of(handle), Ok(5));
    });
}

/// A token of which the model says when it is cancelled.
struct Token {
    cancelled: atomic::AtomicBool,
    waiting: Lock<Option<Waker>>,
}

impl Token {
    fn cancel(&self) {
        self.cancelled.store(true, atomic::Ordering::Relaxed);
        let waiting = self.waiting.lock().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

impl CancelSource for Token {
    fn cause(&self) -> Option<Cause> {
        self.cancelled.load(atomic::Ordering::Relaxed).then_some(Cause::Cancelled)
    }

    fn register(&self, waker: &Waker) -> u64 {
        let waker = waker.clone();
        let mut waiting = self.waiting.lock();
        if self.cancelled.load(atomic::Ordering::Relaxed) {
            drop(waiting);
            waker.wake();
        } else {
            *waiting = Some(waker);
        }
        1
    }

    fn unregister(&self, _key: u64) {
        let left = self.waiting.lock().take();
        drop(left);
    }

    fn into_any(self: global::Arc<Self>) -> global::Arc<dyn std::any::Any + Send + Sync> {
        self
    }
}

/// A token that is cancelled as a task that inherited it first parks: the task hears of it; and when it has
/// ended, the token keeps no reference to it.
#[test]
fn a_task_hears_of_the_token_that_it_inherited() {
    loom::model(|| {
        let home = Hand::leak();
        let token = global::Arc::new(Token {
            cancelled: atomic::AtomicBool::new(false),
            waiting: Lock::new(None),
        });
        let ambient = Ambient::from_shared(token.clone());
        let meta = Meta { inherit: Head::EMPTY.push(ambient), ..Meta::OTHER };
        let (task, handle) = crate::spawn(Listens(Default::default()), home, meta);
        let other = {
            let token = token.clone();
            thread::spawn(move || token.cancel())
        };
        home.run(task);
        other.join().unwrap();
        home.drain();
        assert_eq!(cause_of(handle), Ok(Cause::Cancelled));
        assert!(token.waiting.lock().is_none());
        assert_eq!(global::Arc::strong_count(&token), 1);
    });
}
