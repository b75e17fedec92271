//! What every task has, whatever its future: the header in front of the stage.
//!
//! A task is one allocation: header, (for those that inherit something) the list of that, (for local
//! tasks) the owner's token, stage. It is reached
//! through a [`Ptr`], whose provenance covers the whole allocation.
//!
//! Invariants:
//! 1. At most 48 bytes: with a future of 16 a task fills one cache line.
//! 2. Every field is immutable, atomic, or touched only by whoever possesses the runnable, except
//!    the join slot, whose owner the state word names.
//! 3. No reference to a header is an argument of the call that gives up the last hold on it; only
//!    the state word itself is.
//!
//! Left out: spawn site and name (they belong to the kind), counts and clocks of polls (they belong
//! to whoever polls).
#![allow(unsafe_code, reason = "fields that belong to whoever the state word names")]

use core::ptr::NonNull;
use core::task::{Context, Waker};

use goro_context::cancel::Ambient;
use goro_context::contain;
use goro_context::inherit::{self, Head};
use goro_context::task::Identity;
use goro_context::{Kind, Op, TaskId, WaitNote};
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::cell::UnsafeCell;

use crate::allocation::class::Shape;
use crate::error::Failure;
use crate::join::slot::Slot;
use crate::runnable::Ending;
use crate::state::Word;
use crate::{allocation, causes};

/// A task, as everything but the future's type sees it.
pub(crate) type Ptr = NonNull<Header>;

/// The header; see the module.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) word: Word,
    pub(crate) table: &'static Table,
    identity: Identity,
    /// The number of the home that wakes go to, one of the type the table was made for.
    home: UnsafeCell<u32>,
    /// The registry key plus one; zero while not listed.
    key: UnsafeCell<u32>,
    /// The joiner's waker; see `JWAKER`.
    slot: UnsafeCell<Slot>,
    /// What the task last parked for: which object (38 bits), since when (20), in which operation (6).
    wait: AtomicU64,
    /// Stands for the stage behind the header, so that a model sees each access to it.
    stage: UnsafeCell<()>,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Header>() <= 48);

const OP_BITS: u32 = 6;
const SINCE_BITS: u32 = 20;
const _: () = assert!(Op::ALL.len() <= 1 << OP_BITS);

/// A header, and what the task was handed by its spawner.
#[repr(C)]
pub(crate) struct Heir {
    header: Header,
    /// Empty once the future is gone.
    inherited: UnsafeCell<Head>,
    /// Where it stands in line at the token in the list, once it has parked; 0 while it does not.
    followed: UnsafeCell<u64>,
}

impl Heir {
    #[inline]
    pub(crate) fn new(header: Header, inherited: Head) -> Self {
        debug_assert!(header.table.inherits, "a table for tasks that inherit nothing");
        Self { header, inherited: UnsafeCell::new(inherited), followed: UnsafeCell::new(0) }
    }
}

/// What depends on the types of future and home.
pub(crate) struct Table {
    /// Of the whole allocation.
    pub(crate) shape: Shape,
    /// Where the stage begins, in bytes from the header.
    pub(crate) stage: usize,
    /// Polls the future; if that ended it, has replaced it with its outcome.
    ///
    /// Safety: the caller possesses the runnable, and the stage holds the future.
    pub(crate) poll: unsafe fn(Ptr, &mut Context<'_>) -> Option<Ending>,
    /// Replaces the future with a failure.
    ///
    /// Safety: as for `poll`.
    pub(crate) cancel: unsafe fn(Ptr, Failure) -> Ending,
    /// Drops the outcome; what panics there is contained.
    ///
    /// Safety: the stage holds the outcome, it is the caller's, and it is not used again.
    pub(crate) drop_outcome: unsafe fn(Ptr),
    /// Gives the runnable to its home.
    ///
    /// Safety: the caller possesses the runnable, and gives it up.
    pub(crate) schedule: unsafe fn(Ptr),
    /// Whether only the owner's thread may poll and drop the future.
    pub(crate) local: bool,
    /// Whether the allocation begins with an [`Heir`].
    pub(crate) inherits: bool,
}

impl Header {
    #[inline]
    pub(crate) fn new(word: Word, table: &'static Table, home: u32, kind: Kind) -> Self {
        Self {
            word,
            table,
            identity: Identity::of_new(kind),
            home: UnsafeCell::new(home),
            key: UnsafeCell::new(0),
            slot: UnsafeCell::new(Slot::EMPTY),
            wait: AtomicU64::new(0),
            stage: UnsafeCell::new(()),
        }
    }

