//! A threaded program that holds a goro runtime: its threads stay threads, and hand the waiting to
//! tasks. `cargo run --release --example embed`.

use goro::runtime::{Builder, Runtime};
use goro::time::{Duration, sleep};
use std::sync::mpsc;
use std::thread;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Builder::new().workers(2).name("embedded").build()?;

    // A thread may block on a task as on anything else.
    println!("blocking on a task: {}", runtime.block_on(slow_square(12)));

    // Threads can share it, each with a handle of its own.
    let threads: Vec<_> = (1..=3)
        .map(|number| {
            let handle = runtime.handle().clone();
            thread::spawn(move || handle.block_on(handle.spawn(slow_square(number))))
        })
        .collect();
    for thread in threads {
        println!("from a thread: {}", thread.join().expect("the thread does not panic")?);
    }

    // Or a thread goes on, and hears of the result by whatever means it has.
    let (results, inbox) = mpsc::channel();
    runtime.spawn(async move {
        for number in 4..=6 {
            let _ = results.send(slow_square(number).await);
        }
    });
    for result in inbox {
        println!("from a channel: {result}");
    }
    stop(runtime);
    Ok(())
}

async fn slow_square(number: u64) -> u64 {
    sleep(Duration::from_millis(10)).await;
    number * number
}

/// Dropping a runtime drops its tasks and waits for its threads.
fn stop(runtime: Runtime) {
    let stuck = runtime.spawn(std::future::pending::<()>());
    drop(runtime);
    let ended = goro::block_on(stuck).is_err_and(|error| error.is_cancelled());
    println!("stopped, and the task that waits for ever was cancelled: {ended}");
}
