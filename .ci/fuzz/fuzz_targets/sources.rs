//! The reactor's tokens against a map of who is there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_reactor::fuzzing::tokens(bytes));
