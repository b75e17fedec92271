//! A waiter list against a vector.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_wait::fuzzing::list(bytes));
