use core::pin::pin;
use core::task::Waker;
use std::task::Wake;

use futures::executor::block_on;
use goro_shim::global::{Arc as StdArc, AtomicUsize, Lock as Plain, Ordering};
use goro_shim::thread;
use proptest::prelude::*;

use super::*;
use crate::testing::{CountingWaker, cases, poll_with};

#[test]
fn a_value_sent_before_or_after_the_poll_arrives() {
    let (sender, receiver) = channel();
    sender.send("before").unwrap();
    assert_eq!(block_on(receiver), Ok("before"));
    let (sender, receiver) = channel();
    let other = thread::start("sender".into(), None, move || sender.send("after")).unwrap();
    assert_eq!(receiver.blocking_recv(), Ok("after"));
    assert_eq!(other.join().unwrap(), Ok(()));
}

#[test]
fn what_cannot_be_delivered_comes_back() {
    let (sender, receiver) = channel();
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.send(String::from("back")), Err(SendError("back".into())));
    let (sender, mut receiver) = channel();
    receiver.close();
    assert_eq!(sender.send(1), Err(SendError(1)));
    assert_eq!(block_on(&mut receiver), Err(RecvError::Closed));
    // Polled again it says the same.
    assert!(receiver.is_terminated());
    assert_eq!(block_on(receiver), Err(RecvError::Closed));
}

/// Pitfall 109.
#[test]
fn a_value_that_was_sent_before_the_close_is_received() {
    let (sender, mut receiver) = channel();
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_timeout_leaves_everything_as_it_was() {
    let (sender, mut receiver) = channel();
    let short = Duration::from_millis(1);
    assert_eq!(receiver.blocking_recv_timeout(short), Err(RecvTimeoutError::Timeout));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    sender.send(1).unwrap();
    assert_eq!(block_on(receiver.recv_timeout(Duration::ZERO)), Ok(1));
    assert_eq!(receiver.blocking_recv_timeout(short), Err(RecvTimeoutError::Closed));
}

#[test]
fn by_reference_it_may_lose_a_select() {
    let (sender, mut receiver) = channel();
    let mut sender = Some(sender);
    let value = block_on(async {
        loop {
            crate::select! {
                strict;
                value = &mut receiver => break value,
                default => sender.take().expect("one round is enough").send(5).unwrap(),
            }
        }
    });
    assert_eq!(value, Ok(5));
}

#[test]
fn a_value_is_dropped_with_whoever_has_it() {
    let value = StdArc::new(());
    let (sender, receiver) = channel();
    sender.send(StdArc::clone(&value)).unwrap();
    assert_eq!(StdArc::strong_count(&value), 2);
    drop(receiver);
    assert_eq!(StdArc::strong_count(&value), 1);
}

/// Pitfall 111: whatever a waker does when it is cloned, woken or dropped.
#[test]
fn wakers_may_call_back() {
    struct CallsBack {
        receiver: Plain<Option<Receiver<u32>>>,
        woken: AtomicUsize,
    }
    impl Wake for CallsBack {
        fn wake(self: StdArc<Self>) {
            self.woken.fetch_add(1, Ordering::Relaxed);
            let taken = self.receiver.lock().take();
            if let Some(mut receiver) = taken {
                assert_eq!(receiver.try_recv(), Ok(9));
            }
        }
    }
    let (sender, mut receiver) = channel();
    let state = StdArc::new(CallsBack { receiver: Plain::new(None), woken: AtomicUsize::new(0) });
    let waker = Waker::from(StdArc::clone(&state));
    assert!(pin!(&mut receiver).poll(&mut Context::from_waker(&waker)).is_pending());
    *state.receiver.lock() = Some(receiver);
    sender.send(9).unwrap();
    assert_eq!(state.woken.load(Ordering::Relaxed), 1);
}

/// Pitfall 112.
#[test]
fn a_waker_that_panics_takes_nothing_with_it() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: StdArc<Self>) {
            std::panic::panic_any("a waker");
        }
    }
    let (sender, mut receiver) = channel();
    let waker = Waker::from(StdArc::new(Panics));
    assert!(pin!(&mut receiver).poll(&mut Context::from_waker(&waker)).is_pending());
    sender.send(2).unwrap();
    assert_eq!(receiver.try_recv(), Ok(2));
}

