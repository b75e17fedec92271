//! A task of a group: the future, and what tells the group of its end.
//!
//! Invariants:
//! 1. The future is gone before the group is told.
//! 2. A panic is told to the group and goes on, so that it counts as any task's.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use goro_context::contain;
use goro_shim::thread;
use pin_project_lite::pin_project;

use super::shared::{Member, Outcome};

pin_project! {
    /// A task of a group.
    pub(super) struct Child<F, T, E> {
        #[pin]
        future: Option<F>,
        // Below the future, so that it goes after it.
        place: Place<T, E>,
    }
}

/// Tells the group that the child was dropped, unless it has ended.
struct Place<T, E>(Option<Member<T, E>>);

impl<T, E> Drop for Place<T, E> {
    fn drop(&mut self) {
        if let Some(member) = self.0.take() {
            if thread::panicking() {
                // The future's destructor has.
                member.panicked();
            }
            member.end(Outcome::Dropped);
        }
    }
}

impl<F, T, E> Child<F, T, E> {
    pub(super) fn new(future: F, member: Member<T, E>) -> Self {
        Self { future: Some(future), place: Place(Some(member)) }
    }
}

/// What the task panics with whose own panic the group has.
struct ToldToItsGroup;

impl<F, T, E> Future for Child<F, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let future = &mut this.future;
        // Panic: caught here, told to the group, and passed on.
        let polled = catch_unwind(AssertUnwindSafe(|| match future.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => unreachable!("a task that has ended is not polled"),
        }));
        let Some(member) = &this.place.0 else {
            unreachable!("a task that has ended is not polled")
        };
        let ended = polled.and_then(|polled| {
            let Poll::Ready(output) = polled else { return Ok(None) };
            // Panic: of the future's destructor, and of what is done with the value, as above.
            catch_unwind(AssertUnwindSafe(|| {
                future.set(None);
                Some(output.map_or_else(Outcome::Failed, |value| member.give(value)))
            }))
        });
        let outcome = match ended {
            Ok(None) => return Poll::Pending,
            Ok(Some(outcome)) => outcome,
            Err(payload) => Outcome::Panicked(payload),
        };
        // Panic: of a destructor after a panic: the first one is told.
        contain::quietly(|| future.set(None));
        let panicked = matches!(outcome, Outcome::Panicked(_));
        if let Some(member) = this.place.0.take() {
            if panicked {
                member.panicked();
            }
            member.end(outcome);
        }
        if panicked {
            resume_unwind(Box::new(ToldToItsGroup));
        }
        Poll::Ready(())
    }
}
