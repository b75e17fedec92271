//! Random sequences of what may be done to a broadcast, against lists.

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    PollSend(usize),
    DropSend(usize),
    Recv(usize),
    Wait(usize),
    Clone(usize),
    Subscribe,
    DropReceiver(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => Just(Step::Send),
        3 => (0..4_usize).prop_map(Step::PollSend),
        1 => (0..4_usize).prop_map(Step::DropSend),
        5 => (0..4_usize).prop_map(Step::Recv),
        2 => (0..4_usize).prop_map(Step::Wait),
        1 => (0..4_usize).prop_map(Step::Clone),
        1 => Just(Step::Subscribe),
        1 => (0..4_usize).prop_map(Step::DropReceiver),
    ]
}

/// A receiver and what the model knows of it.
struct Guest {
    receiver: Receiver<usize>,
    next: usize,
    cut_off: bool,
}

/// A send that waits.
struct Waiting<'a> {
    send: SendFuture<'a, usize>,
    woken: CountingWaker,
    seen: usize,
}

impl Waiting<'_> {
    fn was_called(&self) -> bool {
        self.woken.count() > self.seen
    }
}

/// The channel, and what should be true of it. Values are numbered as they go in.
struct Case<'a> {
    sender: &'a Sender<usize>,
    on_lag: OnLag,
    capacity: usize,
    guests: Vec<Guest>,
    waiting: Vec<Waiting<'a>>,
    /// Those that went in.
    sent: usize,
    skipped: u64,
}

impl<'a> Case<'a> {
    /// The oldest value that somebody has yet to have.
    fn first(&self) -> usize {
        let connected = self.guests.iter().filter(|guest| !guest.cut_off);
        let oldest = connected.map(|guest| guest.next).min().unwrap_or(self.sent);
        match self.on_lag {
            OnLag::Wait | OnLag::Disconnect => oldest,
            OnLag::Skip => oldest.max(self.sent.saturating_sub(self.capacity)),
        }
    }

    fn len(&self) -> usize {
        self.sent - self.first()
    }

    fn connected(&self) -> usize {
        self.guests.iter().filter(|guest| !guest.cut_off).count()
    }

    /// A value has gone in.
    fn went_in(&mut self) {
        let full = self.len() == self.capacity;
        let first = self.first();
        if full {
            for guest in
                self.guests.iter_mut().filter(|guest| !guest.cut_off && guest.next <= first)
            {
                match self.on_lag {
                    OnLag::Skip => self.skipped += 1,
                    OnLag::Disconnect => guest.cut_off = true,
                    OnLag::Wait => unreachable!("it does not go in"),
                }
            }
        }
        self.sent += 1;
    }

