#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn a_wildcard() {
    select! {
        a = ready(1) => drop(a),
        _ => println!("nothing"),
    }
}

async fn a_pattern() {
    select! {
        a = ready(1) => drop(a),
        Some(b) => drop(b),
    }
}

async fn a_number() {
    select! {
        a = 7 => drop(a),
    }
}

fn main() {}
