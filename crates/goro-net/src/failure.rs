//! One error for an operation that was tried at several addresses.

use core::error::Error;
use core::fmt;
use std::io;
use std::net::SocketAddr;

/// No address would do; the source is what the last one said.
#[derive(Debug)]
struct NoneWouldDo {
    operation: &'static str,
    addresses: Vec<SocketAddr>,
    last: io::Error,
}

impl fmt::Display for NoneWouldDo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed at ", self.operation)?;
        for (index, address) in self.addresses.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{address}")?;
        }
        write!(f, ": {}", self.last)
    }
}

impl Error for NoneWouldDo {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.last)
    }
}

/// What `operation` comes to after it has failed at all of `addresses`, the last time with `last`:
/// an error of the same kind that names them all.
pub(crate) fn at_all(
    operation: &'static str,
    addresses: Vec<SocketAddr>,
    last: Option<io::Error>,
) -> io::Error {
    let Some(last) = last else {
        let text = format!("{operation}: there is no address to try");
        return io::Error::new(io::ErrorKind::InvalidInput, text);
    };
    io::Error::new(last.kind(), NoneWouldDo { operation, addresses, last })
}
