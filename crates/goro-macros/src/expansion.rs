//! What is emitted.
//!
//! ```text
//! #[goro::main(workers = 4)]            /// Doc.
//! /// Doc.                              pub fn main() -> R {
//! pub async fn main() -> R { body }         async fn main() -> R { body }
//!                                           ::goro::__private::main(Some(4), main())
//!                                       }
//! ```
//!
//! The user's function stands inside unchanged, as an `async fn` of the same name: `return` and
//! `?` mean what they meant, and a type error reads as if the attribute were not there. An
//! `async` block in its place would have to guess the type that `?` converts into.

use crate::arguments::{Arguments, Flavor};
use crate::entry::Entry;
use crate::function::{Function, Outer};
use crate::tree::{Fence, Tree};

/// A part of the output.
#[derive(Debug)]
pub(crate) enum Piece<T> {
    /// Tokens of the user's.
    Kept(Vec<T>),
    /// Tokens of this crate's, as text in which every fence that opens also closes.
    Code(String),
    /// Parts between fences.
    Group(Fence, Vec<Piece<T>>),
}

/// The function that stands in place of the user's.
pub(crate) fn expand<T: Tree>(
    entry: Entry,
    arguments: &Arguments,
    function: Function<T>,
) -> Vec<Piece<T>> {
    let Function { attributes, visibility, asynchronous, head, name, outer, body } = function;
    let facade = &arguments.facade;
    let workers = match arguments.workers {
        Some(count) => format!("::core::option::Option::Some({count}usize),"),
        None => "::core::option::Option::None,".to_owned(),
    };
    let future = || [Piece::Kept(vec![name.clone()]), Piece::Code("()".into())];
    let (runner, call) = match (arguments.seeds, arguments.flavor) {
        _ if arguments.shutdown => {
            let local = arguments.flavor == Flavor::Local;
            let workers = if local { "" } else { workers.as_str() };
            // Without the handle it cannot know that it is to end, and is not waited for.
            let how = Piece::Code(format!("{workers} {},", outer.is_some()));
            let main = match outer {
                Some(_) => vec![Piece::Kept(vec![name])],
                None => [Piece::Code("|_|".into())].into_iter().chain(future()).collect(),
            };
            let runner = if local { "local_shutdown_main" } else { "shutdown_main" };
            (runner, [how].into_iter().chain(main).collect())
        }
        // A function, since it is run more than once.
        (Some(seeds), _) => {
            let how = format!("{workers} {seeds}u64,");
            ("simulate", vec![Piece::Code(how), Piece::Kept(vec![name])])
        }
        (None, Flavor::Local) => (entry.local(), future().into()),
        (None, Flavor::Multi) => {
            (entry.name(), [Piece::Code(workers)].into_iter().chain(future()).collect())
        }
    };
    let inside = vec![
        // A body without an await is no oversight: the attribute asks for the `async`.
        Piece::Code("#[allow(clippy::unused_async, reason = \"an entry point is async\")]".into()),
        Piece::Kept(vec![asynchronous]),
        Piece::Kept(head.clone()),
        Piece::Kept(vec![body]),
        Piece::Code(format!("{facade}::__private::{runner}")),
        Piece::Group(Fence::Parentheses, call),
    ];
    let mut pieces = Vec::with_capacity(5);
    if entry == Entry::Test {
        pieces.push(Piece::Code("#[::core::prelude::v1::test]".into()));
    }
    pieces.push(Piece::Kept(attributes));
    pieces.push(Piece::Kept(visibility));
    match outer {
        None => pieces.push(Piece::Kept(head)),
        Some(Outer { before, after }) => {
            pieces.extend([Piece::Kept(before), Piece::Code("()".into()), Piece::Kept(after)]);
        }
    }
    pieces.push(Piece::Group(Fence::Braces, inside));
    pieces
}