    #[inline]
    pub(crate) fn id(&self) -> TaskId {
        self.identity.id()
    }

    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.identity.kind()
    }

    #[inline]
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// The number of the home recorded here.
    ///
    /// # Safety
    /// The caller possesses the runnable.
    #[inline]
    pub(crate) unsafe fn home(&self) -> u32 {
        // SAFETY: possession of the runnable rules out `set_home` meanwhile.
        self.home.with(|home| unsafe { *home })
    }

    /// Records the registry entry and the home it belongs to.
    ///
    /// # Safety
    /// The caller possesses the runnable, and `home` is the number of one of the table's home type.
    pub(crate) unsafe fn settle(&self, home: u32, key: u32) {
        // SAFETY: possession of the runnable rules out other access meanwhile.
        self.home.with_mut(|place| unsafe { *place = home });
        // SAFETY: as above.
        self.key.with_mut(|place| unsafe { *place = key + 1 });
    }

    /// The registry key, if the task is listed.
    ///
    /// # Safety
    /// The caller possesses the runnable.
    #[inline]
    pub(crate) unsafe fn key(&self) -> Option<u32> {
        // SAFETY: possession of the runnable rules out `settle` meanwhile.
        self.key.with(|key| unsafe { *key }).checked_sub(1)
    }

    /// What `task` inherited, if it inherits something.
    ///
    /// # Safety
    /// The memory is held for as long as the answer is used.
    #[inline]
    unsafe fn heir<'a>(task: Ptr) -> Option<&'a Heir> {
        // SAFETY: the memory is held, says the caller.
        let inherits = unsafe { task.as_ref() }.table.inherits;
        // SAFETY: the table says that the allocation begins with an heir.
        inherits.then(|| unsafe { task.cast::<Heir>().as_ref() })
    }

    /// Runs `f` with the list that `task` inherited as the current one.
    ///
    /// # Safety
    /// The caller possesses the runnable.
    #[inline]
    pub(crate) unsafe fn with_inherited<R>(task: Ptr, f: impl FnOnce() -> R) -> R {
        // SAFETY: the runnable holds the memory.
        match unsafe { Self::heir(task) } {
            // SAFETY: possession of the runnable rules out other access meanwhile.
            Some(heir) => heir.inherited.with_mut(|head| inherit::with(unsafe { &mut *head }, f)),
            None => {
                let mut nothing = Head::EMPTY;
                inherit::with(&mut nothing, f)
            }
        }
    }

    /// Has `task` woken through `waker` when the token is cancelled that it inherited, if it did.
    ///
    /// # Safety
    /// The caller possesses the runnable.
    #[inline]
    pub(crate) unsafe fn follow(task: Ptr, waker: &Waker) {
        // SAFETY: the runnable holds the memory.
        let Some(heir) = (unsafe { Self::heir(task) }) else { return };
        // SAFETY: possession of the runnable rules out other access meanwhile.
        let token = heir.inherited.with(|head| unsafe { &*head }.find::<Ambient>());
        if let Some(token) = token {
            let key = token.register(waker);
            // SAFETY: as above.
            heir.followed.with_mut(|place| unsafe { *place = key });
        }
    }

