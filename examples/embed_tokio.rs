//! A tokio program that holds a goro runtime: each awaits the other's tasks, since a handle is a
//! future like any other. `cargo run --release --example embed_tokio`.

use goro::runtime::Runtime;
use goro::time::{Duration, sleep, timeout};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokio = tokio::runtime::Builder::new_current_thread().build()?;
    tokio.block_on(async {
        let goro = Runtime::new()?;

        // A goro task, awaited on tokio.
        let square = goro.spawn(async {
            sleep(Duration::from_millis(10)).await;
            12 * 12
        });
        println!("from goro: {}", square.await?);

        // A tokio task that spawns on goro through a handle.
        let handle = goro.handle().clone();
        let both = tokio::spawn(async move { handle.spawn(async { "goro" }).await });
        println!("from tokio, by way of {}", both.await??);

        // A tokio task, awaited on goro.
        let task = tokio::spawn(async { "tokio" });
        println!("from goro, by way of {}", goro.spawn(task).await??);

        // goro's timers and timeouts need no goro runtime to be entered.
        let late = timeout(Duration::from_millis(10), std::future::pending::<()>()).await;
        println!("a timeout on tokio: {}", late.is_err());

        // Dropped on tokio's thread, the runtime stops; nothing panics for the place of it.
        drop(goro);
        println!("stopped");
        Ok(())
    })
}
