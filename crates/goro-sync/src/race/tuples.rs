//! Races of 2 to 8, written out.

use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::Runners;
use crate::select::CancelSafe;
use crate::select::round::Round;

macro_rules! race_of {
    ($count:literal $winner:ident $race:ident: $($variant:ident $field:ident $index:literal)*) => {
        #[doc = concat!("Which of ", $count, " has won a race, and with what.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $winner<$($variant),*> {
            $(#[doc = concat!("The one at place ", $index, ", counted from 0.")] $variant($variant),)*
        }

        pin_project! {
            #[doc = concat!("A race of ", $count, "; made by [`race`](super::race).")]
            #[must_use = "futures do nothing unless polled"]
            #[derive(Debug)]
            pub struct $race<$($variant),*> {
                $(#[pin] $field: Option<$variant>,)*
                round: Round,
            }
        }

        impl<$($variant: IntoFuture),*> Runners for ($($variant,)*) {
            type Winner = $winner<$($variant::Output),*>;
            type Race = $race<$($variant::IntoFuture),*>;

            fn race(self) -> Self::Race {
                let ($($field,)*) = self;
                $race { $($field: Some($field.into_future()),)* round: Round::of($count) }
            }
        }

        impl<$($variant: Future),*> Future for $race<$($variant),*> {
            type Output = $winner<$($variant::Output),*>;

            /// # Panics
            /// When it is polled after it was ready.
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut this = self.project();
                ready!(this.round.begin(cx));
                assert!(!this.round.is_over(), "a race is over when it has been ready");
                for runner in this.round.shuffled() {
                    let winner = match runner {
                        $($index => this.$field.as_mut().as_pin_mut().map_or(Poll::Pending, |it| {
                            it.poll(cx).map($winner::$variant)
                        }),)*
                        _ => unreachable!("a round is of as many as there are fields"),
                    };
                    if let Poll::Ready(winner) = winner {
                        this.round.won(cx);
                        *this.round = Round::new();
                        // Panic: a loser's destructor may; the others are dropped with the race.
                        $(this.$field.set(None);)*
                        return Poll::Ready(winner);
                    }
                }
                Poll::Pending
            }
        }

        impl<$($variant: CancelSafe),*> CancelSafe for $race<$($variant),*> {}
    };
}

race_of!(2 OneOf2 Race2: A a 0 B b 1);
race_of!(3 OneOf3 Race3: A a 0 B b 1 C c 2);
race_of!(4 OneOf4 Race4: A a 0 B b 1 C c 2 D d 3);
race_of!(5 OneOf5 Race5: A a 0 B b 1 C c 2 D d 3 E e 4);
race_of!(6 OneOf6 Race6: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5);
race_of!(7 OneOf7 Race7: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6);
race_of!(8 OneOf8 Race8: A a 0 B b 1 C c 2 D d 3 E e 4 F f 5 G g 6 H h 7);
