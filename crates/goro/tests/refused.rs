//! What the compiler refuses to programs that use the door, so that it never goes wrong as they run.
#![cfg(all(feature = "macros", feature = "net"))]

/// Pitfalls 2, 7 and 40: what borrows becomes no task, guards stay on their thread, nothing leaves a scope.
/// Each file beside its `.stderr`. `TRYBUILD=overwrite` writes them anew.
#[test]
fn what_would_outlive_its_owner_or_leave_its_thread_is_refused() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
