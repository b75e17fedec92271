//! A task may go from worker to worker at each await: what it holds there can be sent.

use std::rc::Rc;

async fn later() {}

fn main() {
    drop(goro::spawn(async {
        let counted = Rc::new(1);
        later().await;
        drop(counted);
    }));
    // What goes through a channel goes to whoever receives.
    let (tx, rx) = goro::channel::bounded::<Rc<u8>>(1);
    drop(goro::spawn(async move { rx.recv().await.is_ok() }));
    drop(tx);
}
