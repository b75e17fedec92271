//! The nodes of the tree: ending them, walking down, going up.
//!
//! # The tree
//!
//! A token is a handle; its clones share one *node*. A child node holds its parent, the parent knows
//! its children weakly: whoever keeps a token keeps the way down to it, and a child that is dropped
//! is forgotten. Of a node,
//!
//! | what | is written by |
//! |---|---|
//! | `parent` | whoever makes it; taken by its destructor |
//! | `place` among the parent's children | whoever makes it, once; read by its destructor |
//! | `life`: open, with those who are to be told; or cancelled, with the cause | the node's lock |
//! | `cancelled` | set under the lock with `life`; read by anybody |
//!
//! ```text
//!    adopt a child, forget one               end(cause): takes all who are to be told
//!    a waiter joins, leaves      ┌──────┐                                  ┌───────────┐
//!    a closure comes, goes   ───▶│ open │─────────────────────────────────▶│ cancelled │ for ever
//!                                └──────┘                                  └───────────┘
//! ```
//!
//! *Cancelling* walks down with a list of nodes that are still to be visited. Each visit locks one node,
//! ends it, unlocks, wakes its waiters and adds its children to the list. Closures are called when the
//! walk is over, so that a slow one holds up no cause on its way down. *Dropping* walks up in a loop:
//! the destructor of a node has itself forgotten by its parent, gives up its hold on it, and if that was
//! the last one goes on with the parent.
//!
//! | meets a cancellation of the node or of one above | what happens |
//! |---|---|
//! | a child that is made | adopted before: it is among those taken; after: it is born cancelled |
//! | a waiter or a closure that comes | told, or finds it cancelled |
//! | a waiter or a closure that leaves | taken out, or told |
//! | the last drop of a child | the walk finds it gone; or holds it last, and drops it |
//! | another cancellation | whoever has the lock first gives the cause, and walks on from here |
//! | the last drop of an inner node's tokens | nothing: the node lives while a descendant does |
//!
//! Invariants:
//! 1. A node is ended once; its cause never changes. Whoever ends it takes everybody who stood there,
//!    and is the only one to let them go.
//! 2. While a node is open, each child that it has adopted stands at its place, until the child's own
//!    destructor takes it out. Places do not move, so a child need not be told of others.
//! 3. No user code (wakers, closures, their destructors) runs under a node's lock, and no thread holds
//!    two.
//! 4. Neither cancelling nor dropping recurses, however deep or wide the tree.
//! 5. One allocation per node. A node with one child and one waiter needs no other; the rest of those
//!    who are to be told stand in a [`Retinue`], allocated when it is first needed.
//!
//! Left out: hanging the children of a node that nobody can cancel any more on its parent, as tokio-util
//! does. It needs two locks at once, or links that change under their reader. So an endless line of
//! tokens, each derived from the one before, of which only the youngest is kept, keeps them all, as Go's
//! contexts do: derive from a token that stays instead.

use core::mem;
use core::task::Waker;

use goro_context::{Cause, contain};
use goro_shim::atomic::{AtomicBool, AtomicU32, Ordering};
use goro_shim::global::{Arc, Weak};
use goro_shim::lock::Lock;

use super::retinue::{Closure, Retinue, Source, is_vacant};
use super::waiting::Standing;
use crate::wait::{self, Attempt, Offer};

/// The place of a child that stands in its parent's node, not in the retinue.
const ONLY: u32 = u32::MAX;

/// What the handles of one token share.
pub(super) struct Node {
    cancelled: AtomicBool,
    /// Where it stands among the children of `parent`.
    place: AtomicU32,
    parent: Option<Arc<Node>>,
    life: Lock<Life>,
}

enum Life {
    Open(Open),
    Cancelled(Cause),
}

/// Those who are to be told.
pub(super) struct Open {
    /// One of the children, or vacant. Not an `Option`: `Life` needs its niche.
    only: Weak<Node>,
    /// One of the waiters.
    first: Option<Waker>,
    retinue: Option<Box<Retinue>>,
}

// With the counts of its `Arc` 72 bytes, which is what fits into a block of 80 of the usual allocators.
#[cfg(all(target_pointer_width = "64", not(loom)))]
const _: () = assert!(size_of::<Node>() == 56);

/// No waker could be had under the lock.
struct Unprepared;

impl Open {
    const fn new() -> Self {
        Self { only: Weak::new(), first: None, retinue: None }
    }

    pub(super) fn retinue(&mut self) -> &mut Retinue {
        self.retinue.get_or_insert_default()
    }

    /// The retinue, if there is one.
    pub(super) fn retinue_mut(&mut self) -> Option<&mut Retinue> {
        self.retinue.as_deref_mut()
    }

