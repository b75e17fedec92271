//! Three workers' queues and an injector against lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_queue::fuzzing::workers(bytes));
