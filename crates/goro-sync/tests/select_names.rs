//! `select!` where names mean something else, within macros, and with as many arms as there may be.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use futures::executor::block_on;
use std::future::{pending, ready};
use std::time::Duration;

/// Pitfall 120: names that a user may have given to something else.
mod names {
    #![allow(dead_code, non_upper_case_globals, reason = "they stand in the macro's way")]
    struct Some;
    struct None;
    struct Ok;
    struct Option;
    struct Poll;
    struct Pin;
    struct Future;
    struct Context;
    mod core {}
    mod std {}
    const arm: u32 = 0;
    const matched: u32 = 1;
    const a0: u32 = 2;

    #[test]
    fn the_macro_uses_none_of_its_callers_names() {
        let (round, cx, future, output) = (1, 2, 3, 4);
        let sum = super::block_on(async {
            goro_sync::select! {
                n = super::ready(round + cx) => n + future + output,
                timeout(super::Duration::from_secs(1)) => round,
                else => cx,
            }
        });
        assert_eq!(sum, 10);
    }
}

macro_rules! wrapped {
    ($($name:ident in $future:expr),*) => {
        goro_sync::select! { $($name = $future => $name,)* }
    };
}

#[test]
fn a_select_may_be_written_by_a_macro() {
    assert_eq!(block_on(async { wrapped!(a in ready(1), b in pending()) }), 1);
}

/// Pitfall 120: as many arms as there may be, by name, within the compiler's limit.
#[test]
fn sixty_four_arms_are_accepted() {
    macro_rules! sixty_four {
        ($last:expr; $($n:literal)*) => {
            goro_sync::select! {
                $(() = pending() => $n,)*
                n = $last => { n }
            }
        };
    }
    let outcome = block_on(async {
        sixty_four!(ready(64); 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26
            27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55
            56 57 58 59 60 61 62 63)
    });
    assert_eq!(outcome, 64);
}
