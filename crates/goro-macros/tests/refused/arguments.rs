//! Arguments that are none. Each stands on a function that is otherwise fine.

#[goro_macros::test(workers = 0)]
async fn no_workers() {}

#[goro_macros::test(workers = "4")]
async fn quoted_workers() {}

#[goro_macros::test(workers = 1, workers = 2)]
async fn workers_twice() {}

#[goro_macros::test(worker_threads = 4)]
async fn another_runtimes_word() {}

#[goro_macros::test(colour = 1)]
async fn unknown() {}

#[goro_macros::test(workers)]
async fn no_value() {}

#[goro_macros::test(seeds = 10)]
async fn seeds_of_no_simulation() {}

#[goro_macros::test(flavor = "local", workers = 2)]
async fn workers_of_a_local_runtime() {}

#[goro_macros::test(sim, flavor = "local")]
async fn a_simulations_flavor() {}

#[goro_macros::main(flavor = "current_thread")]
async fn main() {}
