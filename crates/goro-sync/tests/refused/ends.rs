#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;
use std::time::Duration;

async fn two_defaults() {
    select! {
        a = ready(1) => drop(a),
        default => println!("one"),
        default => println!("two"),
    }
}

async fn default_and_timeout() {
    select! {
        a = ready(1) => drop(a),
        default => println!("at once"),
        timeout(Duration::ZERO) => println!("late"),
    }
}

async fn default_and_else() {
    select! {
        a = ready(1) => drop(a),
        else => println!("out"),
        default => println!("at once"),
    }
}

async fn without_a_duration() {
    select! {
        a = ready(1) => drop(a),
        timeout => println!("late"),
    }
}

async fn not_a_duration() {
    select! {
        a = ready(1) => drop(a),
        timeout(5) => println!("late"),
    }
}

fn main() {}
