//! What a task is told at its spawn: where it belongs, and what it is one of many of.

//!
//! Invariant: homes are never freed, and a number names one home for ever. A task keeps its home as a
//! number, since four bytes less in each task are worth a look-up at a wake.
use core::fmt;

use goro_context::Kind;
use goro_context::inherit::{self, Head};
use goro_shim::global::{AtomicU32, OnceLock, Ordering};

use crate::{Ending, Parcel, Registry, Runnable};

/// Where tasks belong: who queues them when they are woken, and who lists them while they wait.
///
/// A home is never freed (`&'static self`), so that a waker which outlives everything still has
/// somewhere to go. It has one registry, and a number of its own among the homes of its type. Its
/// methods are called on whichever thread wakes or aborts, possibly inside a
/// poll, a destructor or another thread-local's destructor; they must not panic.
pub trait Home: Sync + Sized + 'static {
    /// Whether a task that parks here is woken when the token is cancelled that it inherited. Not where a
    /// wake says more than "look again".
    const FOLLOWS: bool = true;

    /// This home's number; [`Homes`] gives them out.
    fn number(&'static self) -> u32;
    /// The home with this number.
    fn numbered(number: u32) -> &'static Self;
    /// The registry that lists the tasks which first parked here.
    fn registry(&'static self) -> &'static Registry<Self>;

    /// Queues a task that was parked and has been woken or aborted.
    fn schedule(&'static self, task: Runnable<Self>);

    /// As [`schedule`](Self::schedule), for a local task: the parcel must reach the owner's thread.
    fn schedule_local(&'static self, parcel: Parcel<Self>);

    /// A cheap reading of some clock, in units of the home's choice: when a task parks, the low 20
    /// bits of it are noted for dumps. A cached tick does; reading a real clock here would cost more
    /// than everything else that parking does.
    #[inline]
    fn coarse_now(&'static self) -> u32 {
        0
    }

    /// Counts a task that ends, on the thread where it ends, before its handle can tell: whoever
    /// has joined it finds it counted.
    #[inline]
    fn ended(&'static self, _ending: Ending) {}
}

/// All homes of a type, by number; a `static` beside the type.
pub struct Homes<H: 'static> {
    next: AtomicU32,
    /// Each holds twice as many as the one before it, and is made when it is needed.
    shelves: [OnceLock<Shelf<H>>; SHELVES],
}

type Shelf<H> = Box<[OnceLock<&'static H>]>;

/// How many homes the first shelf holds.
const FIRST: u32 = 64;
const SHELVES: usize = (u32::BITS - FIRST.ilog2()) as usize;

/// The shelf on which the home with this number stands, and where.
#[inline]
fn shelf_of(number: u32) -> (usize, usize) {
    let place = u64::from(number) + u64::from(FIRST);
    let shelf = place.ilog2() - FIRST.ilog2();
    (shelf as usize, (place - (u64::from(FIRST) << shelf)) as usize)
}

impl<H> Homes<H> {
    /// None yet.
    pub const fn new() -> Self {
        Self { next: AtomicU32::new(0), shelves: [const { OnceLock::new() }; SHELVES] }
    }

    /// Makes a home, which is told its number, for ever.
    ///
    /// # Panics
    /// At the 2^32nd.
    pub fn leak(&self, make: impl FnOnce(u32) -> H) -> &'static H {
        let step = |next: u32| next.checked_add(1);
        let number = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
        let number = number.expect("memory ends before the numbers of homes do");
        let home: &'static H = Box::leak(Box::new(make(number)));
        let (shelf, place) = shelf_of(number);
        let made = || (0..FIRST << shelf).map(|_| OnceLock::new()).collect();
        self.shelves[shelf].get_or_init(made)[place].get_or_init(|| home);
        home
    }

    /// The home that was told this number.
    ///
    /// # Panics
    /// If none was.
    #[inline]
    pub fn get(&self, number: u32) -> &'static H {
        let (shelf, place) = shelf_of(number);
        let home = self.shelves.get(shelf).and_then(OnceLock::get).and_then(|s| s[place].get());
        home.expect("this number was given to a home")
    }
}

impl<H> Default for Homes<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> fmt::Debug for Homes<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.next.load(Ordering::Relaxed);
        f.debug_struct("Homes").field("count", &count).finish_non_exhaustive()
    }
}

/// What a task is told at its spawn, besides its future and its home.
#[derive(Clone)]
pub struct Meta {
    /// The kind it belongs to.
    pub kind: Kind,
    /// What it inherits: current ([`goro_context::inherit`]) while it is polled, dropped with it.
    pub inherit: Head,
}

impl Meta {
    /// A task of [`Kind::OTHER`] that inherits nothing.
    pub const OTHER: Self = Self { kind: Kind::OTHER, inherit: Head::EMPTY };

    /// A task of this kind that inherits what the current task has.
    #[inline]
    pub fn new(kind: Kind) -> Self {
        Self { kind, inherit: inherit::head() }
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta").field("kind", &self.kind).field("inherit", &self.inherit).finish()
    }
}
