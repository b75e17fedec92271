//! async-executor's `StaticExecutor`, run by a fixed number of threads.
//!
//! The fastest form of smol: the executor is a static, so that a task holds no count of it and no
//! list of live tasks is kept. Its threads turn async-io's reactor while they wait.
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use async_executor::{StaticExecutor, Task};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::{TcpListener, TcpStream};

use super::{Rival, kit, smol as shared};

static EXECUTOR: StaticExecutor = StaticExecutor::new();

/// The static executor.
#[derive(Clone, Copy)]
pub struct Fixed;

impl Rival for Fixed {
    type Join<T: Send + 'static> = Task<T>;
    type Listener = TcpListener;
    type Stream = TcpStream;
    type Kit = kit::Smol;

    fn start(workers: usize) -> Self {
        for _ in 0..workers {
            thread::spawn(|| smol::block_on(EXECUTOR.run(pending::<()>())));
        }
        Self
    }

    #[inline]
    fn spawn<F>(self, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        EXECUTOR.spawn(future)
    }

    #[inline]
    fn spawn_detached<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        EXECUTOR.spawn(future).detach();
    }

    #[inline]
    fn spawn_foreign<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        EXECUTOR.spawn(future).detach();
    }

    #[inline]
    fn yield_now(self) -> impl Future<Output = ()> + Send {
        smol::future::yield_now()
    }

    #[inline]
    fn sleep(self, duration: Duration) -> impl Future<Output = ()> + Send {
        shared::sleep(duration)
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
        shared::timeout(duration, future)
    }

    fn listen(self) -> impl Future<Output = io::Result<(TcpListener, SocketAddr)>> + Send {
        shared::listen()
    }

    fn accept(listener: &TcpListener) -> impl Future<Output = io::Result<TcpStream>> + Send {
        shared::accept(listener)
    }

    fn connect(self, to: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send {
        shared::connect(to)
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
