//! smol with its global executor; `SMOL_THREADS` gives it its threads. That one never ends: where a
//! runtime is to be stopped, smol is an `Executor` with threads of its own.
//!
//! Timers and sockets are async-io's and async-net's here and in [`Fixed`](super::Fixed), which
//! therefore borrows the functions at the end of this file.
use std::env;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use smol::channel::{Receiver, Sender, unbounded};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};
use smol::{Executor, Task, Timer, future};

use super::{Rival, Stop, kit};

/// The variable by which smol learns how many threads to start.
pub const THREADS: &str = "SMOL_THREADS";

/// smol's global executor.
#[derive(Clone, Copy)]
pub struct Smol;

impl Rival for Smol {
    type Join<T: Send + 'static> = Task<T>;
    type Listener = TcpListener;
    type Stream = TcpStream;
    type Kit = kit::Smol;

    fn start(workers: usize) -> Self {
        let threads = env::var(THREADS).ok();
        assert_eq!(threads, Some(workers.to_string()), "smol reads its size from {THREADS}");
        smol::spawn(async {}).detach();
        Self
    }

    #[inline]
    fn spawn<F>(self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        smol::spawn(future)
    }

    #[inline]
    fn spawn_detached<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        smol::spawn(future).detach();
    }

    #[inline]
    fn spawn_foreign<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        smol::spawn(future).detach();
    }

    #[inline]
    fn yield_now(self) -> impl Future<Output = ()> + Send {
        future::yield_now()
    }

    #[inline]
    fn sleep(self, duration: Duration) -> impl Future<Output = ()> + Send {
        sleep(duration)
    }

    #[inline]
    fn timeout<F>(
        self,
        duration: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send
    where
        F: Future<Output: Send> + Send,
    {
        timeout(duration, future)
    }

    fn listen(self) -> impl Future<Output = io::Result<(TcpListener, SocketAddr)>> + Send {
        listen()
    }

    fn accept(listener: &TcpListener) -> impl Future<Output = io::Result<TcpStream>> + Send {
        accept(listener)
    }

    fn connect(self, to: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send {
        connect(to)
    }

    #[inline]
    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        stream.read(buffer).await
    }

    #[inline]
    async fn write_all(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes).await
    }
}

/// smol as one runs it who wants to stop it: the threads of smol's own example, which drive the
/// executor until a channel is closed.
pub struct Owned {
    executor: Arc<Executor<'static>>,
    until: Sender<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Stop for Owned {
    fn open(workers: usize) -> Self {
        let executor = Arc::new(Executor::new());
        let (until, end) = unbounded();
        let thread = |_| {
            let (executor, end): (_, Receiver<()>) = (Arc::clone(&executor), end.clone());
            thread::spawn(move || {
                let _ = future::block_on(executor.run(end.recv()));
            })
        };
        let threads = (0..workers).map(thread).collect();
        Self { executor, until, threads }
    }

    fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.executor.spawn(future).detach();
    }

    fn stop(self) {
        let Self { executor, until, threads } = self;
        drop(until);
        for thread in threads {
            thread.join().expect("no task panics");
        }
        drop(executor);
    }
}

pub(super) async fn sleep(duration: Duration) {
    Timer::after(duration).await;
}

/// smol has no timeout of its own; its book races the future with a timer, as this does.
pub(super) async fn timeout<F>(duration: Duration, future: F) -> Option<F::Output>
where
    F: Future<Output: Send> + Send,
{
    future::or(async { Some(future.await) }, async {
        Timer::after(duration).await;
        None
    })
    .await
}

pub(super) async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

pub(super) async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub(super) async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
