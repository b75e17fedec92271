//! A client that speaks HTTP/1.1 byte by byte, so that a test can say exactly what it sends.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::program::PATIENCE;

/// A connection to a server.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// The value of the header called `name`, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the server will answer nothing more on this connection.
    pub fn is_last(&self) -> bool {
        self.header("connection") == Some("close")
    }
}

impl Connection {
    pub fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::of(stream))
    }

    pub fn of(stream: TcpStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Sends a request without a body.
    pub fn request(&mut self, method: &str, target: &str) -> io::Result<()> {
        self.send(format!("{method} {target} HTTP/1.1\r\nhost: test\r\n\r\n"))
    }

    /// Asks and waits for the answer.
    pub fn get(&mut self, target: &str) -> io::Result<Answer> {
        self.request("GET", target)?;
        self.answer()
    }

    /// Reads one answer to a request other than `HEAD`.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = self.head()?;
        let length = answer.header("content-length").and_then(|value| value.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.stream.read_exact(&mut body)?;
        answer.body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(answer)
    }

    /// Reads the head of an answer; all there is to an answer to `HEAD`.
    pub fn head(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let code = status.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
        let code = code.and_then(|code| code.parse().ok());
        let code = code.ok_or_else(|| io::Error::other(format!("no status line: {status:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Answer { status: code, headers, body: String::new() });
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }

    /// Reads to the end of the stream: the server has closed.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }
}
