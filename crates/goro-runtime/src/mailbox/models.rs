//! Models of the mailbox: no parcel is overlooked by an owner that sleeps, or left behind by one that
//! leaves.

use super::Mailbox;
use goro_reactor::{Nudge, Parker};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicU32, Ordering};
use loom::thread;

struct House {
    mailbox: Mailbox<u32>,
    parker: Parker,
    /// Senders that have given their last token: loom takes a late one for the end of a `join`.
    done: AtomicU32,
}

fn house() -> Arc<House> {
    let house = House { mailbox: Mailbox::new(), parker: Parker::new(), done: AtomicU32::new(0) };
    house.mailbox.open(1);
    house.parker.adopt();
    Arc::new(house)
}

fn token(house: &House) {
    if house.parker.give() == Nudge::Thread {
        house.parker.wake_thread();
    }
}

/// One sender: of two, one's late `unpark` would meet the owner inside the lock, where loom takes it for
/// the lock's.
#[test]
fn an_owner_that_lies_down_sees_every_parcel() {
    loom::model(|| {
        let house = house();
        let other = house.clone();
        let sender = thread::spawn(move || {
            for n in 0..2 {
                other.mailbox.post(n);
                token(&other);
            }
            other.done.fetch_add(1, Ordering::Relaxed);
        });
        let mut taken = 0;
        while taken < 2 {
            if house.mailbox.has_mail() {
                taken += house.mailbox.take().len();
            } else {
                house.parker.sleep(None);
            }
        }
        while house.done.load(Ordering::Relaxed) < 1 {
            thread::yield_now();
        }
        sender.join().unwrap();
        assert!(house.mailbox.close());
    });
}

/// A task that is sent to an owner which leaves meanwhile: it is refused, or waited for.
#[test]
fn a_parcel_meets_an_owner_that_leaves() {
    loom::model(|| {
        let house = house();
        let other = house.clone();
        let sender = thread::spawn(move || {
            let promised = other.mailbox.promise().is_some();
            if promised {
                other.mailbox.keep_promise(1);
                token(&other);
            }
            other.done.fetch_add(1, Ordering::Relaxed);
            promised
        });
        let mut taken = 0;
        loop {
            taken += house.mailbox.take().len();
            if house.mailbox.close() {
                break;
            }
            // Something was promised: its sender gives the token.
            if !house.mailbox.has_mail() {
                house.parker.sleep(None);
            }
        }
        while house.done.load(Ordering::Relaxed) < 1 {
            thread::yield_now();
        }
        assert_eq!(taken, usize::from(sender.join().unwrap()));
        assert!(!house.mailbox.has_mail());
    });
}
