#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn between_two_expressions() {
    select! {
        a = ready(1) => drop(a)
        b = ready(2) => drop(b),
    }
}

fn main() {}
