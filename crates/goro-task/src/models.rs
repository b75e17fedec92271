//! Models: every interleaving of two or three threads round one task, up to the preemption bound.
//!
//! Run with `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3`, in release. The allocator and the
//! cells of a model are loom's: memory that leaks, is freed twice, or is freed while another thread
//! may still touch it fails the model, whichever assertion it has.
//!
//! What models cannot see: more than one task at a time, the magazines (bypassed), and the drop of
//! nested outcomes (plain tests).

mod abort;
mod ask;
mod handle;
mod local;
mod registry;
mod wake;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use goro_shim::lock::Lock;
use goro_shim::{Arc, atomic, global};

use crate::{Ending, Home, Homes, JoinError, JoinHandle, Meta, Parcel, Ran, Registry, Runnable};

/// A home that keeps what is scheduled, or drops it at once.
struct Hand {
    number: u32,
    scheduled: Lock<Vec<Runnable<Hand>>>,
    parcels: Lock<Vec<Parcel<Hand>>>,
    registry: Registry<Hand>,
    refuses: bool,
}

static HANDS: Homes<Hand> = Homes::new();

impl Home for Hand {
    fn number(&'static self) -> u32 {
        self.number
    }

    fn numbered(number: u32) -> &'static Self {
        HANDS.get(number)
    }

    fn registry(&'static self) -> &'static Registry<Self> {
        &self.registry
    }

    fn schedule(&'static self, task: Runnable<Self>) {
        if self.refuses {
            drop(task);
        } else {
            self.scheduled.lock().push(task);
        }
    }

    fn schedule_local(&'static self, parcel: Parcel<Self>) {
        self.parcels.lock().push(parcel);
    }
}

impl Hand {
    fn new(refuses: bool) -> &'static Self {
        HANDS.leak(|number| Self {
            number,
            scheduled: Lock::new(Vec::new()),
            parcels: Lock::new(Vec::new()),
            registry: Registry::new(),
            refuses,
        })
    }

    fn leak() -> &'static Self {
        Self::new(false)
    }

    /// A home that drops what is scheduled, which cancels it on the spot.
    fn leak_refusing() -> &'static Self {
        Self::new(true)
    }

    /// Takes the one task that is scheduled, if one is.
    fn take(&self) -> Option<Runnable<Self>> {
        let mut scheduled = self.scheduled.lock();
        assert!(scheduled.len() <= 1, "a task is in the queue at most once");
        scheduled.pop()
    }

    /// Takes the one parcel that is on its way, if one is.
    fn take_parcel(&self) -> Option<Parcel<Self>> {
        let mut parcels = self.parcels.lock();
        assert!(parcels.len() <= 1, "a task is on its way at most once");
        parcels.pop()
    }

    /// Runs a task until it parks or ends.
    fn run(&'static self, mut task: Runnable<Self>) -> Option<Ending> {
        loop {
            match task.run(self) {
                Ran::Parked => return None,
                Ran::Again(again) => task = again,
                Ran::Finished(ending) => return Some(ending),
            }
        }
    }

    /// Runs what is scheduled until nothing is.
    fn drain(&'static self) -> Option<Ending> {
        let mut ending = None;
        while let Some(task) = self.take() {
            ending = self.run(task);
        }
        ending
    }
}

fn spawn<F: Future<Output: Send> + Send + 'static>(
    home: &'static Hand,
    future: F,
) -> (Runnable<Hand>, JoinHandle<F::Output>) {
    crate::spawn(future, home, Meta::OTHER)
}

/// Ready once all its flags are up; leaves a clone of its waker in the mailbox at its first poll.
struct Flags {
    flags: Arc<[atomic::AtomicBool; 2]>,
    mailbox: global::Arc<global::Lock<Option<Waker>>>,
    drops: global::Arc<AtomicUsize>,
}

impl Flags {
    fn new() -> Self {
        let flags = [atomic::AtomicBool::new(false), atomic::AtomicBool::new(false)];
        Self { flags: Arc::new(flags), mailbox: Default::default(), drops: Default::default() }
    }
}

impl Future for Flags {
    type Output = Counted;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Counted> {
        // Relaxed: what the poll must see, it sees because of the wakes.
        let up = |flag: &atomic::AtomicBool| flag.load(atomic::Ordering::Relaxed);
        if self.flags.iter().all(up) {
            return Poll::Ready(Counted(self.drops.clone()));
        }
        // No model step under this lock: it is not the model's.
        let is_empty = self.mailbox.lock().is_none();
        if is_empty {
            let waker = cx.waker().clone();
            *self.mailbox.lock() = Some(waker);
        }
        Poll::Pending
    }
}

impl Drop for Flags {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts its drop.
struct Counted(global::Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(100, Ordering::Relaxed);
    }
}

/// The future was dropped once and its value was made and dropped once.
const DONE: usize = 101;
/// The future was dropped once and no value was made.
const CANCELLED: usize = 1;

/// A waker that is not a task's, and counts.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: global::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll_once<T>(handle: &mut JoinHandle<T>, waker: &Waker) -> Poll<Result<T, JoinError>> {
    pin!(handle).poll(&mut Context::from_waker(waker))
}
