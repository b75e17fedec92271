//! What a `select!` that cannot be expands to: a call that no expression's type fits, so that the
//! compiler points at the expression, and says what is written here.
//!
//! Invariants:
//! 1. No type has any of these traits, so no such call is ever compiled.

/// An arm `pattern = future`.
#[diagnostic::on_unimplemented(
    message = "this arm of `select!` has no handler",
    label = "write `=> handler` behind the future (and its guard)"
)]
pub trait NoHandler {}

/// Fits nothing; see [`NoHandler`].
pub fn no_handler<T: NoHandler>(_: T) -> ! {
    unreachable!("no type has the trait")
}

/// An arm `_ => handler`.
#[diagnostic::on_unimplemented(
    message = "`_ => ..` names no future to wait for",
    label = "write `default => ..` for what to do when no arm is ready, `else => ..` for when no \
             arm can be any more, or `_ = future => ..`"
)]
pub trait NoFuture {}

/// Fits nothing; see [`NoFuture`].
pub fn no_future<T: NoFuture>(_: T) -> ! {
    unreachable!("no type has the trait")
}

/// An arm `timeout => handler`.
#[diagnostic::on_unimplemented(
    message = "`timeout` needs a duration",
    label = "write `timeout(duration) => ..`"
)]
pub trait NoDuration {}

/// Fits nothing; see [`NoDuration`].
pub fn no_duration<T: NoDuration>(_: T) -> ! {
    unreachable!("no type has the trait")
}

/// A second `default`, `timeout` or `else`, or two that exclude each other.
#[diagnostic::on_unimplemented(
    message = "another arm decides already what happens when no arm is ready",
    label = "remove one: a select has one `default`, or at most one `timeout(..)` and one `else`"
)]
pub trait SecondEnd {}

/// Fits nothing; see [`SecondEnd`].
pub fn second_end<T: SecondEnd>(_: T) -> ! {
    unreachable!("no type has the trait")
}

/// The sixty-fifth arm.
#[diagnostic::on_unimplemented(
    message = "`select!` takes at most 64 arms",
    label = "the 65th: put sources that are alike into one `Select`, or nest a select"
)]
pub trait ManyArms {}

/// Fits nothing; see [`ManyArms`].
pub fn many_arms<T: ManyArms>(_: T) -> ! {
    unreachable!("no type has the trait")
}

/// `word;` that is neither `biased;` nor `strict;`, or comes too late.
#[diagnostic::on_unimplemented(
    message = "a select begins with `biased;`, `strict;`, both or neither, and then come its arms",
    label = "move it to the beginning, or write a comma instead of the semicolon"
)]
pub trait NoMode {}

/// Fits nothing; see [`NoMode`].
pub fn no_mode<T: NoMode>(_: T) -> ! {
    unreachable!("no type has the trait")
}

/// Something that begins with a word and is no arm.
#[diagnostic::on_unimplemented(
    message = "this is no arm of a select",
    label = "write `pattern = future => handler`, or `pattern = future, if guard => handler`, or \
             `default =>`, `timeout(duration) =>`, `else =>`",
    note = "behind a handler that is no block there must be a comma"
)]
pub trait NoArm {}

/// Fits nothing; see [`NoArm`].
pub fn no_arm<T: NoArm>(_: T) -> ! {
    unreachable!("no type has the trait")
}
