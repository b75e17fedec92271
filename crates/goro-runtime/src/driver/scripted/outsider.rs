//! A thread that is not the runtime's, inside `block_on`: its future, polled when it is woken.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use goro_context::contain;
use goro_context::{WaitNote, note};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, Ordering};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Wake;

use super::Event;
use super::cast::Cast;
use crate::current;
use crate::current::aside;
use crate::ground::Ground;

type Body = Pin<Box<dyn Future<Output = ()>>>;

/// Says that the future is to be polled.
#[derive(Debug)]
struct Call(AtomicBool);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: Release pairs with the Acquire in `can_move`, for wakes from real threads.
        self.0.store(true, Ordering::Release);
    }
}

/// A thread that is not the runtime's, inside `block_on`; made by
/// [`Scripted::attend`](super::Scripted::attend).
#[derive(Clone)]
pub struct Outsider(Rc<Guest>);

struct Guest {
    /// `None` while it is polled, and when it is done.
    body: RefCell<Option<Body>>,
    call: Arc<Call>,
    wait: Cell<WaitNote>,
    done: Cell<bool>,
    panic: Cell<Option<Box<dyn Any + Send>>>,
}

impl Outsider {
    fn new(body: Body) -> Self {
        Self(Rc::new(Guest {
            body: RefCell::new(Some(body)),
            call: Arc::new(Call(AtomicBool::new(true))),
            wait: Cell::new(WaitNote::NOTHING),
            done: Cell::new(false),
            panic: Cell::new(None),
        }))
    }

    /// Whether its future is done, or has panicked.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.done.get()
    }

    /// What it waits for.
    #[must_use]
    pub fn wait(&self) -> WaitNote {
        self.0.wait.get()
    }

    /// What its future has panicked with, once.
    #[must_use]
    pub fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.0.panic.take()
    }

    pub(super) fn can_move(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `Call`.
        !self.is_done() && self.0.body.borrow().is_some() && self.0.call.0.load(Ordering::Acquire)
    }

    /// Drops its future, inside the runtime.
    pub(super) fn abandon(&self, ground: &Arc<Ground>) {
        let body = self.0.body.borrow_mut().take();
        let _inside = current::enter(ground.hub.foreign());
        // Panic: the future's destructor may; there is nobody left to tell.
        contain::quietly(|| drop(body));
    }

    fn poll(&self, ground: &Arc<Ground>) {
        let Guest { body: place, call, wait, done, panic } = &*self.0;
        // Bound first: a nested loop in the poll may look at the place.
        let body = place.borrow_mut().take();
        let Some(mut body) = body else { return };
        // Before the poll: a wake during it counts for the next.
        call.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(call));
        let _inside = current::enter(ground.hub.foreign());
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let polled = body.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                // Its locals, here, where it would drop them on a thread of its own.
                drop(body);
                (polled, None)
            } else {
                (polled, Some(body))
            }
        }));
        match polled {
            Ok((Poll::Pending, body)) => {
                wait.set(note::take().parked());
                *place.borrow_mut() = body;
            }
            Ok((Poll::Ready(()), _)) => done.set(true),
            Err(payload) => {
                panic.set(Some(payload));
                done.set(true);
            }
        }
    }
}

impl Cast {
    pub(super) fn attend(&self, body: Body) -> Outsider {
        let outsider = Outsider::new(body);
        self.outsiders.borrow_mut().push(outsider.clone());
        outsider
    }

    pub(super) fn poll_outsider(&self, index: u32) {
        let outsider = self.outsiders.borrow().get(index as usize).cloned();
        if let Some(outsider) = outsider {
            self.note(Event::Outsider(index));
            aside(|| outsider.poll(&self.ground));
        }
    }
}

impl fmt::Debug for Outsider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outsider").field("done", &self.is_done()).finish_non_exhaustive()
    }
}
