#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn copies() {}

async fn unmarked() {
    select! {
        strict;
        a = ready(1) => drop(a),
        () = copies() => {}
    }
}

fn main() {}
