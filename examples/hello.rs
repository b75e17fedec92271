//! The smallest program: `cargo run --release --example hello`.
#[goro::main]
async fn main() {
    let task = goro::spawn(async { "hello from a task" });
    println!("{}", task.await.unwrap());
}
