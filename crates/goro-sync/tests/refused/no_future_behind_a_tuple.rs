#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn a_tuple() {
    select! {
        (a, b) => drop((a, b)),
        c = ready(1) => drop(c),
    }
}

fn main() {}
