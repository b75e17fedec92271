#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn last() {
    select! {
        a = ready(1) => drop(a),
        b = ready(2)
    }
}

async fn followed() {
    select! {
        a = ready(1),
        b = ready(2) => drop(b),
    }
}

async fn guarded() {
    select! {
        a = ready(1), if true,
        b = ready(2) => drop(b),
    }
}

fn main() {}
