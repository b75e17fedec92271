//! Models of an end: it begins beside those who enter and leave, and is taken further by one of them.

use super::{Books, Phase, Turns};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use loom::thread;

struct House {
    books: Books<()>,
    turns: Turns,
    terminated: AtomicUsize,
    /// How many work who were let in.
    working: AtomicUsize,
}

impl House {
    fn new() -> Arc<Self> {
        let (terminated, working) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { books: Books::new(), turns: Turns::new(), terminated, working })
    }

    fn look(&self) {
        self.turns.take(|| {
            if self.books.terminate(false) {
                assert_eq!(self.working.load(Ordering::Acquire), 0, "somebody was cut short");
                self.terminated.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    fn initiate(&self) {
        if self.books.begin() {
            self.look();
        }
    }

    fn work(&self) -> bool {
        let Ok(key) = self.books.enter(()) else { return false };
        self.working.fetch_add(1, Ordering::Relaxed);
        assert!(self.books.phase() < Phase::Terminating);
        self.working.fetch_sub(1, Ordering::Release);
        if self.books.leave(key).last {
            self.look();
        }
        true
    }
}

fn began(house: &Arc<House>, f: impl Fn(&House) + Send + 'static) -> thread::JoinHandle<()> {
    let house = Arc::clone(house);
    thread::spawn(move || f(&house))
}

/// The last guard leaves as the end begins: one of the two takes it further, and one alone.
#[test]
fn the_end_begins_as_the_last_guard_leaves() {
    loom::model(|| {
        let house = House::new();
        let key = house.books.enter(()).unwrap();
        let initiates = began(&house, House::initiate);
        if house.books.leave(key).last {
            house.look();
        }
        initiates.join().unwrap();
        assert_eq!(house.terminated.load(Ordering::Relaxed), 1);
        assert_eq!(house.books.phase(), Phase::Terminating);
    });
}

/// Two who work meet the end: whoever was let in is waited for, and it comes, once.
#[test]
fn who_is_let_in_is_waited_for() {
    loom::model(|| {
        let house = House::new();
        let works = began(&house, |house| _ = house.work());
        let initiates = began(&house, House::initiate);
        house.work();
        works.join().unwrap();
        initiates.join().unwrap();
        assert_eq!(house.terminated.load(Ordering::Relaxed), 1);
        assert!(!house.work(), "nobody is let in afterwards");
    });
}

/// Two that begin it: one of them does.
#[test]
fn two_begin_one_end() {
    loom::model(|| {
        let house = House::new();
        let other = began(&house, House::initiate);
        house.initiate();
        other.join().unwrap();
        assert_eq!(house.terminated.load(Ordering::Relaxed), 1);
    });
}

/// What is done before a look is asked for is seen by one that begins afterwards, whoever has it.
#[test]
fn a_look_that_is_asked_for_is_had() {
    loom::model(|| {
        let house = Arc::new((Turns::new(), AtomicUsize::new(0), AtomicUsize::new(0)));
        let ask = |house: &(Turns, AtomicUsize, AtomicUsize)| {
            let (turns, done, seen) = house;
            done.fetch_add(1, Ordering::Relaxed);
            turns.take(|| seen.store(done.load(Ordering::Relaxed), Ordering::Relaxed));
        };
        let other = {
            let house = Arc::clone(&house);
            thread::spawn(move || ask(&house))
        };
        ask(&house);
        other.join().unwrap();
        assert_eq!(house.2.load(Ordering::Relaxed), 2);
    });
}
