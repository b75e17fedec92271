//! Channels of 32 places and more, where a receiver reads a block with no lock.

use core::mem::ManuallyDrop;

use goro_context::contain::quietly;

use super::*;

/// So many values a receiver of such a channel may count as having had before it has.
const BLOCK: usize = 2;
const CAPACITY: usize = 32;

#[test]
fn each_of_eight_threads_gets_every_value_in_order() {
    const VALUES: u64 = 20_000;
    let (sender, receiver) = channel(1024, OnLag::Wait);
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let mut receiver = receiver.clone();
            thread::start(format!("receiver {n}"), None, move || {
                core::iter::from_fn(|| receiver.blocking_recv().ok()).eq(0..VALUES)
            })
            .unwrap()
        })
        .collect();
    drop(receiver);
    assert!((0..VALUES).all(|value| sender.blocking_send(value) == Ok(8)));
    drop(sender);
    for thread in threads {
        assert!(thread.join().unwrap());
    }
}

#[test]
fn whoever_skips_is_told_of_each_value_that_it_has_not_had() {
    const VALUES: u64 = 50_000;
    let (sender, receiver) = channel(64, OnLag::Skip);
    let threads: Vec<_> = (0..3)
        .map(|n| {
            let mut receiver = receiver.clone();
            thread::start(format!("receiver {n}"), None, move || {
                let (mut next, mut missed) = (0, 0);
                loop {
                    match receiver.blocking_recv() {
                        Ok(value) => {
                            assert_eq!(value, next);
                            next += 1;
                        }
                        Err(RecvError::Lagged(count)) => {
                            next += count;
                            missed += count;
                        }
                        Err(_) => return (next, missed),
                    }
                }
            })
            .unwrap()
        })
        .collect();
    drop(receiver);
    let observer = sender.subscribe();
    assert!((0..VALUES).all(|value| sender.try_send(value) == Ok(4)));
    let lag = VALUES - 64;
    assert_eq!(observer.len(), 64);
    drop(sender);
    let mut all = lag;
    for thread in threads {
        let (next, missed) = thread.join().unwrap();
        assert_eq!(next, VALUES);
        all += missed;
    }
    assert_eq!(observer.counts().skipped, all);
}

/// A sender that waits hears of each place that a receiver makes, whether or not that goes on.
#[test]
fn a_receiver_that_stops_in_a_block_holds_up_no_sender_that_has_room() {
    for before in 0..8 {
        let (sender, mut receiver) = channel(CAPACITY, OnLag::Wait);
        let mut sent = 0;
        for value in 0..before {
            sender.try_send(sent).unwrap();
            sent += 1;
            assert_eq!(receiver.try_recv(), Ok(value));
        }
        while sender.try_send(sent).is_ok() {
            sent += 1;
        }
        let held = sent - before;
        assert!((CAPACITY..CAPACITY + BLOCK).contains(&held), "{held}");
        let woken = CountingWaker::new();
        let mut send = sender.send(sent);
        assert!(poll_with(&mut send, &woken.waker()).is_pending());
        for value in before..=sent - CAPACITY {
            assert_eq!(receiver.try_recv(), Ok(value));
        }
        assert_eq!(woken.count(), 1, "there is a place");
        assert_eq!(poll_with(&mut send, &woken.waker()), Poll::Ready(Ok(1)));
    }
}

/// Pitfalls 81, 83: values are dropped once, by whoever is the last to let a block go.
#[test]
fn values_of_blocks_are_dropped_once_whoever_goes() {
    for (panics, on_lag) in [(false, OnLag::Wait), (true, OnLag::Wait), (true, OnLag::Skip)] {
        let dropped = StdArc::new(AtomicUsize::new(0));
        let (sender, mut receiver) = channel(CAPACITY, on_lag);
        let others = [receiver.clone(), sender.subscribe()];
        let (mut sent, mut kept) = (0, Vec::new());
        while sent < 5 * CAPACITY / 4 {
            let value = Counted(StdArc::clone(&dropped), panics);
            if let Err(refused) = sender.try_send(value) {
                kept.push(ManuallyDrop::new(refused.into_inner()));
                break;
            }
            sent += 1;
        }
        let mut copies = 0;
        while copies < 7 {
            // One that has been lagging is told so first.
            if let Ok(copy) = receiver.try_recv() {
                copies += 1;
                kept.push(ManuallyDrop::new(copy));
            }
        }
        drop(receiver);
        drop(sender);
        drop(others);
        assert_eq!(dropped.load(Ordering::Relaxed), sent, "{panics} {on_lag:?}");
        for value in kept {
            quietly(|| drop(ManuallyDrop::into_inner(value)));
        }
    }
}

