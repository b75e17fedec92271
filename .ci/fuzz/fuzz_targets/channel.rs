//! Channels of every flavour against a queue.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goro_sync::fuzzing::channel(bytes));
