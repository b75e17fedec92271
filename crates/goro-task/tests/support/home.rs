// The smallest home: one line of runnables under a lock, worked off by whoever calls.
//
// A module of the tests, and of the examples in the documentation.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

use goro_shim::global::{Arc, Lock};
use goro_shim::thread;
use goro_task::{Home, Homes, Parcel, Ran, Registry, Runnable};

/// A line of tasks waiting to be run.
pub(crate) struct Line {
    number: u32,
    waiting: Lock<VecDeque<Runnable<Line>>>,
    parcels: Lock<VecDeque<Parcel<Line>>>,
    registry: Registry<Line>,
}

static LINES: Homes<Line> = Homes::new();

impl Home for Line {
    fn number(&'static self) -> u32 {
        self.number
    }

    fn numbered(number: u32) -> &'static Self {
        LINES.get(number)
    }

    fn registry(&'static self) -> &'static Registry<Self> {
        &self.registry
    }

    fn schedule(&'static self, task: Runnable<Self>) {
        self.waiting.lock().push_back(task);
    }

    fn schedule_local(&'static self, parcel: Parcel<Self>) {
        self.parcels.lock().push_back(parcel);
    }
}

impl Line {
    /// A home, for ever.
    pub(crate) fn leak() -> &'static Self {
        LINES.leak(|number| Self {
            number,
            waiting: Lock::default(),
            parcels: Lock::default(),
            registry: Registry::new(),
        })
    }

    /// The registry.
    pub(crate) fn registry_of(&self) -> &Registry<Self> {
        &self.registry
    }

    /// Takes the first runnable out of the line.
    pub(crate) fn next(&'static self) -> Option<Runnable<Self>> {
        self.waiting.lock().pop_front()
    }

    /// Takes the first parcel.
    pub(crate) fn next_parcel(&'static self) -> Option<Parcel<Self>> {
        self.parcels.lock().pop_front()
    }

    /// Runs what waits, and what that makes runnable, until nothing waits. Says how many polls.
    pub(crate) fn drain(&'static self) -> usize {
        let mut polls = 0;
        while let Some(task) = self.next() {
            polls += 1;
            if let Ran::Again(task) = task.run(self) {
                self.schedule(task);
            }
        }
        polls
    }

    /// Makes a task and puts it in the line.
    pub(crate) fn spawn<F>(&'static self, future: F) -> goro_task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = goro_task::spawn(future, self, goro_task::Meta::OTHER);
        self.schedule(task);
        handle
    }

    /// Polls `future` until it is ready, draining the line in between.
    pub(crate) fn block_on<F: Future>(&'static self, future: F) -> F::Output {
        struct Unpark(thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return value;
            }
            if self.drain() == 0 {
                thread::park();
            }
        }
    }
}
