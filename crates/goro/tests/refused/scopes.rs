//! What a scope's children borrow is there until the scope is over; nothing of the scope is there after it.

use goro::task::{local_scope, scope_blocking};

fn main() {
    // Borrowed from the body, which ends before the children do.
    scope_blocking(|scope| {
        let inside = String::from("inside");
        scope.spawn(async { println!("{inside}") });
    });
    // The scope itself, kept for later.
    let mut kept = None;
    scope_blocking(|scope| kept = Some(scope));
    // Changed by a child, and by whoever waits for it.
    let mut number = 1;
    scope_blocking(|scope| {
        scope.spawn(async { number += 1 });
        number += 1;
    });
    let _over = async {
        let inside = String::from("inside");
        local_scope(async |scope| {
            let too_short = String::from("too short");
            scope.spawn(async { println!("{inside} {too_short}") });
        })
        .await;
    };
}
