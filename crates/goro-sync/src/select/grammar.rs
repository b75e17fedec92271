//! The grammar of `select!`: arms are read one at a time, then all of them are written out at once.
//!
//! | rule | reads | state |
//! |---|---|---|
//! | `@head` | `biased;` and `strict;` | the mode |
//! | `@arm` | one arm | mode, names for arms to come, arms, and what else may end the select |
//! | `@also` | the handler of `default`, `timeout(..)` or `else` | the same |
//! | `@build` | nothing | writes the expression |
//!
//! Invariants:
//! 1. One arm is one step of recursion, so that 64 arms stay below the compiler's limit of 128.
//! 2. A future is made only if its guard holds, in the function around the select: `?`, `.await`
//!    and `return` mean there what they mean elsewhere.
//! 3. Futures live in the scope of the inner block, handlers stand outside of it: all futures, the
//!    winner's included, are dropped before a handler runs, and what they borrowed is free again.
//! 4. A pattern is tried where its value stands: the guard [`fits`] never lets the match take it, so
//!    that nothing is moved out before it is known that all of it matches.
//! 5. What cannot be read is refused at the place where it stands. `compile_error!` in a macro by
//!    example always points at the whole select; so what is wrong is passed to a function that
//!    takes no type there is ([`refused`](super::refused)), a word as the name of a function.
//!
//! [`fits`]: super::round::fits

