//! Models: every interleaving (up to three preemptions) of the few steps in each one.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release -p goro-queue --lib`. Rings have four
//! places here, and positions wrap after the second. Each item carries a cell that its maker and
//! its taker touch: an item handed over without being published is reported as a race, as is a
//! slot of a ring that is written while it may be read.

mod hand_over;
mod injector;
mod ring;
mod slot;

use goro_shim::Arc;
use goro_shim::cell::UnsafeCell;

use crate::{Claim, LocalQueue};

/// An item that notices being looked at before it was published, and being lost.
pub(crate) struct Parcel {
    id: usize,
    contents: UnsafeCell<()>,
    /// loom reports it if a model ends with one of these alive.
    _counted: Arc<()>,
}

pub(crate) type Item = Box<Parcel>;

pub(crate) fn item(id: usize) -> Item {
    let parcel = Parcel { id, contents: UnsafeCell::new(()), _counted: Arc::new(()) };
    parcel.contents.with_mut(|_| {});
    Box::new(parcel)
}

/// Opens the parcel, as running a task would.
#[expect(clippy::boxed_local, reason = "an item is opened as it was handed over")]
pub(crate) fn open(item: Item) -> usize {
    let Parcel { id, contents, _counted } = *item;
    contents.with_mut(|_| {});
    id
}

pub(crate) fn push(claim: &Claim<'_, Item>, id: usize) {
    assert!(claim.push(item(id)).is_ok(), "{id} has no room");
}

pub(crate) fn drain(claim: &Claim<'_, Item>) -> Vec<usize> {
    core::iter::from_fn(|| claim.pop()).map(open).collect()
}

/// What one visit of a thief gets, in the order in which it would run it.
pub(crate) fn steal_once(victim: &LocalQueue<Item>) -> Vec<usize> {
    let own = LocalQueue::new();
    let claim = own.claim().expect("nobody else knows it");
    let mut got: Vec<_> = victim.steal_half(&claim).map(open).into_iter().collect();
    got.extend(drain(&claim));
    got
}

/// That `parts` hold each of `ids` once, and each part in ascending order.
pub(crate) fn assert_shared_out(ids: core::ops::Range<usize>, parts: &[&[usize]]) {
    for part in parts {
        assert!(part.is_sorted(), "out of order: {parts:?}");
    }
    let mut all = parts.concat();
    all.sort_unstable();
    assert!(all.iter().copied().eq(ids.clone()), "not each of {ids:?} once: {parts:?}");
}

/// Runs `body` in every interleaving with at most three preemptions, or as many as
/// `LOOM_MAX_PREEMPTIONS` says.
pub(crate) fn explore(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(body);
}