/// Pitfall 91: polls for nothing cost nothing, and the last waker is the one that counts.
#[test]
fn polls_for_nothing_leave_nothing_behind() {
    let (sender, mut receiver) = channel();
    let wakers: Vec<_> = (0..3).map(|_| CountingWaker::new()).collect();
    for round in 0..30_000 {
        assert!(poll_with(&mut receiver, &wakers[round % 3].waker()).is_pending());
    }
    assert!(wakers.iter().map(CountingWaker::references).eq([1, 1, 2]));
    sender.send(()).unwrap();
    assert!(wakers.iter().map(CountingWaker::count).eq([0, 0, 1]));
    assert_eq!(poll_with(&mut receiver, Waker::noop()), Poll::Ready(Ok(())));
}

/// What may be done to one channel, in any order.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    DropSender,
    AskClosed,
    PollClosed,
    Poll,
    TryRecv,
    Close,
    DropReceiver,
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    prop::sample::select(vec![
        Send,
        DropSender,
        AskClosed,
        PollClosed,
        Poll,
        Poll,
        TryRecv,
        Close,
        DropReceiver,
    ])
}

/// The channel as one would explain it.
#[derive(Default)]
struct Model {
    value: Option<u32>,
    sender_done: bool,
    closed: bool,
    over: bool,
    waits: bool,
}

impl Model {
    fn receive(&mut self) -> Result<u32, TryRecvError> {
        if self.over {
            return Err(TryRecvError::Closed);
        }
        match self.value.take() {
            Some(value) => {
                self.over = true;
                Ok(value)
            }
            None if self.sender_done || self.closed => {
                self.over = true;
                Err(TryRecvError::Closed)
            }
            None => Err(TryRecvError::Empty),
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 1..12)) {
        let (sender, receiver) = channel();
        let (mut sender, mut receiver) = (Some(sender), Some(receiver));
        let mut model = Model::default();
        let woken = CountingWaker::new();
        for step in steps {
            let before = woken.count();
            // Whether a receiver that waits is to hear of this step.
            let mut news = false;
            match step {
                Step::Send => if let Some(sender) = sender.take() {
                    news = !model.closed;
                    model.sender_done = true;
                    if news {
                        model.value = Some(1);
                    }
                    prop_assert_eq!(sender.send(1).is_ok(), news);
                }
                Step::DropSender => if let Some(sender) = sender.take() {
                    news = true;
                    model.sender_done = true;
                    drop(sender);
                }
                Step::AskClosed => if let Some(sender) = &sender {
                    prop_assert_eq!(sender.is_closed(), model.closed);
                }
                Step::PollClosed => if let Some(sender) = &mut sender {
                    let polled = poll_with(&mut sender.closed(), Waker::noop());
                    prop_assert_eq!(polled.is_ready(), model.closed);
                }
                Step::Poll => if let Some(receiver) = &mut receiver {
                    let expected = match model.receive() {
                        Ok(value) => Poll::Ready(Ok(value)),
                        Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError::Closed)),
                        Err(TryRecvError::Empty) => Poll::Pending,
                    };
                    model.waits = expected.is_pending();
                    prop_assert_eq!(poll_with(receiver, &woken.waker()), expected);
                }
                Step::TryRecv => if let Some(receiver) = &mut receiver {
                    prop_assert_eq!(receiver.try_recv(), model.receive());
                    model.waits = false;
                }
                Step::Close => if let Some(receiver) = &mut receiver {
                    receiver.close();
                    model.closed |= !model.over;
                }
                Step::DropReceiver => if let Some(receiver) = receiver.take() {
                    drop(receiver);
                    model.closed |= !model.over;
                    model.waits = false;
                }
            }
            let expected = usize::from(news && model.waits);
            prop_assert_eq!(woken.count() - before, expected, "{:?}", step);
            model.waits &= !news;
        }
        drop((sender, receiver));
        prop_assert_eq!(woken.references(), 1, "a waker was kept");
    }
}
