//! A tree of cancellation tokens against a list of who is below whom.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_sync::fuzzing::tokens(bytes));
