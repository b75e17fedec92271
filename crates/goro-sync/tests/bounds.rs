//! Which types may go to another thread, and be shared with one: for `T` that may do both, only one
//! of it, or neither. The file compiles, or a bound is wrong.
#![allow(missing_docs, reason = "a test uses the crate as a program does")]

use goro_sync::{
    Barrier, Event, FairMutex, LazyCell, Mutex, MutexGuard, Notified, Notify, OnceCell,
    OwnedMutexGuard, OwnedPermit, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, Permit, Pool,
    Pooled, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SingleFlight, WaitAtBarrier,
    WaitForEvent,
};
use std::cell::Cell;
use std::rc::Rc;

/// `Send` and `Sync`.
type Both = u32;
/// `Send`, not `Sync`.
type Sends = Cell<u32>;
/// `Sync`, not `Send`.
type Syncs = std::sync::MutexGuard<'static, u32>;
/// Neither.
type Neither = Rc<u32>;

/// Whether a type has the trait, found by which of two methods is nearer.
macro_rules! has {
    ($trait:ident, $type:ty) => {{
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "one of the two is used, by what the type is")]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}
        impl<T: ?Sized + $trait> Probe<T> {
            #[allow(dead_code, reason = "as above")]
            const HAS: bool = true;
        }
        <Probe<$type>>::HAS
    }};
}

/// What `Send` and `Sync` a type has for the four kinds of `T`.
macro_rules! bounds {
    ($($wrapper:ident)::* < $($life:lifetime,)? _ $(, $more:ty)? >) => {
        [
            bounds!(@ $($wrapper)::*<$($life,)? Both $(, $more)?>),
            bounds!(@ $($wrapper)::*<$($life,)? Sends $(, $more)?>),
            bounds!(@ $($wrapper)::*<$($life,)? Syncs $(, $more)?>),
            bounds!(@ $($wrapper)::*<$($life,)? Neither $(, $more)?>),
        ]
    };
    (@ $type:ty) => {
        (has!(Send, $type), has!(Sync, $type))
    };
}

const YES: (bool, bool) = (true, true);
const SEND: (bool, bool) = (true, false);
const SYNC: (bool, bool) = (false, true);
const NO: (bool, bool) = (false, false);

/// Pitfalls 2 to 6.
#[test]
fn locks_pass_on_what_their_values_are() {
    assert_eq!(bounds!(Mutex<_>), [YES, YES, NO, NO]);
    assert_eq!(bounds!(FairMutex<_>), [YES, YES, NO, NO]);
    assert_eq!(bounds!(RwLock<_>), [YES, SEND, NO, NO]);
    assert_eq!(bounds!(OnceCell<_>), [YES, SEND, NO, NO]);
    assert_eq!(bounds!(LazyCell<_, fn()>), [YES, SEND, NO, NO]);
    assert_eq!(bounds!(SingleFlight<_, u32>), [YES, NO, NO, NO]);
    assert_eq!(bounds!(Pool<_>), [YES, YES, NO, NO]);
}

/// Pitfall 3: a guard is judged by what it gives access to, and by what it keeps.
#[test]
fn guards_are_as_the_references_that_they_stand_for() {
    assert_eq!(bounds!(MutexGuard<'static, _>), [YES, SEND, SYNC, NO]);
    assert_eq!(bounds!(RwLockReadGuard<'static, _>), [YES, NO, YES, NO]);
    assert_eq!(bounds!(RwLockWriteGuard<'static, _>), [YES, NO, SYNC, NO]);
    assert_eq!(bounds!(Pooled<'static, _>), [YES, SEND, NO, NO]);
    // Those that own: by the value and by the part, here a number.
    assert_eq!(bounds!(OwnedMutexGuard<_, u32>), [YES, YES, NO, NO]);
    assert_eq!(bounds!(OwnedRwLockReadGuard<_, u32>), [YES, NO, NO, NO]);
    assert_eq!(bounds!(OwnedRwLockWriteGuard<_, u32>), [YES, NO, NO, NO]);
}

#[test]
fn parts_are_judged_too() {
    type OwnedMutex<U> = OwnedMutexGuard<u32, U>;
    type OwnedRead<U> = OwnedRwLockReadGuard<u32, U>;
    type OwnedWrite<U> = OwnedRwLockWriteGuard<u32, U>;
    assert_eq!(bounds!(OwnedMutex<_>), [YES, SEND, SYNC, NO]);
    assert_eq!(bounds!(OwnedRead<_>), [YES, NO, YES, NO]);
    assert_eq!(bounds!(OwnedWrite<_>), [YES, NO, SYNC, NO]);
}

#[test]
fn what_has_no_value_goes_anywhere() {
    const ANYWHERE: [(bool, bool); 8] = [
        bounds!(@ Semaphore),
        bounds!(@ Permit<'static>),
        bounds!(@ OwnedPermit),
        bounds!(@ Notify),
        bounds!(@ Notified<'static>),
        bounds!(@ Event),
        bounds!(@ WaitForEvent<'static>),
        bounds!(@ Barrier),
    ];
    assert_eq!(ANYWHERE, [YES; 8]);
    assert_eq!(bounds!(@ WaitAtBarrier<'static>), YES);
}

/// Futures go to other threads with what they wait for.
#[test]
fn futures_are_send() {
    fn sends<T: Send>(_: &T) -> bool {
        true
    }
    let (lock, shared, permits) = (Mutex::new(Cell::new(1)), RwLock::new(1), Semaphore::new(1));
    let cell = OnceCell::new();
    assert!(sends(&lock.lock()) && sends(&shared.read()) && sends(&shared.write()));
    assert!(sends(&permits.acquire()) && sends(&permits.acquire_many(2)));
    assert!(sends(&cell.get_or_init(|| async { 1 })));
}
