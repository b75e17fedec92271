//! A stream's two directions, lent out.

use std::io;

use super::stream::TcpStream;

/// The reading direction of a stream; made by [`TcpStream::split`].
#[derive(Debug)]
pub struct ReadHalf<'a> {
    stream: &'a TcpStream,
}

/// The writing direction of a stream; made by [`TcpStream::split`].
///
/// Dropping it changes nothing; [close](futures::AsyncWriteExt::close) it to let the other end read
/// to its end.
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
