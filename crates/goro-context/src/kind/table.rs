//! The table of kinds: sites and names to numbers behind a lock, numbers to entries without one.
//!
//! Invariants:
//! 1. Number 0 has no entry: it is the kind of what found no place.
//! 2. An entry is published (`OnceLock`) before its number leaves the lock.
//! 3. Names are formatted and leaked outside the lock; a race for the same kind leaks at most one
//!    name per racing thread.

use core::panic::Location;
use std::collections::BTreeMap;

use goro_shim::global::{AtomicU32, Lock, OnceLock, Ordering};

/// What a kind is.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) site: &'static Location<'static>,
}

/// A site, with the numbers first: they tell most sites apart before a path is compared.
type Site = (u32, u32, &'static str);

struct Numbers {
    sites: BTreeMap<Site, u32>,
    names: BTreeMap<&'static str, u32>,
    next: u32,
}

/// Up to `CAP` kinds, number 0 included.
pub(super) struct Table<const CAP: usize> {
    numbers: Lock<Numbers>,
    len: AtomicU32,
    entries: [OnceLock<Entry>; CAP],
}

impl<const CAP: usize> Table<CAP> {
    pub(super) const fn new() -> Self {
        Self {
            numbers: Lock::new(Numbers { sites: BTreeMap::new(), names: BTreeMap::new(), next: 1 }),
            len: AtomicU32::new(1),
            entries: [const { OnceLock::new() }; CAP],
        }
    }

    /// The number of the kind of `site`; 0 if the table is full.
    pub(super) fn at(&self, site: &'static Location<'static>) -> u32 {
        let key = (site.line(), site.column(), site.file());
        if let Some(known) = self.known(|numbers| numbers.sites.get(&key).copied()) {
            return known;
        }
        let name = leak(site.to_string());
        let mut numbers = self.numbers.lock();
        if let Some(&raced) = numbers.sites.get(&key) {
            return raced;
        }
        let number = self.publish(&mut numbers, Entry { name, site });
        if number != 0 {
            numbers.sites.insert(key, number);
        }
        number
    }

    /// The number of the kind called `name`; 0 if the table is full.
    pub(super) fn named(&self, name: &str, site: &'static Location<'static>) -> u32 {
        if let Some(known) = self.known(|numbers| numbers.names.get(name).copied()) {
            return known;
        }
        let name = leak(name.to_owned());
        let mut numbers = self.numbers.lock();
        if let Some(&raced) = numbers.names.get(name) {
            return raced;
        }
        let number = self.publish(&mut numbers, Entry { name, site });
        if number != 0 {
            numbers.names.insert(name, number);
        }
        number
    }

    /// The number if it is known, or 0 if no new one will be given: nothing is leaked then.
    fn known(&self, find: impl FnOnce(&Numbers) -> Option<u32>) -> Option<u32> {
        let numbers = self.numbers.lock();
        find(&numbers).or_else(|| (numbers.next as usize >= CAP).then_some(0))
    }

    fn publish(&self, numbers: &mut Numbers, entry: Entry) -> u32 {
        let number = numbers.next;
        let Some(place) = self.entries.get(number as usize) else { return 0 };
        // Under the lock nobody else fills the place, so the entry is always taken.
        place.get_or_init(|| entry);
        numbers.next = number + 1;
        // Ordering: Release pairs with the Acquire in `len`, so that who counts a kind sees it.
        self.len.store(number + 1, Ordering::Release);
        number
    }

    pub(super) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)?.get()
    }

    /// How many kinds there are, number 0 included.
    pub(super) fn len(&self) -> u32 {
        // Ordering: Acquire pairs with the Release in `publish`.
        self.len.load(Ordering::Acquire)
    }
}

fn leak(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}
