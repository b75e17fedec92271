//! The timer wheel against an ordered map.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_wait::fuzzing::wheel(bytes));
