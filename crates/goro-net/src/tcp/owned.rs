//! A stream's two directions, parted for good.
//!
//! Invariant: the writing half ends writing when it goes, unless it was reunited or kept from it
//! ([`OwnedWriteHalf::forget`]); the stream closes with the second half.

use core::error::Error;
use core::fmt;
use std::io;
use std::net::Shutdown;

use goro_shim::Arc;

use super::stream::TcpStream;

/// The reading direction of a stream; made by [`TcpStream::into_split`].
///
/// ```
/// use futures::AsyncWriteExt;
/// use goro_net::{TcpListener, TcpStream};
///
/// goro_runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let one = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut other, _) = listener.accept().await?;
///     let (mut reader, _writer) = one.into_split();
///     other.write_all(b"hello").await?;
///     let mut first = [0];
///     assert_eq!((reader.peek(&mut first).await?, first), (1, *b"h"));
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf {
    stream: Arc<TcpStream>,
}

/// The writing direction of a stream; made by [`TcpStream::into_split`].
///
/// Dropping it ends writing, so that the other end reads to its end.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use goro_net::{TcpListener, TcpStream};
///
/// goro_runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let one = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut other, _) = listener.accept().await?;
///     let (mut reader, mut writer) = one.into_split();
///     other.write_all(b"hello").await?;
///     let mut first = [0];
///     assert_eq!((reader.peek(&mut first).await?, first), (1, *b"h"));
///     writer.write_all(b"bye").await?;
///     assert_eq!(writer.stream().peer_addr()?, reader.stream().peer_addr()?);
///     let (reader, mut writer) = writer.reunite(reader).unwrap().into_split();
///     writer.write_all(b"!").await?;
///     // Forgotten, it does not end the direction; dropped, it would.
///     writer.forget();
///     drop(reader);
///     let mut text = [0; 4];
///     other.read_exact(&mut text).await?;
///     assert_eq!(&text, b"bye!");
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Arc<TcpStream>,
    ends_writing: bool,
}

pub(super) fn part(stream: TcpStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let stream = Arc::new(stream);
    let reader = OwnedReadHalf { stream: Arc::clone(&stream) };
    (reader, OwnedWriteHalf { stream, ends_writing: true })
}

impl OwnedReadHalf {
    /// The whole stream, for its addresses and options.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// As [`TcpStream::peek`].
    ///
    /// # Errors
    /// As [`TcpStream::peek`].
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.peek(buf).await
    }

    /// Makes the stream whole again.
    ///
    /// # Errors
    /// Both halves back, if they are not of one stream.
    ///
    /// ```
    /// # use goro_net::{TcpListener, TcpStream};
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// # let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    /// # let stream = TcpStream::connect(listener.local_addr()?).await?;
    /// let (reader, writer) = stream.into_split();
    /// let stream: TcpStream = reader.reunite(writer)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reunite(self, mut writer: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        if !Arc::ptr_eq(&self.stream, &writer.stream) {
            return Err(ReuniteError(self, writer));
        }
        writer.ends_writing = false;
        drop(writer);
        Ok(Arc::into_inner(self.stream).expect("a stream has two halves, and both are here"))
    }
}

impl OwnedWriteHalf {
    /// The whole stream, for its addresses and options.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Makes the stream whole again; as [`OwnedReadHalf::reunite`].
    ///
    /// # Errors
    /// Both halves back, if they are not of one stream.
    pub fn reunite(self, reader: OwnedReadHalf) -> Result<TcpStream, ReuniteError> {
        reader.reunite(self)
    }

    /// Lets the half go without ending writing: the other end reads to its end only when the
    /// reading half goes too.
    pub fn forget(mut self) {
        self.ends_writing = false;
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.ends_writing {
            // It may be that the connection is gone, or closed already: then there is nothing to
            // end, and nobody to tell.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
    }
}

/// Two halves that are not of one stream, given back.
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the two halves are not of one stream")
    }
}

impl Error for ReuniteError {}
