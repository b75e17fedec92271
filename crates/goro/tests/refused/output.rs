//! What a task and a job leave goes to whoever joins them, on whichever thread that is.

use std::rc::Rc;

fn main() {
    drop(goro::spawn(async { Rc::new(1) }));
    drop(goro::spawn_blocking(|| Rc::new(1)));
    let counted = Rc::new(1);
    drop(goro::spawn_blocking(move || drop(counted)));
}
