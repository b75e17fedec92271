//! Size classes: steps of 16 bytes up to 264, then quarters of powers of two up to 2 KiB, each with 8
//! bytes more.
//!
//! The 8 bytes are those that the common allocators lose otherwise: glibc's blocks are multiples of 16
//! bytes with 8 bytes of its own in each, so one of 88 bytes takes 96 and one of 96 takes 112.
//!
//! Invariants:
//! 1. A class's size is at least that of everything put in it, and at most 16 bytes, or a fifth,
//!    more.
//! 2. Every class is aligned to 16 bytes; what needs more has none.
#![cfg_attr(
    any(loom, goro_tsan, goro_no_magazines),
    allow(dead_code, reason = "everything goes to the system")
)]

use core::alloc::Layout;

/// How many classes there are.
pub(crate) const CLASSES: usize = 28;

const FINE: usize = 16;
const FINE_MAX: usize = 256;
const MAX: usize = 2048;
/// What each class has more than its step.
const EXTRA: usize = 8;

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
        let size = layout.size();
        if size == 0 || size > MAX + EXTRA || layout.align() > FINE {
            return None;
        }
        let last = size.saturating_sub(EXTRA + 1);
        if last < FINE_MAX {
            return Some(Self((last / FINE) as u8));
        }
        let power = last.ilog2();
        let quarter = (last >> (power - 2)) & 3;
        Some(Self((16 + (power as usize - 8) * 4 + quarter) as u8))
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
        if index < 16 {
            return (index + 1) * FINE + EXTRA;
        }
        let (power, quarter) = (8 + (index - 16) / 4, (index - 16) % 4);
        (1 << power) + ((quarter + 1) << (power - 2)) + EXTRA
    }

    /// How many blocks a magazine holds: 64, or what fits into 32 KiB.
    #[inline]
    pub(crate) const fn capacity(self) -> u32 {
        let fit = (32 << 10) / self.size();
        if fit < 64 { fit as u32 } else { 64 }
    }

    /// How many full magazines a depot keeps: what fits into 4 MiB.
    pub(crate) const fn depot_capacity(self) -> u32 {
        ((4 << 20) / (self.size() * self.capacity() as usize)) as u32
    }

    /// What the system is asked for.
    #[inline]
    pub(crate) const fn layout(self) -> Layout {
        match Layout::from_size_align(self.size(), FINE) {
            Ok(layout) => layout,
            Err(_) => unreachable!(),
        }
    }

    /// Every class.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..CLASSES as u8).map(Self)
    }
}
