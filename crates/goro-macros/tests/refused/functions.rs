//! Items that the attributes do not go on.

#[goro_macros::test]
fn not_async() {}

#[goro_macros::test]
async fn with_arguments(count: usize) {}

#[goro_macros::test]
async fn generic<T>() {}

#[goro_macros::test]
async unsafe fn qualified() {}

#[goro_macros::test]
#[test]
async fn tested_twice() {}

#[goro_macros::test]
struct NoFunction;

#[goro_macros::main]
async fn serve() {}

fn main() {}
