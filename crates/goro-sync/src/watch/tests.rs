use core::task::{Poll, Waker};

use futures::executor::block_on;
use goro_shim::global::Arc as StdArc;
use goro_shim::thread;
use proptest::prelude::*;

use super::*;
use crate::testing::{CountingWaker, cases, poll_with};

#[test]
fn readers_see_the_latest_value_and_each_change_once() {
    let (sender, mut receiver) = channel(0);
    assert_eq!(receiver.has_changed(), Ok(false));
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!((receiver.has_changed(), *receiver.borrow()), (Ok(true), 2));
    block_on(receiver.changed()).unwrap();
    assert_eq!(receiver.has_changed(), Ok(false));
    assert!(poll_with(&mut receiver.changed(), Waker::noop()).is_pending());
    receiver.mark_changed();
    assert_eq!(*receiver.borrow_and_update(), 2);
    assert!(poll_with(&mut receiver.changed(), Waker::noop()).is_pending());
    sender.send(3).unwrap();
    receiver.mark_unchanged();
    assert_eq!(receiver.has_changed(), Ok(false));
}

/// Pitfall 117: the version goes round between the first values of a debug build.
#[test]
fn the_version_goes_round_without_a_change_too_many_or_too_few() {
    let (sender, mut receiver) = channel(0);
    for n in 1..6 {
        assert_eq!(receiver.has_changed(), Ok(false));
        sender.send(n).unwrap();
        assert_eq!(receiver.has_changed(), Ok(true));
        assert_eq!(*receiver.borrow_and_update(), n);
    }
    assert_eq!(receiver.shared.version(), FIRST.wrapping_add(5));
}

#[test]
fn who_waits_for_a_value_is_not_woken_to_it_by_others() {
    let (sender, mut receiver) = channel(0);
    assert_eq!(*block_on(receiver.wait_for(|n| *n == 0)).unwrap(), 0);
    let other = thread::start("waiter".into(), None, move || {
        receiver.blocking_wait_for(|n| *n >= 50).map(|n| *n)
    })
    .unwrap();
    for n in 1..=50 {
        sender.send(n).unwrap();
    }
    assert_eq!(other.join().unwrap(), Ok(50));
    let mut receiver = sender.subscribe();
    drop(sender);
    assert_eq!(block_on(receiver.wait_for(|n| *n == 7)).unwrap_err(), ChangedError::Closed);
    assert_eq!(*block_on(receiver.wait_for(|n| *n == 50)).unwrap(), 50);
}

#[test]
fn a_reader_holds_up_nobody_and_keeps_what_it_looks_at() {
    let (sender, receiver) = channel(String::from("old"));
    let (one, two) = (receiver.borrow(), receiver.borrow());
    sender.send("new".into()).unwrap();
    assert_eq!((&**one, &**two, &**receiver.borrow()), ("old", "old", "new"));
}

#[test]
fn a_value_that_nobody_looks_at_is_dropped_when_it_is_replaced() {
    let values: Vec<_> = (0..4).map(StdArc::new).collect();
    let count = |n: usize| StdArc::strong_count(&values[n]);
    let (sender, receiver) = channel(StdArc::clone(&values[0]));
    sender.send(StdArc::clone(&values[1])).unwrap();
    assert_eq!((count(0), count(1)), (1, 2));
    let seen = receiver.borrow();
    let old = sender.send_replace(StdArc::clone(&values[2]));
    assert_eq!((count(1), **old), (2, 1));
    drop((seen, old));
    assert_eq!(count(1), 1);
    drop(sender);
    assert_eq!(**receiver.borrow(), 2);
    drop(receiver);
    assert_eq!(count(2), 1);
}

#[test]
fn changes_are_made_from_the_newest_value() {
    let (sender, receiver) = channel(vec![1]);
    sender.send_modify(|list| list.push(2));
    let mut raced = false;
    sender.send_modify(|list| {
        if !core::mem::replace(&mut raced, true) {
            sender.send_modify(|list| list.push(3));
        }
        list.push(4);
    });
    assert_eq!(*receiver.borrow(), [1, 2, 3, 4]);
    assert!(!sender.send_if_modified(|_| false));
    assert!(sender.send_if_modified(|list| list.pop().is_some()));
    assert_eq!(*receiver.borrow(), [1, 2, 3]);
}

#[test]
fn the_end_of_receivers_is_told_and_not_for_ever() {
    let (sender, receiver) = channel(0);
    let woken = CountingWaker::new();
    let mut closed = sender.closed();
    assert!(poll_with(&mut closed, &woken.waker()).is_pending());
    drop(receiver.clone());
    assert_eq!(woken.count(), 0);
    drop(receiver);
    assert_eq!(woken.count(), 1);
    assert!(poll_with(&mut closed, &woken.waker()).is_ready());
    drop(closed);
    assert_eq!(sender.send(1), Err(SendError(1)));
    let receiver = sender.subscribe();
    sender.send(2).unwrap();
    assert!(poll_with(&mut sender.closed(), &woken.waker()).is_pending());
    assert_eq!(*receiver.borrow(), 2);
    assert_eq!(woken.references(), 1);
}

