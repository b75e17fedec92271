//! A stream's two directions, lent out.

use std::io;

use super::stream::TcpStream;

/// The reading direction of a stream; made by [`TcpStream::split`].
///
/// ```
/// use futures::AsyncWriteExt;
/// use goro_net::{TcpListener, TcpStream};
///
/// goro_runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut one = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut other, _) = listener.accept().await?;
///     let (mut reader, mut writer) = TcpStream::split(&mut one);
///     assert_eq!(reader.stream().local_addr()?, writer.stream().local_addr()?);
///     other.write_all(b"hello").await?;
///     let mut first = [0];
///     assert_eq!((reader.peek(&mut first).await?, first), (1, *b"h"));
///     writer.write_all(b"bye").await?;
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a> {
    stream: &'a TcpStream,
}

/// The writing direction of a stream; made by [`TcpStream::split`].
///
/// Dropping it changes nothing; [close](futures::AsyncWriteExt::close) it to let the other end read
/// to its end.
///
/// ```
/// use futures::AsyncWriteExt;
/// use goro_net::{TcpListener, TcpStream};
///
/// goro_runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut one = TcpStream::connect(listener.local_addr()?).await?;
///     let (_reader, mut writer) = TcpStream::split(&mut one);
///     writer.write_all(b"hello").await?;
///     println!("to {}", writer.stream().peer_addr()?);
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct WriteHalf<'a> {
    stream: &'a TcpStream,
}

impl<'a> ReadHalf<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        Self { stream }
    }

    /// The whole stream, for its addresses and options.
    pub fn stream(&self) -> &TcpStream {
        self.stream
    }

    /// As [`TcpStream::peek`].
    ///
    /// # Errors
    /// As [`TcpStream::peek`].
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(buf).await
    }
}

impl<'a> WriteHalf<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        Self { stream }
    }

    /// The whole stream, for its addresses and options.
    pub fn stream(&self) -> &TcpStream {
        self.stream
    }
}
