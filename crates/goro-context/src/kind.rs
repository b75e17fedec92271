//! Kinds of tasks: every task belongs to one, by an explicit name or by the place of its spawn.
//!
//! A kind is four bytes in a header and an index in every per-kind counter, so kinds are interned:
//! a small cache per thread, keyed by the address of the spawn's `Location`, before one table for
//! the process.
//!
//! Invariants:
//! 1. Equal sites are one kind: a `Location` may have several addresses (one per codegen unit), so
//!    the table compares file, line and column.
//! 2. Equal names are one kind; its site is that of the first task so named.
//! 3. At most [`CAP`] kinds exist. Later ones are [`Kind::OTHER`], so that a name made of user input
//!    costs bounded memory. Names are leaked, once per kind.
//! 4. Reading a kind's name or site takes no lock.
//!
//! Left out: forgetting kinds. Counters are indexed by them, and a dump may print them for ever.

use core::fmt;
use core::panic::Location;

mod cache;
mod table;

use table::Table;

/// The greatest number of kinds in a process, [`Kind::OTHER`] included.
pub const CAP: usize = 4096;

static KINDS: Table<CAP> = Table::new();

static NOWHERE: &Location<'static> = Location::caller();

/// What a task is one of many of; see the [module](self).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u32);

impl Kind {
    /// The kind of all tasks that came when the table was full, and of those that name none.
    pub const OTHER: Self = Self(0);

    /// The kind of the tasks spawned at `site`.
    ///
    /// ```
    /// use core::panic::Location;
    /// use goro_context::Kind;
    ///
    /// #[track_caller]
    /// fn spawn() -> Kind {
    ///     Kind::at(Location::caller())
    /// }
    /// let kinds: Vec<Kind> = (0..2).map(|_| spawn()).collect();
    /// assert_eq!(kinds[0], kinds[1]);
    /// assert_ne!(kinds[0], spawn());
    /// assert_eq!(kinds[0].site().file(), file!());
    /// ```
    #[inline]
    pub fn at(site: &'static Location<'static>) -> Self {
        match cache::lookup(site) {
            Some(kind) => kind,
            None => cache::remember(site, Self(KINDS.at(site))),
        }
    }

    /// The kind of the tasks called `name`; `site` is remembered if the name is a first.
    ///
    /// ```
    /// use core::panic::Location;
    /// use goro_context::Kind;
    ///
    /// let kind = Kind::named("reader", Location::caller());
    /// assert_eq!(kind, Kind::named("reader", Location::caller()));
    /// assert_eq!(kind.name(), "reader");
    /// ```
    pub fn named(name: &str, site: &'static Location<'static>) -> Self {
        match cache::lookup_named(site) {
            Some(kind) if kind.name() == name => kind,
            _ => cache::remember_named(site, Self(KINDS.named(name, site))),
        }
    }

    /// The explicit name, or the site as `file:line:column`; `other` for [`Kind::OTHER`].
    pub fn name(self) -> &'static str {
        KINDS.entry(self.0).map_or("other", |entry| entry.name)
    }

    /// Where the first task of this kind was spawned. [`Kind::OTHER`] points into this crate.
    pub fn site(self) -> &'static Location<'static> {
        KINDS.entry(self.0).map_or(NOWHERE, |entry| entry.site)
    }

    /// The kind's number, below [`CAP`]: an index for counters.
    #[inline]
    pub const fn index(self) -> u32 {
        self.0
    }

    /// The kind whose number this is known to be.
    #[inline]
    pub(crate) const fn numbered(index: u32) -> Self {
        Self(index)
    }

    /// The kind with this number; [`Kind::OTHER`] if there is none.
    pub fn from_index(index: u32) -> Self {
        KINDS.entry(index).map_or(Self::OTHER, |_| Self(index))
    }

    /// Every kind there is by now, [`Kind::OTHER`] first.
    pub fn all() -> impl Iterator<Item = Kind> {
        (0..KINDS.len()).map(Self)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({}, {:?})", self.0, self.name())
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
