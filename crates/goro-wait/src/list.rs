//! Waiters in order of arrival, each removable in O(1) by its key.
//!
//! Invariants:
//! 1. Every place of the vector is either a waiter, linked from `head` to `tail`, or vacant and in
//!    the free list. Both lists are doubly linked, so that any place can leave either.
//! 2. The last place of the vector is a waiter's, and its capacity is at most 16, or four times
//!    its length: memory follows the waiters down.
//! 3. Generations outlive the places: a key to a place that was given back stays stale.
//!
//! Left out: chunks as in the wheel. Channels and sources own two of these each, most of which
//! never see a second waiter: 48 bytes, and one allocation at the first waiter.

use core::fmt;
use core::mem;

use crate::key::{Generations, Key};

/// No index.
const NONE: u32 = u32::MAX;

/// A capacity that is never given back.
const SMALL: usize = 16;

/// One place: 32 bytes for a waker.
struct Place<T> {
    /// Neighbours in the list of waiters, or in the free list.
    prev: u32,
    next: u32,
    /// 0 while vacant.
    generation: u32,
    value: Option<T>,
}

/// The ends of a list of places.
#[derive(Clone, Copy)]
struct Ends {
    head: u32,
    tail: u32,
}

impl Ends {
    const EMPTY: Self = Self { head: NONE, tail: NONE };
}

/// Waiters in order of arrival.
///
/// An entry costs 16 bytes and the value (32 with a `Waker`). Memory is held for at most 16
/// entries, or for four times as many as lie up to the last place in use; places are reused before
/// new ones are added.
///
/// ```
/// # use goro_wait::WaitList;
/// let mut list = WaitList::new();
/// let a = list.push_back("a");
/// let b = list.push_back("b");
/// list.push_front("urgent");
///
/// assert_eq!(list.remove(a), Some("a"));
/// assert_eq!(list.remove(a), None);
/// assert_eq!(list.pop_front(), Some("urgent"));
/// *list.get_mut(b).unwrap() = "B";
/// assert_eq!(list.drain().collect::<Vec<_>>(), ["B"]);
/// ```
pub struct WaitList<T> {
    places: Vec<Place<T>>,
    waiters: Ends,
    free: u32,
    len: u32,
    generations: Generations,
}

impl<T> WaitList<T> {
    /// An empty list; allocates at the first waiter.
    pub const fn new() -> Self {
        Self {
            places: Vec::new(),
            waiters: Ends::EMPTY,
            free: NONE,
            len: 0,
            generations: Generations::new(),
        }
    }

    /// Adds a waiter behind all others.
    ///
    /// # Panics
    /// With 2^32 - 1 waiters in the list (128 GiB of them).
    #[inline]
    pub fn push_back(&mut self, value: T) -> Key {
        let tail = self.waiters.tail;
        let key = self.occupy(value, tail, NONE);
        self.waiters.tail = key.index;
        match tail {
            NONE => self.waiters.head = key.index,
            _ => self.at(tail).next = key.index,
        }
        key
    }

    /// Adds a waiter before all others.
    ///
    /// # Panics
    /// As [`push_back`](WaitList::push_back).
    #[inline]
    pub fn push_front(&mut self, value: T) -> Key {
        let head = self.waiters.head;
        let key = self.occupy(value, NONE, head);
        self.waiters.head = key.index;
        match head {
            NONE => self.waiters.tail = key.index,
            _ => self.at(head).prev = key.index,
        }
        key
    }

    /// Takes the first waiter out.
    #[inline]
    pub fn pop_front(&mut self) -> Option<T> {
        match self.waiters.head {
            NONE => None,
            head => Some(self.take(head)),
        }
    }