    fn add(&mut self, child: Weak<Node>) -> u32 {
        if is_vacant(&self.only) {
            self.only = child;
            return ONLY;
        }
        self.retinue().children.add(child)
    }

    fn remove(&mut self, place: u32) -> Weak<Node> {
        match place {
            ONLY => mem::take(&mut self.only),
            place => self.retinue().children.remove(place),
        }
    }

    /// Stands in line with the waker offered, where it stands already or wherever there is room.
    fn join(&mut self, standing: &mut Standing, offer: &mut Offer<'_>) -> Result<(), Unprepared> {
        let joined = match *standing {
            Standing::Listed(key) => match self.retinue().waiters.get_mut(key) {
                Some(waker) => offer.renew(waker),
                None => unreachable!("who is listed stands there while the node is open"),
            },
            Standing::Nowhere if self.first.is_some() => {
                let Some(waker) = offer.take() else { return Err(Unprepared) };
                *standing = Standing::Listed(self.retinue().waiters.push_back(waker));
                true
            }
            Standing::Nowhere | Standing::First => {
                let joined = offer.put(&mut self.first);
                if joined {
                    *standing = Standing::First;
                }
                joined
            }
        };
        if joined { Ok(()) } else { Err(Unprepared) }
    }

    fn leave(&mut self, standing: &mut Standing) -> Option<Waker> {
        match mem::replace(standing, Standing::Nowhere) {
            Standing::Nowhere => None,
            Standing::First => self.first.take(),
            Standing::Listed(key) => self.retinue().waiters.remove(key),
        }
    }

    /// Tells all but the children and the closures, which are added to what the walk has before it.
    fn tell(self, walk: &mut Walk) {
        wait::wake_some(self.first);
        if let Some(retinue) = self.retinue {
            let Retinue { children, mut waiters, mut closures, sources, alarm } = *retinue;
            waiters.drain().for_each(wait::wake);
            walk.closures.extend(closures.drain());
            // The others need not tell it any more.
            sources.into_iter().for_each(|source| {
                source.node.forget(source.place);
                let_go(source.node);
            });
            drop(alarm);
            children.put_before(&mut walk.nodes);
        }
        if !is_vacant(&self.only) {
            walk.nodes.push(self.only);
        }
    }
}

/// What a cancellation still has before it: nodes, the next one last; and closures.
#[derive(Default)]
struct Walk {
    nodes: Vec<Weak<Node>>,
    closures: Vec<Closure>,
}

/// Gives up a hold that may be the last.
fn let_go(node: Arc<Node>) {
    // Panic: the destructor of a closure that was kept may; the walk goes on.
    contain::quietly(move || drop(node));
}

impl Node {
    fn new(parent: Option<Arc<Node>>, life: Life) -> Arc<Self> {
        Arc::new(Self {
            cancelled: AtomicBool::new(matches!(life, Life::Cancelled(_))),
            place: AtomicU32::new(ONLY),
            parent,
            life: Lock::new(life),
        })
    }

    pub(super) fn alone() -> Arc<Self> {
        Self::new(None, Life::Open(Open::new()))
    }

    pub(super) fn child(self: &Arc<Self>) -> Arc<Self> {
        if self.is_cancelled() {
            if let Some(cause) = self.cause() {
                return Self::new(None, Life::Cancelled(cause));
            }
        }
        let child = Self::new(Some(Arc::clone(self)), Life::Open(Open::new()));
        match self.adopt(&child) {
            Ok(place) => {
                child.place.store(place, Ordering::Relaxed);
                child
            }
            Err(cause) => Self::new(None, Life::Cancelled(cause)),
        }
    }

