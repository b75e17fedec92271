//! Where parcels wait for the one thread that may open them.
//!
//! ```text
//!  sender                          owner
//!  put the parcel in (lock)        look ──▶ something: take all (lock)
//!  give the owner's token             └──▶ nothing: sleep; a token ends that, or the next sleep
//! ```
//!
//! The token is what keeps a parcel from being overlooked: it is given after the parcel is in, and
//! the owner looks here after each sleep and before the next. (An owner that is busy looks now and
//! then, too.) No fence is needed: the token's own read-modify-writes order the two.
//!
//! A parcel must not be dropped, so one that is still to be made gets a promise first: while there
//! are promises or parcels, the mailbox cannot be closed.
//!
//! Invariants, under the lock:
//! 1. Closed, it is empty, and nothing is promised.
//! 2. `any` is set while something lies here; it may be read without the lock by the owner.

use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::lock::Lock;

/// Where parcels wait; see the module.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    mail: Lock<Mail<T>>,
    any: AtomicBool,
}

#[derive(Debug)]
struct Mail<T> {
    parcels: Vec<T>,
    promised: usize,
    /// What the owner is called, while there is one.
    owner: Option<u64>,
}

impl<T> Mailbox<T> {
    /// A mailbox that is closed.
    pub(crate) fn new() -> Self {
        let mail = Mail { parcels: Vec::new(), promised: 0, owner: None };
        Self { mail: Lock::new(mail), any: AtomicBool::new(false) }
    }

    /// There is an owner, or will be.
    pub(crate) fn open(&self, owner: u64) {
        self.mail.lock().owner = Some(owner);
    }

    /// Promises a parcel, and says for whom it is to be made; `None` when nobody would open it.
    pub(crate) fn promise(&self) -> Option<u64> {
        let mut mail = self.mail.lock();
        let owner = mail.owner?;
        mail.promised += 1;
        Some(owner)
    }

    /// Puts in a parcel that was promised; the caller then gives the owner its token.
    pub(crate) fn keep_promise(&self, parcel: T) {
        let mut mail = self.mail.lock();
        mail.promised -= 1;
        self.put(&mut mail, parcel);
    }

    /// Takes a promise back.
    pub(crate) fn break_promise(&self) {
        self.mail.lock().promised -= 1;
    }

    /// Puts in a parcel of a task that the owner has had before; it will not leave before the task
    /// has ended. The caller then gives it its token.
    pub(crate) fn post(&self, parcel: T) {
        self.put(&mut self.mail.lock(), parcel);
    }

    fn put(&self, mail: &mut Mail<T>, parcel: T) {
        mail.parcels.push(parcel);
        // Ordering: the lock and the token order it; relaxed is enough.
        self.any.store(true, Ordering::Relaxed);
    }

    /// Owner: whether something lies here. Seen for certain once the token has been taken.
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Owner: takes all there is.
    pub(crate) fn take(&self) -> Vec<T> {
        let mut mail = self.mail.lock();
        self.any.store(false, Ordering::Relaxed);
        core::mem::take(&mut mail.parcels)
    }

    /// Owner: leaves for good; nothing of its runtime is live.
    pub(crate) fn shut(&self) {
        self.mail.lock().owner = None;
    }

    /// Owner: leaves, unless something lies here or is promised.
    pub(crate) fn close(&self) -> bool {
        let mut mail = self.mail.lock();
        let free = mail.parcels.is_empty() && mail.promised == 0;
        if free {
            mail.owner = None;
        }
        free
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_promise_keeps_it_open() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.promise(), None, "nobody would open it");
        mailbox.open(7);
        assert_eq!(mailbox.promise(), Some(7));
        assert!(!mailbox.close());
        mailbox.keep_promise("parcel");
        assert!(!mailbox.close() && mailbox.has_mail());
        assert_eq!(mailbox.take(), ["parcel"]);
        assert!(!mailbox.has_mail() && mailbox.close());
        assert_eq!(mailbox.promise(), None);
    }
}
