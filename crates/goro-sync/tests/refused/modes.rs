#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn late() {
    select! {
        a = ready(1) => drop(a),
        biased;
        b = ready(2) => drop(b),
    }
}

async fn misspelt() {
    select! {
        bias;
        a = ready(1) => drop(a),
    }
}

fn main() {}
