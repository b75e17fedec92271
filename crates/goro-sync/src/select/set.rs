//! A select over a set that changes at run time: [`Select`].
//!
//! Each branch has a waker of its own, which puts the branch into a queue of those to be asked again:
//! what a round costs depends on how many were woken, not on how many there are.
//!
//! ```text
//!   wake of a branch:  queued? ──yes──▶ nothing to do
//!                        └─no──▶ lock: at the end of the queue, and the task's waker out ──▶ wake
//!   poll of the set:   the queue, first come first served; nothing ready ──▶ lock: still empty? leave
//!                      the task's waker there, and wait
//! ```
//!
//! Invariants:
//! 1. `queued` of a branch is set while its index stands in one of the two queues (the shared one, or
//!    `ready`, into which the set moves what it finds there), and cleared before the branch is asked:
//!    a wake that comes while it is asked puts it in line again.
//! 2. The task's waker is left behind under the lock that the queue was seen empty under.
//! 3. A branch that was ready goes to the end of the line; so each that is ready has its turn before
//!    any has a second one.
//! 4. Dropping or cloning a branch's waker touches memory only: the task's waker is taken out when the
//!    set is dropped. So it may be done under a lock ([`goro_context::trust`]).
//!
//! Left out: a bit per branch. Searching it is faster than a queue for 64 of them, and knows no order.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::collections::VecDeque;
use std::task::Wake;

use futures::Stream;
use futures::stream::FusedStream;
use goro_context::{Op, note, trust};
use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::global::Arc;
use goro_shim::lock::Lock;

use super::round::Round;
use super::safe::CancelSafe;
use crate::wait::{self, Offer, Seat};

/// Any number of streams, of which whichever is ready comes next.
///
/// Branches are added and removed at any time, and those that are not ready stay for the next round.
/// Only branches that were woken are asked.
///
/// A future is a stream of one: `futures::stream::once(Box::pin(future))`. Streams of different types
/// are boxed: `stream.boxed()` of `futures::StreamExt`.
///
/// # Cancel safety
/// The set keeps its branches when [`next`](Self::next) is dropped. Dropping the set drops them.
///
/// # Sources
/// crossbeam's `Select` for the use, futures' `FuturesUnordered` for asking only who was woken.
///
/// # Example
/// ```
/// use futures::stream;
/// use goro_sync::select::{Select, Selected};
///
/// # futures::executor::block_on(async {
/// let mut select = Select::new();
/// select.insert("odd", stream::iter(vec![1, 3]));
/// let even = select.insert("even", stream::iter(vec![2, 4, 6]));
///
/// assert_eq!(select.next().await, Some(Selected::Item("odd", 1)));
/// assert_eq!(select.next().await, Some(Selected::Item("even", 2)));
/// select.remove(even);
/// assert_eq!(select.next().await, Some(Selected::Item("odd", 3)));
/// assert_eq!(select.next().await, Some(Selected::Ended("odd")));
/// assert_eq!(select.next().await, None);
/// # });
/// ```
///
/// ```
/// let mut select = goro_sync::select::Select::new();
/// let branch = select.insert("numbers", futures::stream::iter([1, 2]));
/// assert_eq!(select.len(), 1);
/// assert!(select.get_mut(branch).is_some());
/// ```
pub struct Select<K, S> {
    slots: Vec<Slot<K, S>>,
    /// Slots without a branch.
    free: Vec<u32>,
    /// Branches to be asked, first come first served.
    ready: VecDeque<u32>,
    woken: Arc<Woken>,
}

/// What came next in a [`Select`]: of which key, and what.
///
/// ```
/// use futures::stream;
/// use goro_sync::select::{Select, Selected};
///
/// let mut select = Select::new();
/// let branch = select.insert("numbers", stream::iter([1]));
/// assert_eq!(select.len(), 1);
/// assert!(select.get_mut(branch).is_some());
/// futures::executor::block_on(async {
///     assert_eq!(select.next().await, Some(Selected::Item("numbers", 1)));
///     assert_eq!(select.next().await, Some(Selected::Ended("numbers")));
///     assert_eq!(select.next().await, None);
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selected<K, T> {
    /// An item.
    Item(K, T),
    /// The end of the stream, which is no longer in the set.
    Ended(K),
}