/// What stands in place of an item that was refused, beside the error: for `main` an empty one, so
/// that the compiler does not go on to complain that there is none.
pub(crate) fn in_place_of_refused<T: Tree>(name: Option<T>) -> Vec<Piece<T>> {
    match name {
        Some(name) if name.is_word("main") => {
            vec![Piece::Code("fn".into()), Piece::Kept(vec![name]), Piece::Code("() {}".into())]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Fake};
    use crate::{arguments, function};

    fn expanded(entry: Entry, arguments: &str, item: &str) -> String {
        let arguments = arguments::parse::<Fake>(entry, &fake::tokens(arguments)).unwrap();
        let takes = arguments.shutdown;
        let Ok(function) = function::parse(entry, takes, &fake::tokens(item)) else {
            panic!("refused: {item}")
        };
        fake::written(&expand(entry, &arguments, function))
    }

    const ALLOWED: &str = "#[allow(clippy::unused_async, reason = \"an entry point is async\")]";

    #[test]
    fn main_keeps_attributes_visibility_type_and_body() {
        let item = "#[doc = \"d\"] pub async fn main() -> Result<(), E> { f()?; Ok(()) }";
        let expected = format!(
            "# [doc = \"d\"] pub fn main () - > Result < () , E > {{ {ALLOWED} \
             async fn main () - > Result < () , E > {{f () ? ; Ok (())}} \
             ::goro::__private::main ( ::core::option::Option::None, main () ) }}"
        );
        assert_eq!(expanded(Entry::Main, "", item), expected);
    }

    #[test]
    fn a_test_is_marked_before_its_own_attributes_and_has_two_workers() {
        let expected = format!(
            "#[::core::prelude::v1::test] # [should_panic] fn a () {{ {ALLOWED} \
             async fn a () {{}} \
             ::goro::__private::test ( ::core::option::Option::Some(2usize), a () ) }}"
        );
        assert_eq!(expanded(Entry::Test, "", "#[should_panic] async fn a() {}"), expected);
    }

    #[test]
    fn the_users_count_and_path_are_used() {
        let text = expanded(Entry::Main, "workers = 7, crate = \"x::y\"", "async fn main() {}");
        assert!(text.contains("x::y::__private::main"), "{text}");
        assert!(text.contains("Some(7usize)"), "{text}");
    }

    #[test]
    fn what_is_local_is_told_of_no_workers() {
        for (entry, runner) in [(Entry::Main, "local_main"), (Entry::Test, "local_test")] {
            let text = expanded(entry, "flavor = \"local\"", "async fn main() {}");
            let call = format!("::goro::__private::{runner} ( main () ) }}");
            assert!(text.ends_with(&call), "{text}");
        }
    }

    #[test]
    fn a_simulated_test_is_handed_over_to_be_run_for_each_seed() {
        let text = expanded(Entry::Test, "sim, seeds = 9", "async fn a() {}");
        let call = "::goro::__private::simulate ( ::core::option::Option::None, 9u64, a ) }";
        assert!(text.ends_with(call), "{text}");
    }

    #[test]
    fn a_main_that_ends_in_an_orderly_way_is_handed_over_with_or_without_the_handle() {
        let item = "async fn main(end: H) -> R {}";
        let expected = format!(
            "fn main () - > R {{ {ALLOWED} async fn main (end : H) - > R {{}} \
             ::goro::__private::shutdown_main ( ::core::option::Option::Some(3usize), true, main ) }}"
        );
        assert_eq!(expanded(Entry::Main, "shutdown, workers = 3", item), expected);
        let text = expanded(Entry::Main, "shutdown", "async fn main() {}");
        assert!(text.contains("::core::option::Option::None, false, |_| main ()"), "{text}");
        let text = expanded(Entry::Main, "shutdown, flavor = \"local\"", item);
        assert!(text.contains("local_shutdown_main (  true, main )"), "{text}");
    }

    #[test]
    fn only_main_is_replaced_beside_an_error() {
        let emitted = |source| {
            fake::written(&in_place_of_refused(function::name::<Fake>(&fake::tokens(source))))
        };
        assert_eq!(emitted("fn main(x: u8) {}"), "fn main () {}");
        assert_eq!(emitted("fn works(x: u8) {}"), "");
        assert_eq!(emitted("struct Main;"), "");
    }
}