/// The rules behind [`select!`](crate::select!).
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // The mode.
    (@head {$order:ident $check:ident} biased; $($rest:tt)*) => {
        $crate::__select! { @head {biased $check} $($rest)* }
    };
    (@head {$order:ident $check:ident} strict; $($rest:tt)*) => {
        $crate::__select! { @head {$order strict_arm} $($rest)* }
    };
    (@head $mode:tt) => {
        ::core::compile_error!(
            "`select!` has no arm: write `pattern = future => handler` (to wait for nothing, for \
             ever, await `std::future::pending()`)"
        )
    };
    (@head $mode:tt $($rest:tt)+) => {
        $crate::__select! { @arm $mode [
            (goro_0 A0 0) (goro_1 A1 1) (goro_2 A2 2) (goro_3 A3 3) (goro_4 A4 4) (goro_5 A5 5)
            (goro_6 A6 6) (goro_7 A7 7) (goro_8 A8 8) (goro_9 A9 9) (goro_10 A10 10)
            (goro_11 A11 11) (goro_12 A12 12) (goro_13 A13 13) (goro_14 A14 14) (goro_15 A15 15)
            (goro_16 A16 16) (goro_17 A17 17) (goro_18 A18 18) (goro_19 A19 19) (goro_20 A20 20)
            (goro_21 A21 21) (goro_22 A22 22) (goro_23 A23 23) (goro_24 A24 24) (goro_25 A25 25)
            (goro_26 A26 26) (goro_27 A27 27) (goro_28 A28 28) (goro_29 A29 29) (goro_30 A30 30)
            (goro_31 A31 31) (goro_32 A32 32) (goro_33 A33 33) (goro_34 A34 34) (goro_35 A35 35)
            (goro_36 A36 36) (goro_37 A37 37) (goro_38 A38 38) (goro_39 A39 39) (goro_40 A40 40)
            (goro_41 A41 41) (goro_42 A42 42) (goro_43 A43 43) (goro_44 A44 44) (goro_45 A45 45)
            (goro_46 A46 46) (goro_47 A47 47) (goro_48 A48 48) (goro_49 A49 49) (goro_50 A50 50)
            (goro_51 A51 51) (goro_52 A52 52) (goro_53 A53 53) (goro_54 A54 54) (goro_55 A55 55)
            (goro_56 A56 56) (goro_57 A57 57) (goro_58 A58 58) (goro_59 A59 59) (goro_60 A60 60)
            (goro_61 A61 61) (goro_62 A62 62) (goro_63 A63 63)
        ] {} {{} {} {}} $($rest)+ }
    };

    // No arm is left to read.
    (@arm $mode:tt $names:tt $arms:tt $also:tt) => {
        $crate::__select! { @build $mode $arms $also }
    };

    // What else may end the select.
    (@arm $mode:tt $names:tt $arms:tt $also:tt default => $($rest:tt)+) => {
        $crate::__select! { @also [default] $mode $names $arms $also $($rest)+ }
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt timeout($duration:expr) => $($rest:tt)+) => {
        $crate::__select! { @also [timeout $duration] $mode $names $arms $also $($rest)+ }
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt else => $($rest:tt)+) => {
        $crate::__select! { @also [else] $mode $names $arms $also $($rest)+ }
    };

    // An arm: with a guard or without, its handler in braces, in braces with a comma, an expression
    // with a comma, or the last expression. (Not a `block` fragment: a caller's macro may pass an
    // `expr` on, which that one takes and then refuses.)
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr, if $guard:expr => {$($handler:tt)*}, $($rest:tt)*) => {
        $crate::__select! { @arm $mode [$($names)*] {
            $($arms)* {$name ($pattern) ($future) ($guard) ({$($handler)*})}
        } $also $($rest)* }
    };
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr, if $guard:expr => {$($handler:tt)*} $($rest:tt)*) => {
        $crate::__select! { @arm $mode [$($names)*] {
            $($arms)* {$name ($pattern) ($future) ($guard) ({$($handler)*})}
        } $also $($rest)* }
    };
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr, if $guard:expr => $handler:expr, $($rest:tt)*) => {
        $crate::__select! { @arm $mode [$($names)*] {
            $($arms)* {$name ($pattern) ($future) ($guard) ($handler)}
        } $also $($rest)* }
    };
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr, if $guard:expr => $handler:expr) => {
        $crate::__select! { @build $mode {
            $($arms)* {$name ($pattern) ($future) ($guard) ($handler)}
        } $also }
    };
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr => {$($handler:tt)*}, $($rest:tt)*) => {
        $crate::__select! { @arm $mode [$($names)*] {
            $($arms)* {$name ($pattern) ($future) () ({$($handler)*})}
        } $also $($rest)* }
    };
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr => {$($handler:tt)*} $($rest:tt)*) => {
        $crate::__select! { @arm $mode [$($names)*] {
            $($arms)* {$name ($pattern) ($future) () ({$($handler)*})}
        } $also $($rest)* }
    };
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr => $handler:expr, $($rest:tt)*) => {
        $crate::__select! { @arm $mode [$($names)*] {
            $($arms)* {$name ($pattern) ($future) () ($handler)}
        } $also $($rest)* }
    };
    (@arm $mode:tt [$name:tt $($names:tt)*] {$($arms:tt)*} $also:tt
        $pattern:pat = $future:expr => $handler:expr) => {
        $crate::__select! { @build $mode {
            $($arms)* {$name ($pattern) ($future) () ($handler)}
        } $also }
    };

    // What is no arm: refused where it stands. (A word is read as a `tt`, which keeps its place. What
    // begins otherwise is left to the compiler, which points at the token that it does not expect.)
    (@arm $mode:tt [] $arms:tt $also:tt $pattern:pat = $future:expr $(, if $guard:expr)?
        => $($rest:tt)*) => {
        $crate::select::refused::many_arms($future)
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt $pattern:pat = $future:expr) => {
        $crate::select::refused::no_handler($future)
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt
        $pattern:pat = $future:expr, if $guard:expr, $($rest:tt)*) => {
        $crate::select::refused::no_handler($future)
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt
        $pattern:pat = $future:expr, $($rest:tt)*) => {
        $crate::select::refused::no_handler($future)
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt _ => $handler:expr $(, $($rest:tt)*)?) => {
        $crate::select::refused::no_future($handler)
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt timeout => $handler:expr $(, $($rest:tt)*)?) => {
        $crate::select::refused::no_duration($handler)
    };
    (@arm $mode:tt $names:tt $arms:tt $also:tt $word:tt; $($rest:tt)*) => {{
        fn $word() {}
        $crate::select::refused::no_mode($word)
    }};
    (@arm $mode:tt $names:tt $arms:tt $also:tt $first:tt $($rest:tt)*) => {
        $crate::__select! { @no_arm $first; $first $($rest)* }
    };
    (@no_arm $is_one:ident; $word:tt $($rest:tt)*) => {{
        fn $word() {}
        $crate::select::refused::no_arm($word)
    }};
    (@no_arm $first:tt; $pattern:pat = $future:expr $(, if $guard:expr)? => $handler:expr) => {};

    // The handler of what else may end the select.
    (@also $kind:tt $mode:tt $names:tt $arms:tt $also:tt {$($handler:tt)*}, $($rest:tt)*) => {
        $crate::__select! { @add $kind $mode $names $arms $also ({$($handler)*}) $($rest)* }
    };
    (@also $kind:tt $mode:tt $names:tt $arms:tt $also:tt {$($handler:tt)*} $($rest:tt)*) => {
        $crate::__select! { @add $kind $mode $names $arms $also ({$($handler)*}) $($rest)* }
    };
    (@also $kind:tt $mode:tt $names:tt $arms:tt $also:tt $handler:expr $(, $($rest:tt)*)?) => {
        $crate::__select! { @add $kind $mode $names $arms $also ($handler) $($($rest)*)? }
    };
    (@add [default] $mode:tt $names:tt $arms:tt {{} {} {}} $handler:tt $($rest:tt)*) => {
        $crate::__select! { @arm $mode $names $arms {{$handler} {} {}} $($rest)* }
    };
    (@add [timeout $duration:expr] $mode:tt $names:tt $arms:tt {{} {} $else:tt} $handler:tt
        $($rest:tt)*) => {
        $crate::__select! {
            @arm $mode $names $arms {{} {($duration) $handler} $else} $($rest)*
        }
    };
    (@add [else] $mode:tt $names:tt $arms:tt {{} $timeout:tt {}} $handler:tt $($rest:tt)*) => {
        $crate::__select! { @arm $mode $names $arms {{} $timeout {$handler}} $($rest)* }
    };
    (@add $kind:tt $mode:tt $names:tt $arms:tt $also:tt ($handler:expr) $($rest:tt)*) => {
        $crate::select::refused::second_end($handler)
    };

    // The expression. Its type has a variant for each goro_arm, and for what else may end it.
    (@build {$order:ident $check:ident}
        {$({
            ($var:ident $variant:ident $index:literal)
            ($pattern:pat) ($future:expr) ($($guard:expr)?) ($handler:expr)
        })*}
        {{$(($default:expr))?} {$(($duration:expr) ($timeout:expr))?} {$(($else:expr))?}}
    ) => {{
        #[allow(dead_code, clippy::items_after_statements, reason = "it depends on the arms")]
        enum __GoroSelected<$($variant,)*> { $($variant($variant),)* Default, Timeout, Else }
        match {
            $(let mut $var = ::core::pin::pin!(
                $crate::__select!(@future $check $future $(, $guard)?)
            );)*
            #[allow(unused_mut, reason = "it depends on the arms")]
            let mut goro_round = $crate::select::round::Round::glancing();
            $(goro_round.admit($index, $var.is_some());)*
            $(let mut goro_late = $crate::select::round::Late::new($duration);)?
            let goro_selected = ::core::future::poll_fn(|goro_cx: &mut ::core::task::Context<'_>| {
                ::core::task::ready!(goro_round.begin(goro_cx));
                #[allow(unused_imports, reason = "it depends on the arms")]
                use $crate::select::glance::Ask as _;
                loop {
                    for goro_arm in goro_round.$order() {
                        match goro_arm {
                            $($index => {
                                let ::core::option::Option::Some(goro_future) = $var.as_mut().as_pin_mut()
                                else { continue };
                                #[allow(unused_mut, reason = "it depends on the arms")]
                                let ::core::task::Poll::Ready(mut goro_output) =
                                    $crate::select::glance::Arm(goro_future)
                                    .ask(&mut goro_round, $index, goro_cx)
                                else { continue };
                                let mut goro_matched = false;
                                #[allow(unused_variables, unused_mut, unreachable_code, reason = "it depends on the arms")]
                                match goro_output {
                                    $pattern if $crate::select::round::fits(&mut goro_matched) => {
                                        ::core::unreachable!()
                                    }
                                    _ => {}
                                }
                                if goro_matched {
                                    goro_round.won(goro_cx);
                                    return ::core::task::Poll::Ready(
                                        __GoroSelected::$variant(goro_output),
                                    );
                                }
                                $var.set(::core::option::Option::None);
                                goro_round.dismiss($index);
                            })*
                            _ => ::core::unreachable!(),
                        }
                    }
                    if !goro_round.asks_again() {
                        break;
                    }
                }
                $crate::__select!(@otherwise goro_round goro_cx [$($default)?] [$(goro_late $duration)?] [$($else)?])
            })
            .await;
            goro_selected
        } {
            // In braces it is a temporary, which `ref mut` may borrow as it likes.
            $(__GoroSelected::$variant(goro_output) => match { goro_output } {
                $pattern => $handler,
                #[allow(unreachable_patterns, reason = "it depends on the arms")]
                _ => ::core::unreachable!(),
            },)*
            $(__GoroSelected::Default => $default,)?
            $(__GoroSelected::Timeout => $timeout,)?
            $(__GoroSelected::Else => $else,)?
            #[allow(unreachable_patterns, reason = "it depends on the arms")]
            _ => ::core::unreachable!(),
        }
    }};

    (@future $check:ident $future:expr) => {
        $crate::select::round::$check($future)
    };
    (@future $check:ident $future:expr, $guard:expr) => {
        if $guard {
            $crate::select::round::$check($future)
        } else {
            ::core::option::Option::None
        }
    };

    // No arm was ready.
    (@otherwise $round:ident $cx:ident [$default:expr] [] []) => {
        $round.not_ready($cx).map(|()| __GoroSelected::Default)
    };
    (@otherwise $round:ident $cx:ident [] [$($late:ident $duration:expr)?] [$else:expr]) => {{
        if $round.is_over() {
            $round.ended($cx);
            return ::core::task::Poll::Ready(__GoroSelected::Else);
        }
        $crate::__select!(@late $round $cx [$($late)?])
    }};
    (@otherwise $round:ident $cx:ident [] [$late:ident $duration:expr] []) => {
        $crate::__select!(@late $round $cx [$late])
    };
    (@otherwise $round:ident $cx:ident [] [] []) => {{
        if $round.is_over() {
            $crate::select::round::nothing_left();
        }
        ::core::task::Poll::Pending
    }};
    (@late $round:ident $cx:ident []) => {
        ::core::task::Poll::Pending
    };
    (@late $round:ident $cx:ident [$late:ident]) => {{
        ::core::task::ready!($late.poll($cx));
        $round.ended($cx);
        ::core::task::Poll::Ready(__GoroSelected::Timeout)
    }};
}
