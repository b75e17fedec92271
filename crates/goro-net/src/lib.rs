//! Sockets over the reactor, with names resolved on the blocking pool.
//!
//! ```
//! use futures::{AsyncReadExt, AsyncWriteExt};
//! use goro_net::{TcpListener, TcpStream};
//!
//! let runtime = goro_runtime::Runtime::new()?;
//! runtime.block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let echo = goro_runtime::spawn(async move {
//!         let (stream, _) = listener.accept().await?;
//!         futures::io::copy(&stream, &mut &stream).await
//!     });
//!     let mut stream = TcpStream::connect(address).await?;
//!     stream.write_all(b"there and back").await?;
//!     stream.close().await?;
//!     let mut back = String::new();
//!     stream.read_to_string(&mut back).await?;
//!     assert_eq!(back, "there and back");
//!     assert_eq!(echo.await.unwrap()?, 14);
//!     Ok::<(), std::io::Error>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//! 1. No operation panics or hangs for lack of a runtime, or because its runtime has stopped: it
//!    returns an error that says what to do.
//! 2. Each operation tries the system call first and waits only for a would-block; interruptions
//!    are repeated inside, and a transfer that was cut short is not taken for the last.
//! 3. Each try spends the task's budget, errors included.
//! 4. Whatever an operation was given or has consumed, dropping its future loses nothing that the
//!    documentation of the operation does not name.
//!
//! A socket belongs to the runtime it was made in, works from every task and thread, and answers
//! with errors when that runtime has stopped.
//!
//! Left out: the network itself. Over the operating system sockets are mio's and socket2's; inside
//! a simulated runtime they are whatever its [`Network`](goro_reactor::source::Network) made up.
#![deny(unsafe_code)]

mod address;
mod failure;
mod resolve;
pub mod tcp;
mod world;

pub use address::{Target, ToSocketAddrs};
pub use resolve::lookup;
pub use tcp::{TcpListener, TcpStream};
