//! The example `drain` on tokio, for what its stop takes there: a token that tells (`watch`), a count of who is
//! left (`mpsc`, for its end), a limit (`timeout`), and the signals by hand. Who forgets one of the four loses
//! replies, or hangs.
#![allow(clippy::disallowed_types, reason = "a program of tokio's uses std's locks")]

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

#[derive(Default)]
struct Store {
    values: Mutex<HashMap<String, String>>,
    answered: AtomicU64,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7002".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("storing on {}", listener.local_addr()?);
    let store = Arc::new(Store::default());
    let (stop, stopping) = watch::channel(false);
    let (alive, mut gone) = mpsc::channel::<()>(1);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, store) = (accepted?.0, Arc::clone(&store));
                let (stopping, alive) = (stopping.clone(), alive.clone());
                tokio::spawn(async move {
                    let _alive = alive;
                    // A client that goes.
                    let _ = serve(stream, store, stopping).await;
                });
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    drop((listener, alive));
    // Nobody listens if no connection is left.
    let _ = stop.send(true);
    let in_time = timeout(Duration::from_secs(10), gone.recv()).await.is_ok();
    println!("answered {}", store.answered.load(Relaxed));
    if in_time { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
}

async fn serve(
    stream: TcpStream,
    store: Arc<Store>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let (from, mut to) = stream.into_split();
    let (mut from, mut line) = (BufReader::new(from), String::new());
    loop {
        let more = tokio::select! {
            biased;
            read = from.fill_buf() => !read?.is_empty(),
            _ = stopping.wait_for(|stop| *stop) => false,
        };
        line.clear();
        if !more || from.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        to.write_all(store.answer(&line).as_bytes()).await?;
        store.answered.fetch_add(1, Relaxed);
    }
}

impl Store {
    fn answer(&self, line: &str) -> String {
        let mut values = self.values.lock().unwrap();
        let mut words = line.trim_end().splitn(3, ' ');
        let key = |key: Option<&str>| key.unwrap_or_default().to_owned();
        let value = match (words.next(), key(words.next()), words.next()) {
            (Some("SET"), key, Some(value)) => values.insert(key, value.to_owned()),
            (Some("GET"), key, None) => values.get(&key).cloned(),
            (Some("DEL"), key, None) => values.remove(&key),
            _ => return "?\n".to_owned(),
        };
        value.map_or_else(|| "-\n".to_owned(), |value| format!("+{value}\n"))
    }
}
