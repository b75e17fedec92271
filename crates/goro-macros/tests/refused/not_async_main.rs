//! One error and no second one about a missing `main`.

#[goro_macros::main]
fn main() {}
