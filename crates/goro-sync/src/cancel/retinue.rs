//! Those who are to be told of a cancellation, where they are more than one child and one waiter.
//!
//! Invariants:
//! 1. A child's place is the same until it leaves. A vacant place below the last child is in `free`, once.
//!    `free` may name places beyond the last child: they are passed over, and places are added only when
//!    none is left in `free`, so that no such name comes to life again.
//! 2. Memory follows the children down: it is for at most four times as many as stand up to the last one.

use core::task::Waker;

use goro_context::Cause;
use goro_context::alarm::Alarm;
use goro_shim::global::{Arc, Weak};
use goro_wait::WaitList;

use super::deadline::Bell;
use super::node::Node;

/// A capacity that is never given back while there are children.
const SMALL: usize = 16;

/// What is called with the cause.
pub(super) type Closure = Box<dyn FnOnce(Cause) + Send>;

/// Those who are to be told; see the module.
#[derive(Default)]
pub(super) struct Retinue {
    pub(super) children: Children,
    pub(super) waiters: WaitList<Waker>,
    pub(super) closures: WaitList<Closure>,
    /// Where a node below several stands.
    pub(super) sources: Vec<Source>,
    /// What cancels it at its deadline.
    pub(super) alarm: Option<Alarm<Bell>>,
}

/// One of several nodes that a node is below.
pub(super) struct Source {
    pub(super) node: Arc<Node>,
    /// The place among its children.
    pub(super) place: u32,
}

/// Children at places that do not move.
#[derive(Default)]
pub(super) struct Children {
    places: Vec<Weak<Node>>,
    free: Vec<u32>,
}

/// Whether nobody stands there.
pub(super) fn is_vacant(place: &Weak<Node>) -> bool {
    place.ptr_eq(&Weak::new())
}

impl Children {
    /// Adds a child; its place.
    ///
    /// # Panics
    /// With 2^32 - 1 children of one token.
    pub(super) fn add(&mut self, child: Weak<Node>) -> u32 {
        while let Some(place) = self.free.pop() {
            if let Some(vacant) = self.places.get_mut(place as usize) {
                *vacant = child;
                return place;
            }
        }
        let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        assert!(place != u32::MAX, "fewer than 2^32 - 1 children of one token");
        if self.places.len() == self.places.capacity() {
            // Half as many more: a vector doubles, and of most of them half would stay empty.
            self.places.reserve_exact((self.places.len() / 2).max(4));
        }
        self.places.push(child);
        place
    }

    /// Takes the child out that stands there.
    pub(super) fn remove(&mut self, place: u32) -> Weak<Node> {
        let child = core::mem::take(&mut self.places[place as usize]);
        if place as usize + 1 == self.places.len() {
            self.trim();
        } else {
            self.free.push(place);
        }
        child
    }

    /// Gives vacant places at the end back.
    fn trim(&mut self) {
        while self.places.last().is_some_and(is_vacant) {
            self.places.pop();
        }
        let (len, capacity) = (self.places.len(), self.places.capacity());
        if len == 0 {
            *self = Self::default();
        } else if capacity > SMALL && len <= capacity / 4 {
            self.places.shrink_to((len * 2).max(SMALL));
            self.free.retain(|&place| (place as usize) < len);
            self.free.shrink_to(SMALL);
        }
    }

    /// Puts all on top of a stack, the first one last.
    pub(super) fn put_before(self, stack: &mut Vec<Weak<Node>>) {
        let mut places = self.places;
        places.reverse();
        if stack.is_empty() {
            *stack = places;
        } else {
            stack.append(&mut places);
        }
    }

    #[cfg(any(all(test, not(loom)), fuzzing))]
    pub(super) fn len(&self) -> usize {
        self.places.iter().filter(|place| !is_vacant(place)).count()
    }

    /// For how many children memory is held.
    #[cfg(all(test, not(loom)))]
    pub(super) fn capacity(&self) -> usize {
        self.places.capacity().max(self.free.capacity())
    }
}