/// Names one branch of a [`Select`], also after it is gone: no other is ever mistaken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Branch {
    index: u32,
    generation: u64,
}

/// Room for one branch. Its signal outlives the branch, and serves the next one.
struct Slot<K, S> {
    branch: Option<(K, S)>,
    generation: u64,
    signal: Arc<Signal>,
    waker: Waker,
}

/// What a branch's waker is made of.
struct Signal {
    queued: AtomicBool,
    index: u32,
    woken: Arc<Woken>,
}

/// Branches that were woken, and the task that waits for some.
struct Woken {
    /// Whether there may be some: a hint, read without the lock.
    any: AtomicBool,
    queue: Lock<Queue>,
}

struct Queue {
    indices: VecDeque<u32>,
    task: Seat,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: Release pairs with the Acquire in `Slot::answer_calls`, which may follow this one of
        // several wakes; Acquire keeps the queue's order that of the wakes.
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = {
            let mut queue = self.woken.queue.lock();
            queue.indices.push_back(self.index);
            self.woken.any.store(true, Ordering::Relaxed);
            queue.task.clear()
        };
        wait::wake_some(task);
    }
}

impl<K, S> Slot<K, S> {
    fn new(index: u32, woken: &Arc<Woken>) -> Self {
        let signal = Signal { queued: AtomicBool::new(false), index, woken: Arc::clone(woken) };
        let signal = Arc::new(signal);
        let waker = Waker::from(Arc::clone(&signal));
        // Invariant 4.
        trust::trust(waker.vtable());
        Self { branch: None, generation: 0, signal, waker }
    }

    /// Puts it in line, if it is not there. True if the caller has to do so.
    fn call(&self) -> bool {
        !self.signal.queued.swap(true, Ordering::Relaxed)
    }

    /// Takes it out of line, to be asked: what was done before any of its wakes is seen.
    fn answer_calls(&self) {
        // Ordering: Acquire pairs with the Release in `Signal::wake_by_ref`.
        self.signal.queued.swap(false, Ordering::AcqRel);
    }
}

impl<K, S> Select<K, S> {
    /// An empty set; allocates at the first branch.
    pub fn new() -> Self {
        let queue = Lock::new(Queue { indices: VecDeque::new(), task: Seat::EMPTY });
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            woken: Arc::new(Woken { any: AtomicBool::new(false), queue }),
        }
    }

    /// Adds a branch. It is asked in the next round.
    ///
    /// # Panics
    /// With 2^32 branches.
    pub fn insert(&mut self, key: K, source: S) -> Branch {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 branches");
            self.slots.push(Slot::new(index, &self.woken));
            index
        });
        let slot = &mut self.slots[index as usize];
        slot.branch = Some((key, source));
        if slot.call() {
            self.ready.push_back(index);
        }
        Branch { index, generation: slot.generation }
    }

    /// Takes a branch out; `None` if it is gone.
    pub fn remove(&mut self, branch: Branch) -> Option<(K, S)> {
        self.find(branch)?;
        self.vacate(branch.index)
    }

    /// A branch's stream; `None` if it is gone.
    pub fn get_mut(&mut self, branch: Branch) -> Option<&mut S> {
        self.find(branch)?.branch.as_mut().map(|(_, source)| source)
    }

    /// How many branches there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is no branch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find(&mut self, branch: Branch) -> Option<&mut Slot<K, S>> {
        let slot = self.slots.get_mut(branch.index as usize)?;
        (slot.generation == branch.generation).then_some(slot)
    }

    fn vacate(&mut self, index: u32) -> Option<(K, S)> {
        let slot = &mut self.slots[index as usize];
        let branch = slot.branch.take()?;
        slot.generation += 1;
        self.free.push(index);
        Some(branch)
    }

    /// Moves what was woken to the end of the line.
    fn gather(&mut self) {
        if self.woken.any.load(Ordering::Relaxed) {
            let mut queue = self.woken.queue.lock();
            self.woken.any.store(false, Ordering::Relaxed);
            self.ready.append(&mut queue.indices);
        }
    }

    /// Leaves the task's waker behind, if nobody was woken; otherwise has the task polled again.
    fn wait(&mut self, cx: &mut Context<'_>) {
        let mut offer = Offer::new(cx.waker());
        loop {
            {
                let mut queue = self.woken.queue.lock();
                if !queue.indices.is_empty() {
                    break;
                }
                if queue.task.sit(&mut offer) {
                    return;
                }
            }
            offer.prepare();
        }
        cx.waker().wake_by_ref();
    }
}

