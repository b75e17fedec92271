//! Reading from a socket, with the kernel's word on what is left there.
//!
//! A task that has read a message reads again, and finds nothing: a system call to learn what the kernel
//! knew at the first one. Linux says so beside a read (`TCP_INQ`). Over loopback a request and its answer
//! take two such calls less, and 3 % less time.
//!
//! ```text
//!  FRESH ──a read took something──▶ USED ──the next found nothing──▶ ASKED
//!                                                                 └▶ REFUSED   (no such kernel)
//! ```
//!
//! Invariants:
//! 1. A socket is asked only once it has been seen to be read in vain: one that is closed after its first
//!    message pays nothing.
//! 2. "Nothing is left" is said only of what the kernel has said so of, after the read. A connection that
//!    has ended counts as having something left there, namely its end; one that has failed does not, and is
//!    the reactor's to tell (`goro_reactor::Left`).
//!
//! Left out: telling from a short read that nothing is left. Urgent data and interposed libraries break it.
#![cfg_attr(
    target_os = "linux",
    allow(unsafe_code, reason = "neither the option nor its answer has a safe wrapper")
)]

use goro_reactor::Left;
use std::io::{self, IoSliceMut};

/// What a read took, and what it left.
pub(super) type Taken = io::Result<(usize, Left)>;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod platform {
    use super::{IoSliceMut, Left, Taken, io};
    use core::ffi::{c_int, c_long, c_void};
    use core::ptr;
    use goro_shim::atomic::{AtomicU8, Ordering};
    use mio::net::TcpStream;
    use rustix::net::{RecvFlags, recv};
    use std::io::Read;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

    /// The kernel's number for it; libc does not have it everywhere.
    const TCP_INQ: c_int = 36;

    const FRESH: u8 = 0;
    const USED: u8 = 1;
    const ASKED: u8 = 2;
    const REFUSED: u8 = 3;

    /// How far a socket has got; see the module.
    #[derive(Debug, Default)]
    pub(crate) struct Tell(AtomicU8);

    impl Tell {
        /// Reads into `buf`.
        #[inline]
        pub(crate) fn read(&self, socket: &TcpStream, buf: &mut [u8]) -> Taken {
            match self.0.load(Ordering::Relaxed) {
                ASKED => read_asked(socket.as_fd(), &mut [IoSliceMut::new(buf)]),
                stage => {
                    let taken = recv(socket, buf, RecvFlags::empty()).map(|(_, taken)| taken);
                    self.note(socket, stage, taken.map_err(io::Error::from))
                }
            }
        }

        /// Reads into `bufs`, one after another.
        pub(crate) fn read_vectored(
            &self,
            socket: &TcpStream,
            bufs: &mut [IoSliceMut<'_>],
        ) -> Taken {
            match self.0.load(Ordering::Relaxed) {
                ASKED => read_asked(socket.as_fd(), bufs),
                stage => self.note(socket, stage, (&mut &*socket).read_vectored(bufs)),
            }
        }

        /// Moves on by what a read came to.
        #[inline]
        fn note(&self, socket: &TcpStream, stage: u8, taken: io::Result<usize>) -> Taken {
            match (&taken, stage) {
                (Ok(_), FRESH) => self.0.store(USED, Ordering::Relaxed),
                (Err(e), USED) if e.kind() == io::ErrorKind::WouldBlock => {
                    let asked = ask(socket.as_fd(), true);
                    let stage = if asked { ASKED } else { REFUSED };
                    self.0.store(stage, Ordering::Relaxed);
                }
                _ => {}
            }
            Ok((taken?, Left::Perhaps))
        }

        /// The socket is somebody else's from now on: leaves it as it was.
        pub(crate) fn end(&self, socket: &TcpStream) {
            if self.0.load(Ordering::Relaxed) == ASKED {
                ask(socket.as_fd(), false);
            }
        }
    }

    /// Whether the kernel says from now on what a read has left.
    #[cold]
    fn ask(socket: BorrowedFd<'_>, yes: bool) -> bool {
        let value = c_int::from(yes);
        // SAFETY: the descriptor is open while it is borrowed, and the option is an int of this size.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                TCP_INQ,
                ptr::from_ref(&value).cast(),
                size_of::<c_int>() as libc::socklen_t,
            )
        };
        result == 0
    }

    /// The kernel's message header, on machines of 64 bits.
    #[repr(C)]
    struct Message {
        name: *mut c_void,
        name_length: c_int,
        parts: *mut c_void,
        part_count: usize,
        control: *mut Control,
        control_length: usize,
        flags: c_int,
    }

    /// The one control message that is expected.
    #[derive(Default)]
    #[repr(C)]
    struct Control {
        length: usize,
        level: c_int,
        kind: c_int,
        left: c_int,
    }

    /// How many bytes of [`Control`] the message has.
    const LENGTH: usize = size_of::<usize>() + 3 * size_of::<c_int>();

    fn read_asked(socket: BorrowedFd<'_>, parts: &mut [IoSliceMut<'_>]) -> Taken {
        let mut control = Control::default();
        let mut message = Message {
            name: ptr::null_mut(),
            name_length: 0,
            parts: parts.as_mut_ptr().cast(),
            part_count: parts.len(),
            control: &raw mut control,
            control_length: size_of::<Control>(),
            flags: 0,
        };
        let header = &raw mut message;
        // SAFETY: the descriptor is open while it is borrowed; the header has the kernel's layout, and
        // what it points to lives until the call has ended: slices that are laid out as the kernel's
        // and exclusively ours, and room for the control message in plain integers.
        let taken = unsafe {
            libc::syscall(libc::SYS_recvmsg, c_long::from(socket.as_raw_fd()), header, 0)
        };
        let Ok(taken) = usize::try_from(taken) else { return Err(io::Error::last_os_error()) };
        let told = message.control_length >= LENGTH
            && (control.level, control.kind) == (libc::IPPROTO_TCP, TCP_INQ);
        let left = if told && control.left == 0 { Left::Nothing } else { Left::Perhaps };
        Ok((taken, left))
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod platform {
    use super::{IoSliceMut, Left, Taken};
    use mio::net::TcpStream;
    use std::io::Read;

    /// Nothing: no such kernel.
    #[derive(Debug, Default)]
    pub(crate) struct Tell;

    impl Tell {
        pub(crate) fn read(&self, mut socket: &TcpStream, buf: &mut [u8]) -> Taken {
            Ok((socket.read(buf)?, Left::Perhaps))
        }

        pub(crate) fn read_vectored(
            &self,
            mut socket: &TcpStream,
            bufs: &mut [IoSliceMut<'_>],
        ) -> Taken {
            Ok((socket.read_vectored(bufs)?, Left::Perhaps))
        }

        pub(crate) fn end(&self, _: &TcpStream) {}
    }
}

pub(super) use platform::Tell;

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests;
