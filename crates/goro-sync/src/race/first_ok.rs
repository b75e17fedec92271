//! The first success, or all failures.

use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::select::CancelSafe;
use crate::select::round::Round;

/// Futures that try the same thing: a tuple of 2 to 8, with results of one type.
pub trait Attempts {
    /// What a success gives.
    type Success;
    /// All failures, in the order of the tuple: an array.
    type Failures;
    /// The race.
    type Race: Future<Output = Result<Self::Success, Self::Failures>>;

    /// Starts it; nothing is polled yet.
    fn race_ok(self) -> Self::Race;
}

/// Waits for the first success among several futures, and drops the others; if all fail, gives all
/// failures.
///
/// # Errors
/// What each of them failed with, in the order of the tuple.
///
/// # Cancel safety
/// That of the futures, as with [`race`](super::race).
///
/// # Sources
/// futures-concurrency's `RaceOk`, JavaScript's `Promise.any`.
///
/// # Example
/// ```
/// use goro_sync::race::race_ok;
/// use std::future::{pending, ready};
///
/// # futures::executor::block_on(async {
/// let mirrors = (ready(Err("down")), ready(Ok(7)), pending());
/// assert_eq!(race_ok(mirrors).await, Ok(7));
///
/// let mirrors = (ready(Err::<(), _>("down")), ready(Err("gone")));
/// assert_eq!(race_ok(mirrors).await, Err(["down", "gone"]));
/// # });
/// ```
pub fn race_ok<A: Attempts>(attempts: A) -> A::Race {
    attempts.race_ok()
}

macro_rules! first_ok_of {
    ($count:literal $race:ident: $($future:ident $field:ident $index:literal)*) => {
        pin_project! {
            #[doc = concat!("A race of ", $count, " for a success; made by [`race_ok`].")]
            #[must_use = "futures do nothing unless polled"]
            #[derive(Debug)]
            pub struct $race<$($future,)* X> {
                $(#[pin] $field: Option<$future>,)*
                failures: [Option<X>; $count],
                round: Round,
            }
        }

        impl<T, X, $($future: IntoFuture<Output = Result<T, X>>),*> Attempts for ($($future,)*) {
            type Success = T;
            type Failures = [X; $count];
            type Race = $race<$($future::IntoFuture,)* X>;

            fn race_ok(self) -> Self::Race {
                let ($($field,)*) = self;
                $race {
                    $($field: Some($field.into_future()),)*
                    failures: [const { None }; $count],
                    round: Round::of($count),
                }
            }
        }

        impl<T, X, $($future: Future<Output = Result<T, X>>),*> Future for $race<$($future,)* X> {
            type Output = Result<T, [X; $count]>;

            /// # Panics
            /// When it is polled after it was ready.
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut this = self.project();
                ready!(this.round.begin(cx));
                assert!(!this.round.is_over(), "a race is over when it has been ready");
                for runner in this.round.shuffled() {
                    let polled = match runner {
                        $($index => this.$field.as_mut().as_pin_mut().map_or(Poll::Pending, |it| {
                            it.poll(cx)
                        }),)*
                        _ => unreachable!("a round is of as many as there are fields"),
                    };
                    match polled {
                        Poll::Pending => continue,
                        Poll::Ready(Err(failure)) => {
                            this.failures[runner as usize] = Some(failure);
                            this.round.dismiss(runner);
                        }
                        Poll::Ready(Ok(success)) => {
                            this.round.won(cx);
                            *this.round = Round::new();
                            // Panic: a destructor may; the others are dropped with the race.
                            $(this.$field.set(None);)*
                            *this.failures = [const { None }; $count];
                            return Poll::Ready(Ok(success));
                        }
                    }
                    match runner {
                        $($index => this.$field.set(None),)*
                        _ => {}
                    }
                }
                if !this.round.is_over() {
                    return Poll::Pending;
                }
                this.round.ended(cx);
                let failures = core::mem::replace(this.failures, [const { None }; $count]);
                Poll::Ready(Err(failures.map(|failure| {
                    failure.expect("each that is out of the round has left its failure")
                })))
            }
        }

        impl<T, X, $($future: CancelSafe<Output = Result<T, X>>),*> CancelSafe
            for $race<$($future,)* X>
        {
        }
    };
}

first_ok_of!(2 FirstOk2: A a 0 B b 1);
first_ok_of!(3 FirstOk3: A a 0 B b 1 C c 2);
first_ok_of!(4 FirstOk4: A a 0 B b 1 C c 2 D d 3);
first_ok_of!(5 FirstOk5: A a 0 B b 1 C c 2 D d 3 E e 4);
first_ok_of!(6 FirstOk6: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5);
first_ok_of!(7 FirstOk7: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6);
first_ok_of!(8 FirstOk8: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7);
