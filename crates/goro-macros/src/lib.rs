//! goro's attributes, `#[goro::main]` and `#[goro::test]`.
//!
//! Use them through the `goro` crate, whose documentation has runnable examples; this one only
//! rewrites tokens.
//!
//! Invariants:
//! 1. Depends on no goro crate and on no parser: what is read here is one line of arguments and
//!    one function head (`docs/decisions/macros.md`).
//! 2. The function is kept token for token, so that the compiler's words about it point at it.
//! 3. Whatever cannot be accepted becomes one error, at the token that is wrong, naming the fix.
//! 4. What stands in the expansion is a call of one function of the facade: what an entry point
//!    does is decided there, not here.
#![forbid(unsafe_code)]

mod arguments;
mod compiler;
mod entry;
mod expansion;
mod function;
mod tree;

#[cfg(test)]
mod fake;

use proc_macro::TokenStream;

/// Turns `async fn main` into a program: starts a runtime, runs the body, stops the runtime.
///
/// The body runs on the main thread, the tasks it spawns on the workers. When it ends, tasks that
/// are still live are cancelled: their futures are dropped before the program exits.
///
/// # Arguments
/// - `workers = N`: how many worker threads; without it as many as the processors allowed to this
///   process, or what the environment's `GORO_WORKERS` says.
/// - `flavor = "multi"`: worker threads that steal from each other; the default.
/// - `flavor = "local"`: everything on the main thread, in a `LocalRuntime`: the body and what it spawns
///   with `spawn_local` need not be `Send`. There is no other worker, hence no `workers`.
/// - `shutdown`: signals end the program in an orderly way (`ShutdownHandle::listen_signals`), and so does
///   the end of the function. It may take the handle as its argument, and then says when it is done: the
///   drain waits for it as for a guard. Otherwise it is dropped when the runtime has stopped, and the program
///   exits with the report's code. A report that is not clean is printed on standard error.
/// - `crate = "path"`: where to find goro when the program has it under another name.
///
/// # Errors
/// The function may return whatever `fn main` may, a `Result` among it. If the runtime cannot be
/// started, for example because the operating system refuses a thread, the program prints why and
/// exits with code 1.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    compiler::rewrite(entry::Entry::Main, arguments, item)
}

/// Turns an `async fn` into a test that runs on a runtime of its own: on real threads and in real
/// time, or with `sim` simulated under many seeds.
///
/// Two workers unless said otherwise, so that tasks do run in parallel, on every machine alike.
/// Other attributes (`#[should_panic]`, `#[cfg(..)]`, ...) keep their meaning. The runtime is
/// stopped when the body ends.
///
/// # Arguments
/// Those of [`macro@main`], and:
/// - `sim`: the body is run in `goro::sim`, once for each seed: in an order drawn from the seed, with
///   a clock that jumps when nothing can run. Needs the feature `sim`. How many workers there are is
///   then up to the seed, unless `workers` says so.
///   A simulation is one thread, so there is no `flavor` to it: local tasks are fine as it is.
/// - `seeds = N`: how many seeds, for `sim`; without it 100. The environment's `GORO_SEED` runs one,
///   `GORO_SEEDS` another number.
///
/// # Panics
/// The test panics when its body does, when the runtime cannot be started, and when a simulated run
/// comes to no end; the seed is printed then.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    compiler::rewrite(entry::Entry::Test, arguments, item)
}
