#![allow(unused, non_snake_case)]
use goro_sync::select;
use std::future::ready;

async fn sixty_five() {
    select! {
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => {}
        () = ready(()) => println!("the 65th"),
    }
}

fn main() {}