    /// Drops the list that `task` inherited; what panics there is contained.
    ///
    /// # Safety
    /// The caller possesses the runnable.
    #[inline]
    pub(crate) unsafe fn disinherit(task: Ptr) {
        // SAFETY: the runnable holds the memory.
        let Some(heir) = (unsafe { Self::heir(task) }) else { return };
        // SAFETY: possession of the runnable rules out other access meanwhile.
        let head = heir.inherited.with_mut(|head| unsafe { head.replace(Head::EMPTY) });
        // SAFETY: as above.
        let key = heir.followed.with(|key| unsafe { *key });
        if let (1.., Some(token)) = (key, head.get::<Ambient>()) {
            token.unregister(key);
        }
        // Panic: the destructor of an entry may; the rest of the list is dropped all the same.
        contain::quietly(|| drop(head));
    }

    /// Leaves a note for dumps: what the task waits for, since when.
    ///
    /// Only whoever possesses the runnable writes. Of the object's number 38 bits are kept, of the
    /// time 20.
    #[inline]
    pub(crate) fn note_wait(&self, note: WaitNote, since: u32) {
        let since = (u64::from(since) % (1 << SINCE_BITS)) << OP_BITS;
        let wait = note.object << (OP_BITS + SINCE_BITS) | since | note.op as u64;
        self.wait.store(wait, Ordering::Relaxed);
    }

    /// The last wait noted, and since when.
    pub(crate) fn wait(&self) -> (WaitNote, u32) {
        let wait = self.wait.load(Ordering::Relaxed);
        let op = Op::from_u8((wait % (1 << OP_BITS)) as u8);
        let since = (wait >> OP_BITS) % (1 << SINCE_BITS);
        (WaitNote { op, object: wait >> (OP_BITS + SINCE_BITS) }, since as u32)
    }

    /// Fills the join slot.
    ///
    /// # Safety
    /// The caller is the handle, and the slot is not offered.
    pub(crate) unsafe fn set_slot(&self, slot: Slot) {
        // SAFETY: the completer reads the slot only when it is offered, so nobody does now.
        self.slot.with_mut(|place| unsafe { *place = slot });
    }

    /// Copies the join slot.
    ///
    /// # Safety
    /// The slot is offered and has not been reclaimed, so the handle does not write it.
    pub(crate) unsafe fn slot(&self) -> Slot {
        // SAFETY: nobody writes an offered slot.
        self.slot.with(|slot| unsafe { *slot })
    }

    /// Runs `f` on the stage behind `task`, to read and write it.
    ///
    /// # Safety
    /// The memory is held, and the stage is the caller's by the rules of the state word.
    #[inline(always)]
    pub(crate) unsafe fn with_stage<R>(task: Ptr, f: impl FnOnce(*mut ()) -> R) -> R {
        // SAFETY: the memory is held, says the caller.
        let header = unsafe { task.as_ref() };
        // SAFETY: the table says where in this allocation the stage begins.
        let stage = unsafe { task.byte_add(header.table.stage) };
        header.stage.with_mut(|_| f(stage.as_ptr().cast()))
    }

    /// Tells the model that the memory ends here: every access must have happened before.
    #[cfg(loom)]
    fn retire(&mut self) {
        self.word.retire();
        self.home.with_mut(|_| ());
        self.key.with_mut(|_| ());
        self.slot.with_mut(|_| ());
        self.stage.with_mut(|_| ());
    }
}

/// Frees the task's memory.
///
/// # Safety
/// The caller gave up the last hold, and the stage holds neither future nor outcome any more.
pub(crate) unsafe fn free(task: Ptr) {
    // SAFETY: nobody has freed the memory, since nobody else was the last to leave.
    let header = unsafe { task.as_ref() };
    let shape = &header.table.shape;
    // A reason that came too late to be used, or was not asked for any more.
    causes::forget(header.id(), header.word.last_look().reason());
    #[cfg(loom)]
    // SAFETY: nobody else holds the memory.
    unsafe { &mut *task.as_ptr() }.retire();
    // SAFETY: the header is initialised and not used again; its drop frees nothing outside models.
    unsafe { task.drop_in_place() };
    // SAFETY: the memory was allocated with this shape, and nobody holds it.
    unsafe { allocation::free(task.cast(), shape) };
}
