//! The socket types over a network that lives in memory: everything but the bytes' way is the same.

use core::task::{Context, Poll, Waker};
use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};

use futures::executor::block_on;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use goro_reactor::Direction;
use goro_reactor::source::{
    Accepted, Connecting, ListenerSource, Network, OptionName, Resolving, StreamOption,
    StreamSource,
};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::lock::Lock;

use super::{TcpListener, TcpStream};
use crate::{lookup, world};

/// One direction: bytes, whether more will come, and who waits for them.
#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    ended: bool,
    waiting: Vec<Waker>,
}

#[derive(Debug)]
struct End {
    reads: Arc<Lock<Pipe>>,
    writes: Arc<Lock<Pipe>>,
    addresses: (SocketAddr, SocketAddr),
    /// How often this network was asked to flush.
    flushes: Arc<AtomicUsize>,
}

fn wake(pipe: &Lock<Pipe>, change: impl FnOnce(&mut Pipe)) {
    let waiting = {
        let mut pipe = pipe.lock();
        change(&mut pipe);
        core::mem::take(&mut pipe.waiting)
    };
    waiting.into_iter().for_each(Waker::wake);
}

impl End {
    fn copy(&self, cx: &Context<'_>, buf: &mut [u8], take: bool) -> Poll<io::Result<usize>> {
        let waker = cx.waker().clone();
        let mut pipe = self.reads.lock();
        if pipe.bytes.is_empty() && !pipe.ended {
            pipe.waiting.push(waker);
            return Poll::Pending;
        }
        let length = buf.len().min(pipe.bytes.len());
        for (to, from) in buf.iter_mut().zip(&pipe.bytes) {
            *to = *from;
        }
        if take {
            pipe.bytes.drain(..length);
        }
        Poll::Ready(Ok(length))
    }
}

impl StreamSource for End {
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.copy(cx, buf, true)
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.copy(cx, buf, false)
    }

    fn poll_write(&self, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.try_write(buf))
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<()>> {
        match direction {
            Direction::Read => self.copy(cx, &mut [], false).map_ok(drop),
            Direction::Write => Poll::Ready(Ok(())),
        }
    }

    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self.copy(&Context::from_waker(Waker::noop()), buf, true) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        if self.writes.lock().ended {
            return Err(ErrorKind::BrokenPipe.into());
        }
        wake(&self.writes, |pipe| pipe.bytes.extend(buf));
        Ok(buf.len())
    }

    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        wake(&self.writes, |pipe| pipe.ended = true);
        Ok(())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addresses.0)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addresses.1)
    }

    fn option(&self, name: OptionName) -> io::Result<StreamOption> {
        match name {
            OptionName::NoDelay => Ok(StreamOption::NoDelay(true)),
            OptionName::Ttl => Ok(StreamOption::NoDelay(false)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

/// Ends that nobody has accepted yet, by address.
type Queues = Lock<HashMap<SocketAddr, (VecDeque<Accepted>, Vec<Waker>)>>;

#[derive(Debug, Default)]
struct MadeUp {
    queues: Arc<Queues>,
    flushes: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Listener {
    at: SocketAddr,
    queues: Arc<Queues>,
}

impl Network for MadeUp {
    fn connect(&self, to: SocketAddr) -> Connecting {
        let (queues, flushes) = (Arc::clone(&self.queues), Arc::clone(&self.flushes));
        Box::pin(async move {
            let from = SocketAddr::from(([10, 0, 0, 1], 1));
            let pipes = (Arc::<Lock<Pipe>>::default(), Arc::<Lock<Pipe>>::default());
            let (there, back) = pipes;
            let far = End {
                reads: Arc::clone(&there),
                writes: Arc::clone(&back),
                addresses: (to, from),
                flushes: Arc::clone(&flushes),
            };
            let near = End { reads: back, writes: there, addresses: (from, to), flushes };
            let waiting = match queues.lock().get_mut(&to) {
                None => return Err(ErrorKind::ConnectionRefused.into()),
                Some((queue, waiting)) => {
                    queue.push_back((Box::new(far), from));
                    core::mem::take(waiting)
                }
            };
            waiting.into_iter().for_each(Waker::wake);
            Ok(Box::new(near) as Box<dyn StreamSource>)
        })
    }

    fn listen(&self, at: SocketAddr) -> io::Result<Box<dyn ListenerSource>> {
        if self.queues.lock().contains_key(&at) {
            return Err(ErrorKind::AddrInUse.into());
        }
        self.queues.lock().insert(at, Default::default());
        Ok(Box::new(Listener { at, queues: Arc::clone(&self.queues) }))
    }

    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let found = match host {
            "server" => Ok(vec![SocketAddr::from(([10, 0, 0, 2], port))]),
            _ => Err(ErrorKind::NotFound.into()),
        };
        Box::pin(core::future::ready(found))
    }
}

impl ListenerSource for Listener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let waker = cx.waker().clone();
        let mut queues = self.queues.lock();
        let (queue, waiting) = queues.get_mut(&self.at).expect("it listens");
        match queue.pop_front() {
            Some(accepted) => Poll::Ready(Ok(accepted)),
            None => {
                waiting.push(waker);
                Poll::Pending
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.at)
    }
}

/// Installs a network; returns its count of flushes.
fn in_memory() -> Arc<AtomicUsize> {
    let network = MadeUp::default();
    let flushes = Arc::clone(&network.flushes);
    world::made_up::install(Arc::new(network));
    flushes
}

#[test]
fn a_conversation_by_name_over_a_made_up_network() {
    in_memory();
    block_on(async {
        let listener = TcpListener::bind("server:7").await.unwrap();
        let serve = async {
            let (mut stream, peer) = listener.accept().await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), peer);
            let mut question = String::new();
            stream.read_to_string(&mut question).await.unwrap();
            stream.write_all(question.to_uppercase().as_bytes()).await.unwrap();
        };
        let ask = async {
            let stream = TcpStream::connect("server:7").await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
            let (mut reader, mut writer) = stream.into_split();
            let parts = [io::IoSlice::new(b""), io::IoSlice::new(b"w")];
            assert_eq!(writer.write_vectored(&parts).await.unwrap(), 1);
            writer.write_all(b"hat").await.unwrap();
            drop(writer);
            assert_eq!(reader.peek(&mut [0; 8]).await.unwrap(), 4);
            let mut answer = String::new();
            reader.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "WHAT");
        };
        future::join(serve, ask).await;
    });
}