/// Pitfall 81 for this primitive: what panics when it is dropped has been replaced by then.
#[test]
fn a_value_whose_destructor_panics_leaves_the_next_one_in_its_place() {
    struct Panics(u32);
    impl Drop for Panics {
        fn drop(&mut self) {
            if self.0 == 0 {
                std::panic::panic_any("a destructor");
            }
        }
    }
    let (sender, mut receiver) = channel(Panics(0));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sender.send(Panics(1))));
    assert!(outcome.is_err());
    assert_eq!(block_on(receiver.changed()), Ok(()));
    assert_eq!(receiver.borrow().0, 1);
}

/// What may be done to a watch with some receivers.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    Poll(usize),
    Abandon(usize),
    Update(usize),
    Clone(usize),
    Subscribe,
    DropReceiver(usize),
    CloneSender,
    DropSender,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Send),
        6 => (0..4_usize).prop_map(Step::Poll),
        1 => (0..4_usize).prop_map(Step::Abandon),
        2 => (0..4_usize).prop_map(Step::Update),
        1 => (0..4_usize).prop_map(Step::Clone),
        1 => Just(Step::Subscribe),
        2 => (0..4_usize).prop_map(Step::DropReceiver),
        1 => Just(Step::CloneSender),
        1 => Just(Step::DropSender),
    ]
}

/// A receiver with what it should know: how many values were sent when it last looked.
struct Guest {
    receiver: Receiver<usize>,
    seen: usize,
    woken: CountingWaker,
    /// Whether it has a waker in line that was not called, as far as it can know.
    waits: bool,
}

impl Guest {
    fn new(receiver: Receiver<usize>, seen: usize) -> Self {
        Self { receiver, seen, woken: CountingWaker::new(), waits: false }
    }
}

/// The channel with what should be true of it.
struct Case {
    senders: Vec<Sender<usize>>,
    guests: Vec<Guest>,
    sent: usize,
}

impl Case {
    fn run(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Send => self.send()?,
            Step::Poll(at) => self.poll(at, true)?,
            Step::Abandon(at) => self.poll(at, false)?,
            Step::Update(at) => {
                if let Some(guest) = self.guests.get_mut(at) {
                    prop_assert_eq!(*guest.receiver.borrow_and_update(), self.sent);
                    guest.seen = self.sent;
                }
            }
            Step::Clone(at) => {
                if let Some(guest) = self.guests.get(at) {
                    let clone = Guest::new(guest.receiver.clone(), guest.seen);
                    self.guests.push(clone);
                }
            }
            Step::Subscribe => {
                if let Some(sender) = self.senders.first() {
                    self.guests.push(Guest::new(sender.subscribe(), self.sent));
                }
            }
            Step::DropReceiver(at) => {
                if at < self.guests.len() {
                    let Guest { receiver, woken, .. } = self.guests.swap_remove(at);
                    drop(receiver);
                    prop_assert_eq!(woken.references(), 1, "a waker was kept");
                }
            }
            Step::CloneSender => self.senders.extend(self.senders.first().cloned()),
            Step::DropSender => drop(self.senders.pop()),
        }
        if let Some(sender) = self.senders.first() {
            prop_assert_eq!(sender.receiver_count(), self.guests.len());
            prop_assert_eq!(sender.sender_count(), self.senders.len());
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), TestCaseError> {
        let Some(sender) = self.senders.first() else { return Ok(()) };
        let before: Vec<_> = self.guests.iter().map(|guest| guest.woken.count()).collect();
        if sender.send(self.sent + 1).is_err() {
            prop_assert!(self.guests.is_empty());
            return Ok(());
        }
        self.sent += 1;
        for (guest, before) in self.guests.iter_mut().zip(before) {
            prop_assert!(!guest.waits || guest.woken.count() == before + 1, "not woken");
            guest.waits = false;
        }
        Ok(())
    }

    fn poll(&mut self, at: usize, keep: bool) -> Result<(), TestCaseError> {
        let Some(guest) = self.guests.get_mut(at) else { return Ok(()) };
        let expected = if guest.seen != self.sent {
            Poll::Ready(Ok(()))
        } else if self.senders.is_empty() {
            Poll::Ready(Err(ChangedError::Closed))
        } else {
            Poll::Pending
        };
        let mut changed = guest.receiver.changed();
        let (waits, sees) = (expected.is_pending(), expected == Poll::Ready(Ok(())));
        prop_assert_eq!(poll_with(&mut changed, &guest.woken.waker()), expected);
        // One that is forgotten goes on standing in line, as a task does that is polled again.
        if keep {
            let _kept = core::mem::ManuallyDrop::new(changed);
        } else {
            drop(changed);
        }
        guest.waits = keep && waits;
        if sees {
            guest.seen = self.sent;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 1..40)) {
        let (sender, receiver) = channel(0);
        let mut case = Case { senders: vec![sender], guests: vec![Guest::new(receiver, 0)], sent: 0 };
        for step in steps {
            case.run(step)?;
        }
        // The last sender's end is told to all who wait.
        let before: Vec<_> = case.guests.iter().map(|guest| guest.woken.count()).collect();
        let had_senders = !case.senders.is_empty();
        case.senders.clear();
        for (guest, before) in case.guests.iter().zip(before) {
            let due = guest.waits && had_senders;
            prop_assert!(!due || guest.woken.count() == before + 1, "not woken by the end");
        }
    }
}
