//! goro, as its users build it.
//!
//! Bytes are read and written by the methods of futures' traits, which smol re-exports.
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use goro::net::{TcpListener, TcpStream};
use goro::runtime::Builder;
pub use goro::runtime::Runtime;
use goro::task::JoinHandle;
use smol::io::{AsyncReadExt, AsyncWriteExt};

use super::{Joined, Rival, Stop, kit};

/// goro.
#[derive(Clone, Copy)]
pub struct Goro(&'static Runtime);

impl Rival for Goro {
    type Join<T: Send + 'static> = Joined<JoinHandle<T>>;
    type Listener = TcpListener;
    type Stream = TcpStream;
    type Kit = kit::Goro;

    fn start(workers: usize) -> Self {
        Self(Box::leak(Box::new(Runtime::open(workers))))
    }

    #[inline]
    fn spawn<F>(self, future: F) -> Self::Join<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        Joined(goro::spawn(future))
    }

    #[inline]
    fn spawn_many<F>(
        self,
        futures: impl Iterator<Item = F>,
    ) -> impl Iterator<Item = Self::Join<F::Output>>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        goro::spawn_many(futures).into_iter().map(Joined)
    }

    #[inline]
    fn spawn_detached<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(goro::spawn(future));
    }

    #[inline]
    fn spawn_foreign<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(self.0.spawn(future));
    }

    #[inline]
    fn yield_now(self) -> impl Future<Output = ()> + Send {
        goro::task::yield_now()
    }

    #[inline]
    fn sleep(self, duration: Duration) -> impl Future<Output = ()> + Send {
        goro::time::sleep(duration)
    }

    #[inline]
    async fn timeout<F>(self, duration: Duration, future: F) -> Option<F::Output>
    where
        F: Future<Output: Send> + Send,
    {
        goro::time::timeout(duration, future).await.ok()
    }

    async fn listen(self) -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn connect(self, to: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
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

impl Stop for Runtime {
    fn open(workers: usize) -> Self {
        let watched = std::env::var_os("GORO_UNWATCHED").is_none();
        let runtime = Builder::new().workers(workers).monitor(watched).build();
        runtime.expect("goro starts")
    }

    fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(Runtime::spawn(self, future));
    }

    fn stop(self) {
        drop(self);
    }
}
