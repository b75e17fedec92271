//! Size classes: steps of 8 bytes up to 256, then sixteenths of powers of two up to 2 KiB.
//!
//! Invariants:
//! 1. A class's size is at least that of everything put in it, and at most 7 bytes (15 for what is
//!    aligned to 16), or a sixteenth, more.
//! 2. Blocks of a class whose size is a multiple of 16 are aligned to 16, those of the others to 8;
//!    what needs more has none.
#![cfg_attr(
    any(loom, goro_tsan, goro_no_magazines),
    allow(dead_code, reason = "everything goes to the system")
)]

use core::alloc::Layout;

/// How many classes there are.
pub(crate) const CLASSES: usize = FINES + 3 * COARSE;

const FINE: usize = 8;
const FINE_MAX: usize = 256;
const FINES: usize = FINE_MAX / FINE;
/// Classes between two powers of two.
const COARSE: usize = 16;
const MAX: usize = 2048;
/// Free blocks have room for two pointers.
const MIN: usize = 16;

/// The layout of an allocation, and its class if it has one. Made when the program is compiled.
pub(crate) struct Shape {
    layout: Layout,
    class: Option<Class>,
}

impl Shape {
    pub(crate) const fn of(layout: Layout) -> Self {
        Self { layout, class: Class::of(layout) }
    }

    #[inline]
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    #[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
    #[inline]
    pub(crate) fn class(&self) -> Option<Class> {
        self.class
    }
}

/// One size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    const fn of(layout: Layout) -> Option<Self> {
        if layout.size() == 0 || layout.size() > MAX || layout.align() > 16 {
            return None;
        }
        let step = if layout.align() > FINE { 16 } else { FINE };
        let least = if layout.size() < MIN { MIN } else { layout.size() };
        let last = least.next_multiple_of(step) - 1;
        if last < FINE_MAX {
            return Some(Self((last / FINE) as u8));
        }
        let power = last.ilog2();
        let part = (last >> (power - 4)) % COARSE;
        Some(Self((FINES + (power as usize - 8) * COARSE + part) as u8))
    }

    /// Below [`CLASSES`].
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// The size of each block of the class, in bytes.
    #[inline]
    pub(crate) const fn size(self) -> usize {
        let index = self.index();
        if index < FINES {
            return (index + 1) * FINE;
        }
        let (power, part) = (8 + (index - FINES) / COARSE, (index - FINES) % COARSE);
        (1 << power) + ((part + 1) << (power - 4))
    }

    /// How many blocks a magazine holds: 64, or what makes 32 KiB.
    #[inline]
    pub(crate) const fn capacity(self) -> u32 {
        let fit = (32 << 10) / self.size();
        if fit < 64 { fit as u32 } else { 64 }
    }

    /// How many full magazines a depot keeps: what makes 4 MiB.
    pub(crate) const fn depot_capacity(self) -> u32 {
        ((4 << 20) / (self.size() * self.capacity() as usize)) as u32
    }

    /// How many blocks a magazine is filled with when there is no full one: what makes a page.
    pub(crate) const fn portion(self) -> u32 {
        let fit = (4 << 10) / self.size();
        if fit < 64 { fit as u32 } else { 64 }
    }

    /// Every class.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..CLASSES as u8).map(Self)
    }
}
