//! A little store whose stop needs one handle and one group. A request is a line, and so is its answer:
//! `SET key value`, `GET key`, `DEL key`. Whatever was read is answered.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::{collections::HashMap, io};

use futures::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use goro::net::{TcpListener, TcpStream};
use goro::task::{Group, Policy, TaskGroup};
use goro::{ShutdownHandle, select};

#[derive(Default)]
struct Store {
    values: Mutex<HashMap<String, String>>,
    answered: AtomicU64,
}

#[goro::main(shutdown)]
async fn main(shutdown: ShutdownHandle) -> io::Result<()> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7002".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("storing on {}", listener.local_addr()?);
    let store = Arc::new(Store::default());
    let guard = shutdown.guard().map_err(io::Error::other)?;
    let connections = TaskGroup::new().policy(Policy::Supervise);
    let body = async |group| accept(listener, &group, &store, &shutdown).await;
    let ended = guard.scope(connections.run(body)).await;
    println!("answered {}", store.answered.load(Relaxed));
    ended.map_err(io::Error::other)
}

async fn accept(
    listener: TcpListener,
    connections: &Group<(), io::Error>,
    store: &Arc<Store>,
    shutdown: &ShutdownHandle,
) -> io::Result<()> {
    loop {
        let stream = select! {
            accepted = listener.accept() => accepted?.0,
            _ = shutdown.draining() => return Ok(()),
        };
        let serving = serve(stream, store.clone(), shutdown.clone());
        connections.spawn(serving).await.map_err(io::Error::other)?;
    }
}

async fn serve(stream: TcpStream, store: Arc<Store>, shutdown: ShutdownHandle) -> io::Result<()> {
    let (from, mut to) = futures::io::AsyncReadExt::split(stream);
    let (mut from, mut line) = (BufReader::new(from), String::new());
    loop {
        let more = select! {
            biased;
            read = from.fill_buf() => !read?.is_empty(),
            _ = shutdown.draining() => false,
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
