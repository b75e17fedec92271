//! What the kernel says beside a read.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use super::*;

/// A socket that has been read and then in vain; its other end.
fn asked() -> (Tell, mio::net::TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut other = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    other.write_all(b"a").unwrap();
    let tell = Tell::default();
    // Blocking for the moment: the byte may be under way.
    let mut socket = mio::net::TcpStream::from_std(socket);
    assert_eq!(tell.read(&socket, &mut [0; 4]).unwrap(), (1, Left::Perhaps));
    socket = {
        let socket = std::net::TcpStream::from(socket);
        socket.set_nonblocking(true).unwrap();
        mio::net::TcpStream::from_std(socket)
    };
    let error = tell.read(&socket, &mut [0; 4]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    (tell, socket, other)
}

/// Reads as soon as something is there.
fn read(tell: &Tell, socket: &mio::net::TcpStream, buf: &mut [u8]) -> (usize, Left) {
    loop {
        match tell.read(socket, buf) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => goro_shim::thread::yield_now(),
            taken => return taken.unwrap(),
        }
    }
}

#[test]
fn the_kernel_says_whether_anything_is_left() {
    let (tell, socket, mut other) = asked();
    other.write_all(b"abcdefgh").unwrap();
    let mut buf = [0; 4];
    assert_eq!(read(&tell, &socket, &mut buf), (4, Left::Perhaps));
    assert_eq!(&buf, b"abcd");
    assert_eq!(read(&tell, &socket, &mut buf), (4, Left::Nothing));
    assert_eq!(&buf, b"efgh");
    other.write_all(b"ij").unwrap();
    assert_eq!(read(&tell, &socket, &mut buf), (2, Left::Nothing), "a short one");
    let (mut one, mut two) = ([0; 1], [0; 3]);
    other.write_all(b"klmn").unwrap();
    let mut parts = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    let taken = loop {
        match tell.read_vectored(&socket, &mut parts) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => goro_shim::thread::yield_now(),
            taken => break taken.unwrap(),
        }
    };
    assert_eq!(taken, (4, Left::Nothing));
    assert_eq!((&one, &two), (b"k", b"lmn"));
}

#[test]
fn an_end_counts_as_something_left() {
    let (tell, socket, mut other) = asked();
    other.write_all(b"abcd").unwrap();
    drop(other);
    let mut buf = [0; 2];
    assert_eq!(read(&tell, &socket, &mut buf), (2, Left::Perhaps));
    // The end may be under way yet; then it makes an event.
    let (taken, _) = read(&tell, &socket, &mut buf);
    assert_eq!(taken, 2);
    assert_eq!(read(&tell, &socket, &mut buf), (0, Left::Perhaps), "the end stays");
}

#[test]
fn a_socket_that_is_given_away_is_asked_no_more() {
    let (tell, socket, mut other) = asked();
    tell.end(&socket);
    other.write_all(b"abcd").unwrap();
    assert_eq!(read(&tell, &socket, &mut [0; 4]), (4, Left::Perhaps), "no word comes with it");
}
