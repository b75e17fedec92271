//! Tasks through all that can happen to them, on one thread, against a model: who is queued and in which
//! order, what each poll is told, what each handle gives, and what is still held afterwards.
#![no_main]

#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../../../crates/goro-task/tests/support/home.rs"]
mod home;
#[path = "task/life.rs"]
mod life;
#[path = "task/world.rs"]
mod world;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| world::run(bytes));
