//! Which of this crate's types may go to another thread, and be shared with one; as goro's own test has it.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "../../goro/tests/support/matrix.rs"]
mod matrix;

/// Pitfalls 2 to 6.
#[test]
fn every_public_type_goes_where_its_value_may_go() {
    let rows = matrix! {
        goro_hyper::GoroExecutor: "bbbb",
        goro_hyper::GoroIo<T>: "bsy-",
        goro_hyper::GoroTimer: "bbbb",
    };
    matrix::check_rows(&rows, include_str!("api.txt"));
}
