//! Futures that note on which thread they are dropped.

use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

/// Notes on which thread it is dropped.
#[derive(Clone, Default)]
pub(crate) struct Places(pub(crate) Arc<Mutex<Vec<ThreadId>>>);

impl Places {
    pub(crate) fn note(&self) {
        self.0.lock().unwrap().push(thread::current().id());
    }

    pub(crate) fn are(&self, expected: &[ThreadId]) {
        assert_eq!(*self.0.lock().unwrap(), expected);
    }
}

struct NotesItsDrop(Places, Rc<()>);
impl Drop for NotesItsDrop {
    fn drop(&mut self) {
        assert_eq!(Rc::strong_count(&self.1), 1);
        self.0.note();
    }
}

pub(crate) fn noted(places: &Places) -> impl Future<Output = ()> + use<> {
    let noted = NotesItsDrop(places.clone(), Rc::new(()));
    async move {
        let _noted = noted;
        pending::<()>().await;
    }
}