    /// A node below each of these.
    pub(super) fn below_all<'a>(nodes: impl Iterator<Item = &'a Arc<Self>>) -> Arc<Self> {
        let below = Self::alone();
        for node in nodes {
            match node.adopt(&below) {
                Ok(place) => {
                    let source = Source { node: Arc::clone(node), place };
                    // One that was adopted before may have told it meanwhile.
                    if let Err((_, source)) = below.with_open(source, |open, source| {
                        open.retinue().sources.push(source);
                    }) {
                        source.node.forget(source.place);
                        break;
                    }
                }
                Err(cause) => {
                    below.cancel(&cause);
                    break;
                }
            }
        }
        below
    }

    /// Has `child` told when this is cancelled; its place, or the cause if that has happened.
    fn adopt(&self, child: &Arc<Self>) -> Result<u32, Cause> {
        self.with_open(Arc::downgrade(child), Open::add).map_err(|(cause, _unlinked)| cause)
    }

    /// Forgets the child at `place`; for the child's last moments.
    fn forget(&self, place: u32) {
        let forgotten = self.with_open(place, Open::remove);
        drop(forgotten);
    }

    /// Does something to those who are to be told, under the lock.
    ///
    /// # Errors
    /// The cause if it has been cancelled, and what was to be used.
    pub(super) fn with_open<A, R>(
        &self,
        argument: A,
        change: impl FnOnce(&mut Open, A) -> R,
    ) -> Result<R, (Cause, A)> {
        match &mut *self.life.lock() {
            Life::Open(open) => Ok(change(open, argument)),
            Life::Cancelled(cause) => Err((cause.clone(), argument)),
        }
    }

    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `end`: what was written before is seen.
        self.cancelled.load(Ordering::Acquire)
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        match &*self.life.lock() {
            Life::Open(_) => None,
            Life::Cancelled(cause) => Some(cause.clone()),
        }
    }

    /// Above it in the tree; not those that it is [below](Self::below_all) with others.
    pub(super) fn parent(&self) -> Option<&Arc<Self>> {
        self.parent.as_ref()
    }

    /// Cancels this and all below it. False if this was cancelled.
    pub(super) fn cancel(&self, cause: &Cause) -> bool {
        let Some(open) = self.end(cause) else { return false };
        let mut walk = Walk::default();
        open.tell(&mut walk);
        while let Some(node) = walk.nodes.pop() {
            // Dropped in the meantime, or ended by another walk, which goes on from there.
            let Some(node) = node.upgrade() else { continue };
            if let Some(open) = node.end(cause) {
                open.tell(&mut walk);
            }
            let_go(node);
        }
        for closure in walk.closures {
            let cause = cause.clone();
            // Panic: a closure's panic is its maker's; the others are called all the same.
            contain::quietly(move || closure(cause));
        }
        true
    }

    /// Makes it cancelled; those who are to be told now. `None` if it was.
    fn end(&self, cause: &Cause) -> Option<Open> {
        let mut life = self.life.lock();
        if let Life::Cancelled(_) = &*life {
            return None;
        }
        let ended = mem::replace(&mut *life, Life::Cancelled(cause.clone()));
        // Ordering: Release pairs with the Acquire in `is_cancelled`.
        self.cancelled.store(true, Ordering::Release);
        drop(life);
        match ended {
            Life::Open(open) => Some(open),
            Life::Cancelled(_) => None,
        }
    }

    /// One who waits tries; see [`Operation::attempt`](crate::wait::Operation::attempt).
    pub(super) fn attempt(
        &self,
        standing: &mut Standing,
        offer: Option<&mut Offer<'_>>,
    ) -> Attempt<Cause> {
        let mut life = self.life.lock();
        match (&mut *life, offer) {
            (Life::Cancelled(cause), _) => {
                *standing = Standing::Nowhere;
                Attempt::Done(cause.clone())
            }
            (Life::Open(open), Some(offer)) => match open.join(standing, offer) {
                Ok(()) => Attempt::Waits,
                Err(Unprepared) => Attempt::Unprepared,
            },
            (Life::Open(open), None) => {
                let left = open.leave(standing);
                drop(life);
                wait::let_go(left);
                Attempt::Waits
            }
        }
    }

    /// One who waits gives up.
    pub(super) fn leave(&self, standing: &mut Standing) {
        if *standing != Standing::Nowhere {
            let left = self.with_open(standing, Open::leave);
            wait::let_go(left.ok().flatten());
        }
    }

    /// Has itself forgotten above; those above, which it gives up its hold on.
    fn rise(&mut self, others: &mut Vec<Arc<Self>>) -> Option<Arc<Self>> {
        if let Life::Open(Open { retinue: Some(retinue), .. }) = self.life.get_mut() {
            for source in mem::take(&mut retinue.sources) {
                source.node.forget(source.place);
                others.push(source.node);
            }
        }
        let parent = self.parent.take()?;
        parent.forget(self.place.load(Ordering::Relaxed));
        Some(parent)
    }

    /// How many children stand here.
    #[cfg(any(all(test, not(loom)), fuzzing))]
    pub(super) fn children(&self) -> usize {
        let count = |open: &mut Open, ()| {
            let others = open.retinue_mut().map_or(0, |retinue| retinue.children.len());
            usize::from(!is_vacant(&open.only)) + others
        };
        self.with_open((), count).unwrap_or(0)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut others = Vec::new();
        let mut above = self.rise(&mut others);
        while let Some(node) = above.or_else(|| others.pop()) {
            // The last hold on it: it goes as this one does, but here.
            above = Arc::into_inner(node).and_then(|mut node| node.rise(&mut others));
            // Panic: the destructor of a closure that was kept may; by unwinding the rest is dropped,
            // through this very function.
        }
    }
}
