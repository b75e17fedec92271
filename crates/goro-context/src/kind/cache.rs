//! What this thread has looked up in the table of kinds: direct-mapped, by the site's address.
//!
//! Invariants:
//! 1. A hit is never wrong: a `'static` site's address names one site for ever, and the table's
//!    answer for a site (and for a name) never changes.
//! 2. Entries for names are told apart from those for sites, and their name is compared again by
//!    the caller, since one site may name its tasks differently each time.

use core::cell::Cell;
use core::panic::Location;

use super::Kind;

const SLOTS: usize = 64;

/// Slots by site; an address of zero is an empty one.
type Slots = [Cell<(usize, u32)>; SLOTS];

local! {
    static SITES: Slots = [const { Cell::new((0, 0)) }; SLOTS]
}
local! {
    static NAMES: Slots = [const { Cell::new((0, 0)) }; SLOTS]
}

fn address(site: &'static Location<'static>) -> usize {
    core::ptr::from_ref(site).addr()
}

fn slot(address: usize) -> usize {
    // Multiplicative hashing; the top bits mix all of the address's.
    ((address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize % SLOTS
}

fn read(slots: &Slots, site: &'static Location<'static>) -> Option<Kind> {
    let address = address(site);
    let (owner, kind) = slots[slot(address)].get();
    (owner == address).then_some(Kind(kind))
}

fn write(slots: &Slots, site: &'static Location<'static>, kind: Kind) -> Kind {
    let address = address(site);
    slots[slot(address)].set((address, kind.0));
    kind
}

/// The kind of a site, if this thread has looked it up lately.
#[inline]
pub(super) fn lookup(site: &'static Location<'static>) -> Option<Kind> {
    SITES.with(|slots| read(slots, site))
}

/// Keeps the kind of a site for the next time.
#[cold]
pub(super) fn remember(site: &'static Location<'static>, kind: Kind) -> Kind {
    SITES.with(|slots| write(slots, site, kind))
}

/// The kind last named at this site; the name remains to be compared.
pub(super) fn lookup_named(site: &'static Location<'static>) -> Option<Kind> {
    NAMES.with(|slots| read(slots, site))
}

/// Keeps the kind named at this site for the next time.
pub(super) fn remember_named(site: &'static Location<'static>, kind: Kind) -> Kind {
    NAMES.with(|slots| write(slots, site, kind))
}
