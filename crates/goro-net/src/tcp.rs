//! TCP: listeners and streams.
//!
//! Invariant: [`TcpStream`] and [`TcpListener`] are the same types over the operating system and
//! over a simulated network; which of the two it is, is decided when the socket is made, by the
//! runtime it is made in.

mod accepting;
mod connect;
mod halves;
mod kernel;
mod left;
mod listener;
mod options;
mod owned;
mod strain;
mod stream;
mod traits;

pub use accepting::Incoming;
pub use halves::{ReadHalf, WriteHalf};
pub use listener::TcpListener;
pub use owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use stream::TcpStream;

#[cfg(test)]
mod made_up;
