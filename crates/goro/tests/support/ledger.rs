//! Values that write down where they end, for tests that lose none.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

/// A value that writes down where it ends.
pub(crate) struct Value(usize, Arc<Ledger>);

/// How often each value was made, received, and dropped.
pub(crate) struct Ledger {
    pub(crate) made: Mutex<Vec<usize>>,
    pub(crate) received: Mutex<Vec<usize>>,
    pub(crate) dropped: Mutex<Vec<usize>>,
    /// Sends that said yes.
    pub(crate) sent: AtomicUsize,
}

impl Drop for Value {
    fn drop(&mut self) {
        self.1.dropped.lock().unwrap()[self.0] += 1;
    }
}

impl Ledger {
    pub(crate) fn of(values: usize) -> Arc<Self> {
        let none = || Mutex::new(vec![0; values]);
        Arc::new(Self {
            made: none(),
            received: none(),
            dropped: none(),
            sent: AtomicUsize::new(0),
        })
    }

    pub(crate) fn make(self: &Arc<Self>, number: usize) -> Value {
        self.made.lock().unwrap()[number] += 1;
        Value(number, Arc::clone(self))
    }

    pub(crate) fn got(&self, value: &Value) {
        self.received.lock().unwrap()[value.0] += 1;
    }
}
