//! What is lent comes back, and is not used twice meanwhile.

use goro::net::TcpStream;
use goro::sync::Mutex;

async fn halves(mut stream: TcpStream) -> TcpStream {
    let (reader, writer) = TcpStream::split(&mut stream);
    drop(reader);
    let moved = stream;
    drop(writer);
    moved
}

fn value(lock: &Mutex<String>) -> &str {
    &*lock.blocking_lock()
}

fn permit() {
    let (tx, _rx) = goro::channel::bounded::<u8>(1);
    let place = goro::block_on(tx.reserve()).unwrap();
    drop(tx);
    drop(place.send(1));
    // A place is used once.
    drop(place.send(2));
}

fn main() {
    permit();
    drop((halves, value));
}
