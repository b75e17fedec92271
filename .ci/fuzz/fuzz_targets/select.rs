//! A select over a set against what its sources hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_sync::fuzzing::select(bytes));
