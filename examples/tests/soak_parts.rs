//! The parts of `soak` that run nothing, with the tests that stand beside them.
#![allow(dead_code, reason = "the example uses what these tests do not")]

#[path = "../soak/plan.rs"]
mod plan;
#[path = "../soak/slope.rs"]
mod slope;