    /// Takes a waiter out wherever it stands; `None` if it is gone already.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get_mut(key)?;
        Some(self.take(key.index))
    }

    /// A waiter's value, to be changed in place; `None` if it is gone.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation == key.generation.get() { place.value.as_mut() } else { None }
    }

    /// A waiter's value; `None` if it is gone.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.index as usize)?;
        if place.generation == key.generation.get() { place.value.as_ref() } else { None }
    }

    /// The first waiter and its key.
    #[inline]
    pub fn front_mut(&mut self) -> Option<(Key, &mut T)> {
        let index = self.waiters.head;
        let place = self.places.get_mut(index as usize)?;
        let generation = place.generation.try_into().ok()?;
        Some((Key { index, generation }, place.value.as_mut()?))
    }

    /// The waiters with their keys, first in first out.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { list: self, index: self.waiters.head, left: self.len() }
    }

    /// Calls `change` with each waiter's value, first in first out.
    pub fn for_each_mut(&mut self, mut change: impl FnMut(&mut T)) {
        let mut index = self.waiters.head;
        while let Some(place) = self.places.get_mut(index as usize) {
            index = place.next;
            if let Some(value) = &mut place.value {
                change(value);
            }
        }
    }

    /// Takes everybody out in one step, to be gone through once the lock is given back: nothing of
    /// the list is borrowed. Keys to those taken out are stale.
    pub fn drain(&mut self) -> Drain<T> {
        Drain(Self {
            places: mem::take(&mut self.places),
            waiters: mem::replace(&mut self.waiters, Ends::EMPTY),
            free: mem::replace(&mut self.free, NONE),
            len: mem::replace(&mut self.len, 0),
            generations: Generations::new(),
        })
    }

    /// How many wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nobody waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// For how many waiters memory is held.
    pub fn capacity(&self) -> usize {
        self.places.capacity()
    }

    #[inline]
    fn at(&mut self, index: u32) -> &mut Place<T> {
        &mut self.places[index as usize]
    }

    /// Makes a place a waiter's; the caller links its neighbours to it.
    #[inline]
    fn occupy(&mut self, value: T, prev: u32, next: u32) -> Key {
        let generation = self.generations.next();
        let place = Place { prev, next, generation: generation.get(), value: Some(value) };
        let index = self.free;
        if index == NONE {
            let index = u32::try_from(self.places.len()).unwrap_or(NONE);
            assert!(index != NONE, "fewer than 2^32 - 1 waiters in one list");
            if self.places.capacity() == 0 {
                // Most lists never have a second waiter; a vector would begin with room for four.
                self.places.reserve_exact(1);
            }
            self.places.push(place);
            self.len += 1;
            return Key { index, generation };
        }
        let vacant = mem::replace(self.at(index), place);
        self.free = vacant.next;
        if vacant.next != NONE {
            self.at(vacant.next).prev = NONE;
        }
        self.len += 1;
        Key { index, generation }
    }

    /// Takes the waiter at `index` out, and gives places at the end of the vector back.
    #[inline]
    fn take(&mut self, index: u32) -> T {
        let is_last = index as usize + 1 == self.places.len();
        let (prev, next, value) = match is_last {
            true => self.places.pop().map(|place| (place.prev, place.next, place.value)),
            false => Some(self.vacate(index)),
        }
        .expect("a list with a waiter has a place");
        match prev {
            NONE => self.waiters.head = next,
            _ => self.at(prev).next = next,
        }
        match next {
            NONE => self.waiters.tail = prev,
            _ => self.at(next).prev = prev,
        }
        self.len -= 1;
        if is_last {
            self.trim();
        }
        value.expect("a linked place has a value")
    }

    /// Puts the place at `index` in the free list; its former neighbours and value.
    #[inline]
    fn vacate(&mut self, index: u32) -> (u32, u32, Option<T>) {
        let free = mem::replace(&mut self.free, index);
        if free != NONE {
            self.at(free).prev = index;
        }
        let vacant = Place { prev: NONE, next: free, generation: 0, value: None };
        let place = mem::replace(self.at(index), vacant);
        (place.prev, place.next, place.value)
    }

    /// Gives vacant places at the end of the vector back.
    #[inline]
    fn trim(&mut self) {
        while let Some(&Place { generation: 0, prev, next, .. }) = self.places.last() {
            match prev {
                NONE => self.free = next,
                _ => self.at(prev).next = next,
            }
            if next != NONE {
                self.at(next).prev = prev;
            }
            self.places.pop();
        }
        let (len, capacity) = (self.places.len(), self.places.capacity());
        if capacity > SMALL && len <= capacity / 4 {
            self.places.shrink_to((len * 2).max(SMALL));
        }
    }
}

impl<T> Default for WaitList<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for WaitList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(_, value)| value)).finish()
    }
}

impl<'a, T> IntoIterator for &'a WaitList<T> {
    type Item = (Key, &'a T);
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// The waiters of a [`WaitList`] with their keys, first in first out.
pub struct Iter<'a, T> {
    list: &'a WaitList<T>,
    index: u32,
    left: usize,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = (Key, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.index;
        let place = self.list.places.get(index as usize)?;
        self.index = place.next;
        self.left -= 1;
        let generation = place.generation.try_into().ok()?;
        Some((Key { index, generation }, place.value.as_ref()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("left", &self.left).finish_non_exhaustive()
    }
}

/// Everybody taken out of a [`WaitList`] by [`drain`](WaitList::drain), first in first out.
///
/// Dropping it drops those that are left.
pub struct Drain<T>(WaitList<T>);

impl<T> Iterator for Drain<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let index = self.0.waiters.head;
        let place = self.0.places.get_mut(index as usize)?;
        self.0.waiters.head = place.next;
        self.0.len -= 1;
        place.value.take()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<T> ExactSizeIterator for Drain<T> {}

impl<T> fmt::Debug for Drain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("left", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod model;
#[cfg(test)]
mod tests;
