// Wakers that are not a task's, and may misbehave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{RawWaker, RawWakerVTable, Waker};

use goro_shim::global::Arc;

/// What a waker's functions count, and which of them panic.
#[derive(Default)]
pub(crate) struct Bell {
    pub(crate) clones: AtomicUsize,
    pub(crate) rings: AtomicUsize,
    pub(crate) drops: AtomicUsize,
    pub(crate) panics_in: Option<Act>,
}

/// One of a waker's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Clone,
    Wake,
    Drop,
}

impl Bell {
    pub(crate) fn good() -> Arc<Self> {
        Arc::default()
    }

    /// The first of its wakers.
    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        // SAFETY: the functions of the table keep one reference per waker.
        unsafe { Waker::new(Arc::into_raw(self.clone()).cast(), &TABLE) }
    }

    pub(crate) fn rings(&self) -> usize {
        self.rings.load(Ordering::SeqCst)
    }

    fn act(&self, act: Act, count: &AtomicUsize) {
        count.fetch_add(1, Ordering::SeqCst);
        if self.panics_in == Some(act) {
            std::panic::resume_unwind(Box::new(act));
        }
    }
}

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker has a reference, which stays its own.
    let bell = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<Bell>()) });
    bell.act(Act::Clone, &bell.clones);
    RawWaker::new(Arc::into_raw(Arc::clone(&bell)).cast(), &TABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the waker's reference is given up here, also when this panics.
    let bell = unsafe { Arc::from_raw(data.cast::<Bell>()) };
    bell.act(Act::Wake, &bell.rings);
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker has a reference, which stays its own.
    let bell = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<Bell>()) });
    bell.act(Act::Wake, &bell.rings);
}

unsafe fn release(data: *const ()) {
    // SAFETY: the waker's reference is given up here, also when this panics.
    let bell = unsafe { Arc::from_raw(data.cast::<Bell>()) };
    bell.act(Act::Drop, &bell.drops);
}
