#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn handlers_differ() -> u32 {
    select! {
        a = ready(1_u32) => a,
        b = ready("two") => b,
    }
}

async fn a_pattern_of_another_type() {
    select! {
        Some(a) = ready(1) => drop(a),
        else => {}
    }
}

fn main() {}
