//! A value per thread that guards install and take away again, in whatever order they are dropped.
//!
//! A guard remembers what it covered. Dropped in order, it puts that back: two words of work and no
//! memory. Dropped out of order (pitfall 63), it leaves a *gap* that says what lay under it, and
//! the guard above falls through the gap when its turn comes.
//!
//! Invariants:
//! 1. The current value is that of the youngest guard still alive, or the initial one.
//! 2. A gap stands only for a dead guard that has a living one above it, so with no guard alive
//!    there are no gaps and no memory is held (nothing leaks although no destructor runs).
//! 3. Serials of living guards and of gaps differ: each is one more than the youngest living
//!    guard's was, and all others are at most that.
//!
//! Left out: a stack in a thread-local. It would need a destructor, or allocate on every enter.

use core::cell::{Cell, RefCell};
use core::mem::ManuallyDrop;

/// The layers of one thread.
pub(crate) struct Layers<T: Copy> {
    value: Cell<T>,
    /// The serial of the youngest living guard; zero at the ground.
    top: Cell<u64>,
    gapped: Cell<bool>,
    gaps: ManuallyDrop<RefCell<Vec<Ticket<T>>>>,
}

/// What one guard holds: its own serial, and what it covered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket<T: Copy> {
    own: u64,
    under: u64,
    value: T,
}

impl<T: Copy> Layers<T> {
    pub(crate) const fn new(ground: T) -> Self {
        Self {
            value: Cell::new(ground),
            top: Cell::new(0),
            gapped: Cell::new(false),
            gaps: ManuallyDrop::new(RefCell::new(Vec::new())),
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> T {
        self.value.get()
    }

    /// Replaces the current value under the same layer: for whoever puts it back in order, with no
    /// layer of its own left open in between.
    #[inline]
    pub(crate) fn swap(&self, value: T) -> T {
        self.value.replace(value)
    }

    /// Covers the current value with `value`.
    #[inline]
    pub(crate) fn enter(&self, value: T) -> Ticket<T> {
        let under = self.top.get();
        let own = under + 1;
        self.top.set(own);
        Ticket { own, under, value: self.value.replace(value) }
    }

    /// Takes away the layer that `ticket` stands for. Called once per ticket.
    #[inline]
    pub(crate) fn leave(&self, ticket: &Ticket<T>) {
        if ticket.own == self.top.get() {
            self.top.set(ticket.under);
            self.value.set(ticket.value);
            if self.gapped.get() {
                self.fall_through();
            }
        } else {
            self.gap(*ticket);
        }
    }

    #[cold]
    fn gap(&self, ticket: Ticket<T>) {
        self.gaps.borrow_mut().push(ticket);
        self.gapped.set(true);
    }

    #[cold]
    fn fall_through(&self) {
        let mut gaps = self.gaps.borrow_mut();
        while let Some(at) = gaps.iter().position(|gap| gap.own == self.top.get()) {
            let gap = gaps.swap_remove(at);
            self.top.set(gap.under);
            self.value.set(gap.value);
        }
        if gaps.is_empty() {
            // No destructor will run for this thread-local, so an empty buffer is given back here.
            *gaps = Vec::new();
            self.gapped.set(false);
        }
    }

    #[cfg(test)]
    pub(crate) fn gaps(&self) -> usize {
        self.gaps.borrow().capacity()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use goro_shim::random::Random;

    /// Pitfall 63: whatever the order of the drops, the youngest living guard decides, and the
    /// ground is back when all are gone.
    #[test]
    fn the_youngest_living_guard_decides_in_any_order_of_drops() {
        for seed in 0..2_000 {
            let random = Random::new(seed);
            let layers = Layers::new(0_u32);
            let mut alive: Vec<(u32, Ticket<u32>)> = Vec::new();
            for step in 1..40 {
                if alive.is_empty() || random.below(2) == 0 {
                    alive.push((step, layers.enter(step)));
                } else {
                    let (_, ticket) = alive.remove(random.below(alive.len() as u32) as usize);
                    layers.leave(&ticket);
                }
                assert_eq!(layers.get(), alive.last().map_or(0, |(value, _)| *value), "{seed}");
            }
            while !alive.is_empty() {
                let (_, ticket) = alive.remove(random.below(alive.len() as u32) as usize);
                layers.leave(&ticket);
            }
            assert_eq!((layers.get(), layers.gaps()), (0, 0), "{seed}");
        }
    }

    #[test]
    fn drops_in_order_never_allocate() {
        let layers = Layers::new(0_u32);
        let first = layers.enter(1);
        let second = layers.enter(2);
        layers.leave(&second);
        layers.leave(&first);
        assert_eq!(layers.gaps(), 0);
    }
}