#[test]
fn tries_and_readiness_work_over_a_made_up_network() {
    let flushes = in_memory();
    block_on(async {
        let listener = TcpListener::bind("10.0.0.3:9").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let server = listener.incoming().next().await.unwrap().unwrap();
        let nothing = server.try_read(&mut [0; 4]).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
        client.writable().await.unwrap();
        assert_eq!(client.try_write(b"abc").unwrap(), 3);
        server.readable().await.unwrap();
        assert_eq!(server.try_read(&mut [0; 4]).unwrap(), 3);
        (&client).flush().await.unwrap();
        assert_eq!(flushes.load(Ordering::Relaxed), 1);
        (&client).close().await.unwrap();
        assert_eq!(flushes.load(Ordering::Relaxed), 2, "closing flushes first");
        assert_eq!((&server).read(&mut [0; 4]).await.unwrap(), 0);
    });
}

#[test]
fn its_errors_are_reported_as_the_kernels_are() {
    in_memory();
    block_on(async {
        let refused = TcpStream::connect("10.0.0.9:1").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert!(refused.to_string().contains("failed at 10.0.0.9:1: "), "{refused}");
        let lost = lookup("nobody:1").await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::NotFound);
        let _first = TcpListener::bind("server:7").await.unwrap();
        let taken = TcpListener::bind("server:7").await.unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn what_only_the_kernel_has_is_refused_and_says_so() {
    in_memory();
    block_on(async {
        let listener = TcpListener::bind("server:7").await.unwrap();
        let stream = TcpStream::connect("server:7").await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(stream.ttl().unwrap_err().kind(), ErrorKind::InvalidData, "a wrong answer");
        assert_eq!(stream.linger().unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(stream.set_linger(None).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(listener.ttl().unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(listener.set_ttl(3).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(listener.strained(), 0);
        let std = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(TcpListener::from_std(std).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(stream.into_std().unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(listener.into_std().unwrap_err().kind(), ErrorKind::Unsupported);
    });
}

#[cfg(unix)]
#[test]
#[should_panic(expected = "simulated network and has no descriptor")]
fn asking_for_its_descriptor_is_a_bug_of_the_caller() {
    use std::os::fd::AsFd;
    in_memory();
    let stream = block_on(async {
        let _listener = TcpListener::bind("server:7").await.unwrap();
        TcpStream::connect("server:7").await.unwrap()
    });
    stream.as_fd();
}