/// What a receiver lets go of that has missed it, or was cut off: a destructor may use the channel.
#[test]
fn who_is_late_lets_its_block_go_after_the_lock() {
    #[derive(Clone)]
    struct Nosy(Sender<Self>, StdArc<AtomicUsize>);
    impl Drop for Nosy {
        fn drop(&mut self) {
            let here = usize::from(self.0.capacity() == CAPACITY);
            self.1.fetch_add(here, Ordering::Relaxed);
        }
    }
    for (on_lag, told) in
        [(OnLag::Skip, TryRecvError::Lagged(1)), (OnLag::Disconnect, TryRecvError::Disconnected)]
    {
        let (sender, mut late) = channel(CAPACITY, on_lag);
        let dropped = StdArc::new(AtomicUsize::new(0));
        let send = || sender.try_send(Nosy(sender.clone(), StdArc::clone(&dropped)));
        (0..BLOCK).for_each(|_| assert!(send().is_ok()));
        drop(late.try_recv());
        let other = sender.subscribe();
        (0..CAPACITY).for_each(|_| assert!(send().is_ok()));
        assert_eq!(dropped.load(Ordering::Relaxed), 1, "it has the block");
        assert_eq!(late.try_recv().err(), Some(told));
        assert_eq!(dropped.load(Ordering::Relaxed), 1 + BLOCK);
        drop(other);
    }
}

#[test]
fn a_value_that_nobody_is_to_have_needs_no_memory() {
    let marks = Marks::new();
    let mut ring = Ring::<u8>::new(64, OnLag::Skip);
    assert_eq!(ring.needs_block(&marks), None);
    let _receiver = ring.add_receiver(&marks);
    assert_eq!(ring.needs_block(&marks), Some(4));
}

/// What all have had is dropped with the last of its block, and the block is used again.
#[test]
fn no_more_than_a_block_is_kept_of_what_all_have_had() {
    #[derive(Clone)]
    struct Counted(StdArc<()>);
    let alive = StdArc::new(());
    for on_lag in [OnLag::Wait, OnLag::Skip, OnLag::Disconnect] {
        let (sender, receiver) = channel(CAPACITY, on_lag);
        let mut receivers = [receiver.clone(), receiver];
        for sent in 0..10 * CAPACITY {
            assert!(sender.try_send(Counted(StdArc::clone(&alive))).is_ok());
            if sent % 3 == 0 {
                continue;
            }
            for receiver in &mut receivers {
                while let Ok(Counted(one)) = receiver.try_recv() {
                    drop(one);
                }
            }
            assert!(StdArc::strong_count(&alive) <= 1 + BLOCK, "{on_lag:?}, {sent}");
        }
        drop((sender, receivers));
        assert_eq!(StdArc::strong_count(&alive), 1);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Send(usize),
    Recv(usize, usize),
    Clone(usize),
    Subscribe,
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..40_usize).prop_map(Step::Send),
        6 => (0..4_usize, 1..20_usize).prop_map(|(at, count)| Step::Recv(at, count)),
        1 => (0..4_usize).prop_map(Step::Clone),
        1 => Just(Step::Subscribe),
        1 => (0..4_usize).prop_map(Step::Drop),
    ]
}

/// A receiver, what it is to get next, and what it has missed, told or not.
struct Guest {
    receiver: Receiver<usize>,
    next: usize,
}

