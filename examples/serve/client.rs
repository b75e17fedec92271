//! One connection of the built-in client: hyper's HTTP/1.1 client over a goro stream.

use std::net::SocketAddr;

use goro::net::TcpStream;
use goro_hyper::GoroIo;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Request, StatusCode};

/// Whatever can go wrong between asking and having the answer.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A connection that sends one request after the other.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Empty<Bytes>>,
    host: String,
}

impl Client {
    /// Connects. The connection closes when the client is dropped.
    ///
    /// # Errors
    /// The network's.
    pub async fn connect(addr: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(GoroIo::new(stream)).await?;
        goro::task::Builder::new().name("client connection").spawn(connection);
        Ok(Self { sender, host: addr.to_string() })
    }

    /// Asks for `target`, and reads the answer to its end.
    ///
    /// # Errors
    /// The network's and HTTP's. The connection is then of no further use.
    pub async fn get(&mut self, target: &str) -> Result<(StatusCode, Bytes), Error> {
        self.sender.ready().await?;
        let request = Request::get(target).header(HOST, &*self.host).body(Empty::new())?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
