//! Gives every client back what it sends: `cargo run --release --example echo -- 127.0.0.1:7000`.

use futures::io::{AsyncReadExt, copy};
use goro::net::{TcpListener, TcpStream};
use std::io;

#[goro::main]
async fn main() -> io::Result<()> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7000".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("echo on {}", listener.local_addr()?);
    serve(listener).await
}

pub async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, client) = listener.accept().await?;
        goro::spawn(async move {
            if let Err(error) = echo(stream).await {
                eprintln!("{client}: {error}");
            }
        });
    }
}

async fn echo(stream: TcpStream) -> io::Result<()> {
    let (from, mut to) = stream.split();
    copy(from, &mut to).await?;
    Ok(())
}