fn run(on_lag: OnLag, steps: &[Step]) -> Result<(), TestCaseError> {
    let (sender, receiver) = channel(CAPACITY, on_lag);
    let mut guests = vec![Guest { receiver, next: 0 }];
    let (mut sent, mut skipped, mut cut_off) = (0, 0, 0);
    for &step in steps {
        match step {
            Step::Send(count) => {
                for _ in 0..count {
                    let latest = guests.iter().map(|guest| guest.next).min().unwrap_or(sent);
                    match sender.try_send(sent) {
                        Ok(receivers) => {
                            prop_assert_eq!(receivers, sender.receiver_count());
                            sent += 1;
                            let bound = latest + CAPACITY + BLOCK;
                            prop_assert!(on_lag != OnLag::Wait || sent <= bound);
                        }
                        Err(TrySendError::Full(value)) => {
                            prop_assert!(on_lag == OnLag::Wait && value == sent);
                            prop_assert!(sent >= latest + CAPACITY);
                        }
                        Err(TrySendError::Closed(value)) => {
                            prop_assert_eq!((value, sender.receiver_count()), (sent, 0));
                        }
                    }
                }
            }
            Step::Recv(at, count) => {
                let Some(guest) = guests.get_mut(at) else { continue };
                for _ in 0..count {
                    match guest.receiver.try_recv() {
                        Ok(value) => {
                            prop_assert_eq!(value, guest.next);
                            prop_assert!(on_lag == OnLag::Wait || value + CAPACITY >= sent);
                            guest.next += 1;
                        }
                        Err(TryRecvError::Empty) => prop_assert_eq!(guest.next, sent),
                        Err(TryRecvError::Lagged(missed)) => {
                            prop_assert!(on_lag == OnLag::Skip && missed > 0);
                            guest.next += missed as usize;
                            prop_assert_eq!(guest.next, sent - CAPACITY);
                        }
                        Err(TryRecvError::Disconnected) => {
                            prop_assert!(on_lag == OnLag::Disconnect);
                            prop_assert!(guest.next + CAPACITY <= sent);
                            cut_off += 1;
                            drop(guests.swap_remove(at));
                            break;
                        }
                        Err(TryRecvError::Closed) => prop_assert!(false, "there is a sender"),
                    }
                }
            }
            Step::Clone(at) => {
                if let Some(Guest { receiver, next }) = guests.get(at) {
                    guests.push(Guest { receiver: receiver.clone(), next: *next });
                }
            }
            Step::Subscribe => {
                guests.push(Guest { receiver: sender.subscribe(), next: sent });
            }
            Step::Drop(at) => {
                if at < guests.len() {
                    drop(guests.swap_remove(at));
                }
            }
        }
        skipped = sender.counts().skipped.max(skipped);
        prop_assert_eq!(sender.counts().skipped, skipped, "it never falls");
        let latest = guests.iter().map(|guest| guest.next).min().unwrap_or(sent);
        prop_assert!(
            sender.len() <= sent - latest && sent - latest <= sender.len() + BLOCK
                || on_lag != OnLag::Wait
        );
        for guest in &guests {
            let len = sent - guest.next;
            let held = match on_lag {
                OnLag::Wait => len,
                OnLag::Skip => len.min(CAPACITY),
                // Nobody may have had the value that cut it off.
                OnLag::Disconnect if guest.receiver.is_empty() && len >= CAPACITY => 0,
                OnLag::Disconnect if len > CAPACITY => 0,
                OnLag::Disconnect => len,
            };
            prop_assert_eq!(guest.receiver.len(), held);
        }
    }
    // One that is cloned when it is cut off counts once.
    prop_assert_eq!(cut_off > 0, cut_off > 0 && sender.counts().disconnected > 0);
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whoever_waits_misses_nothing(steps in proptest::collection::vec(step(), 1..60)) {
        run(OnLag::Wait, &steps)?;
    }

    #[test]
    fn whoever_skips_misses_what_it_is_told(steps in proptest::collection::vec(step(), 1..60)) {
        run(OnLag::Skip, &steps)?;
    }

    #[test]
    fn whoever_is_late_is_cut_off(steps in proptest::collection::vec(step(), 1..60)) {
        run(OnLag::Disconnect, &steps)?;
    }
}
