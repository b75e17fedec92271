#![allow(unused, non_snake_case)]
use goro_sync::select;

async fn empty() {
    select! {}
}

async fn a_mode_and_nothing_else() {
    select! { biased; }
}

fn main() {}