impl<K: Clone, S: Stream + Unpin> Select<K, S> {
    /// Waits for whichever branch is ready next. `None` when there is no branch.
    ///
    /// # Cancel safety
    /// **Safe**: what was not taken is still in its stream, if the streams' own `next` is safe.
    #[expect(clippy::should_implement_trait, reason = "it is a stream, whose `next` waits")]
    pub fn next(&mut self) -> Next<'_, K, S> {
        Next { select: self }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Selected<K, S::Item>>> {
        let mut round = Round::new();
        ready!(round.begin(cx));
        if self.is_empty() {
            round.won(cx);
            return Poll::Ready(None);
        }
        self.gather();
        for _ in 0..self.ready.len() {
            let Some(index) = self.ready.pop_front() else { break };
            let slot = &mut self.slots[index as usize];
            slot.answer_calls();
            let Some((key, source)) = &mut slot.branch else { continue };
            // Panic: the stream's passes through; the branch stays, and is asked when it is woken.
            match Pin::new(source).poll_next(&mut Context::from_waker(&slot.waker)) {
                Poll::Pending => {}
                Poll::Ready(Some(item)) => {
                    let key = key.clone();
                    if slot.call() {
                        self.ready.push_back(index);
                    }
                    round.won(cx);
                    return Poll::Ready(Some(Selected::Item(key, item)));
                }
                Poll::Ready(None) => {
                    round.won(cx);
                    let ended = self.vacate(index);
                    return Poll::Ready(ended.map(|(key, _)| Selected::Ended(key)));
                }
            }
        }
        self.wait(cx);
        note::leave(Op::Select, 0);
        Poll::Pending
    }
}

impl<K, S> Default for Select<K, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, S> Drop for Select<K, S> {
    fn drop(&mut self) {
        // Invariant 4: from here on branches' wakers hold memory only.
        let task = self.woken.queue.lock().task.clear();
        wait::let_go(task);
    }
}

impl<K: fmt::Debug, S> fmt::Debug for Select<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.slots.iter().filter_map(|slot| slot.branch.as_ref().map(|(key, _)| key));
        f.debug_set().entries(keys).finish()
    }
}

impl<K: Clone + Unpin, S: Stream + Unpin> Stream for Select<K, S> {
    type Item = Selected<K, S::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}

impl<K: Clone + Unpin, S: Stream + Unpin> FusedStream for Select<K, S> {
    /// Whether there is no branch now.
    fn is_terminated(&self) -> bool {
        self.is_empty()
    }
}

/// The future of [`Select::next`].
#[must_use = "futures do nothing unless polled"]
pub struct Next<'a, K, S> {
    select: &'a mut Select<K, S>,
}

impl<K: fmt::Debug, S> fmt::Debug for Next<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Next").field(&self.select).finish()
    }
}

impl<K: Clone, S: Stream + Unpin> Future for Next<'_, K, S> {
    type Output = Option<Selected<K, S::Item>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.select.poll(cx)
    }
}

impl<K: Clone, S: Stream + Unpin> CancelSafe for Next<'_, K, S> {}

#[cfg(any(all(test, not(loom)), fuzzing))]
pub(crate) mod model;
#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
