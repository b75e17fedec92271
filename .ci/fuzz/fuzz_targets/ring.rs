//! A ring, and a thief that may stop anywhere, against a list.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_queue::fuzzing::ring(bytes));