    fn run(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Send => self.send()?,
            Step::PollSend(at) => self.poll_send(at)?,
            Step::DropSend(at) => {
                if at < self.waiting.len() {
                    let Waiting { send, woken, .. } = self.waiting.remove(at);
                    prop_assert!(send.into_inner().is_some());
                    prop_assert_eq!(woken.references(), 1);
                }
            }
            Step::Recv(at) => self.recv(at)?,
            Step::Wait(at) => {
                if let Some(guest) =
                    self.guests.get_mut(at).filter(|guest| guest.receiver.is_empty())
                {
                    let woken = CountingWaker::new();
                    let polled = poll_with(&mut guest.receiver.recv(), &woken.waker());
                    prop_assert!(polled.is_pending() || guest.cut_off);
                    prop_assert_eq!(woken.references(), 1);
                }
            }
            Step::Clone(at) => {
                if let Some(guest) = self.guests.get(at) {
                    let (next, cut_off) = (guest.next, guest.cut_off);
                    self.guests.push(Guest { receiver: guest.receiver.clone(), next, cut_off });
                }
            }
            Step::Subscribe => {
                let receiver = self.sender.subscribe();
                self.guests.push(Guest { receiver, next: self.sent, cut_off: false });
            }
            Step::DropReceiver(at) => {
                if at < self.guests.len() {
                    drop(self.guests.swap_remove(at));
                }
            }
        }
        prop_assert_eq!(self.sender.receiver_count(), self.connected());
        prop_assert_eq!(self.sender.len(), self.len());
        prop_assert_eq!(self.sender.counts().skipped, self.skipped);
        prop_assert_eq!(self.sender.counts().sent, self.sent as u64);
        let room = self.len() < self.capacity || self.connected() == 0;
        prop_assert!(
            !room || self.waiting.is_empty() || self.waiting.iter().any(Waiting::was_called),
            "there is room, senders wait, and nobody was called"
        );
        Ok(())
    }

    /// A send that goes in at once, or waits.
    fn send(&mut self) -> Result<(), TestCaseError> {
        let woken = CountingWaker::new();
        let mut send = self.sender.send(self.sent);
        let polled = poll_with(&mut send, &woken.waker());
        let full = self.on_lag == OnLag::Wait && self.len() == self.capacity;
        match polled {
            Poll::Ready(Err(SendError::Cancelled(..))) => unreachable!("nobody is asked to stop"),
            Poll::Ready(Err(SendError::Closed(_))) => {
                // The last receivers may have been cut off by this very send.
                if self.connected() > 0 {
                    prop_assert_eq!(self.on_lag, OnLag::Disconnect);
                    self.guests.iter_mut().for_each(|guest| guest.cut_off = true);
                }
            }
            Poll::Ready(Ok(receivers)) => {
                // It passes nobody who stands in line; those who were called have their places.
                prop_assert!(!full && self.waiting.iter().all(Waiting::was_called));
                self.went_in();
                prop_assert_eq!(receivers, self.connected());
            }
            Poll::Pending => {
                prop_assert!(full || !self.waiting.is_empty());
                self.waiting.push(Waiting { send, woken, seen: 0 });
            }
        }
        Ok(())
    }

    fn poll_send(&mut self, at: usize) -> Result<(), TestCaseError> {
        let Some(waiting) = self.waiting.get_mut(at) else { return Ok(()) };
        let called = waiting.was_called();
        waiting.seen = waiting.woken.count();
        match poll_with(&mut waiting.send, &waiting.woken.waker()) {
            Poll::Pending => {}
            Poll::Ready(outcome) => {
                drop(self.waiting.remove(at));
                if outcome.is_ok() {
                    prop_assert!(called, "one that was not called has gone before others");
                    self.went_in();
                } else {
                    prop_assert_eq!(self.connected(), 0);
                }
            }
        }
        Ok(())
    }

    fn recv(&mut self, at: usize) -> Result<(), TestCaseError> {
        let (first, sent) = (self.first(), self.sent);
        let Some(guest) = self.guests.get_mut(at) else { return Ok(()) };
        let expected = if guest.cut_off {
            Err(TryRecvError::Disconnected)
        } else if guest.next < first {
            let missed = first - guest.next;
            guest.next = first;
            Err(TryRecvError::Lagged(missed as u64))
        } else if guest.next < sent {
            guest.next += 1;
            Ok(guest.next)
        } else {
            Err(TryRecvError::Empty)
        };
        let received = guest.receiver.try_recv();
        // Values are told apart by their places only if senders did not wait.
        prop_assert_eq!(received.map(|_| ()), expected.map(|_| ()));
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn it_does_what_the_model_does(
        on_lag in prop::sample::select(vec![OnLag::Skip, OnLag::Wait, OnLag::Disconnect]),
        capacity in 1..4_usize,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (sender, receiver) = channel(capacity, on_lag);
        let guests = vec![Guest { receiver, next: 0, cut_off: false }];
        let mut case = Case {
            sender: &sender, on_lag, capacity, guests, waiting: vec![], sent: 0, skipped: 0,
        };
        for step in steps {
            case.run(step)?;
        }
    }

    /// What each receiver gets are the values in the order in which they went in, less what it was
    /// told that it has missed.
    #[test]
    fn values_come_in_order_with_the_gaps_that_were_told(
        capacity in 1..5_usize,
        steps in prop::collection::vec((any::<bool>(), 0..3_usize), 1..80),
    ) {
        let (sender, receiver) = channel(capacity, OnLag::Skip);
        let mut receivers = vec![(receiver, 0)];
        receivers.extend((0..2).map(|_| (sender.subscribe(), 0)));
        let mut sent = 0_u64;
        for (sends, at) in steps {
            if sends {
                prop_assert_eq!(sender.try_send(sent), Ok(3));
                sent += 1;
                continue;
            }
            let (receiver, next) = &mut receivers[at];
            match receiver.try_recv() {
                Ok(value) => {
                    prop_assert_eq!(value, *next);
                    *next += 1;
                }
                Err(TryRecvError::Lagged(missed)) => *next += missed,
                Err(error) => prop_assert_eq!((error, *next), (TryRecvError::Empty, sent)),
            }
        }
    }
}
