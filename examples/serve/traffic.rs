//! What one connection is doing: how many requests it has in hand, whether it is quiet, and, while
//! the server is ending, whether the client has sent more than was answered.
//!
//! HTTP/1.1 has one way to say "send no more": `Connection: close` in an answer, after which
//! nothing that follows is answered. Saying it while another request has been read already
//! (pipelining) would lose that one; never saying it would lose the request that a client is just
//! sending when the connection closes. So from the server's end on the heads that come in are
//! counted, and the answer to the last of them says it.
//!
//! Invariants:
//! 1. Quiet means that every request that was read has its answer sent: nothing is in hand, nothing
//!    waits for the socket to take more (hyper reads no further head until it has), and no request
//!    has begun for a while.
//! 2. hyper asks for bytes only when it holds no complete head. Hence the first bytes that come in
//!    after the end has begun start the count at zero.
//! 3. A miscount (a body with blank lines in it) can only withhold the word, never say it early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Shared by the connection's stream, its service and the task that runs both.
///
/// Relaxed: for HTTP/1.1 one task does all of it, and for HTTP/2 only counts are compared.
#[derive(Debug, Default)]
pub struct Traffic {
    in_hand: AtomicUsize,
    begun: AtomicUsize,
    /// The server is ending.
    ending: AtomicBool,
    /// Heads that came in since.
    heads: AtomicUsize,
    /// Another head has come in in part, or may wait in the kernel.
    more: AtomicBool,
    /// Requests begun among the heads.
    late: AtomicUsize,
    /// A request was given up before its answer.
    abandoned: AtomicBool,
    /// The socket takes no more at the moment.
    blocked: AtomicBool,
    /// Nothing more is to be read.
    closed: AtomicBool,
}

impl Traffic {
    /// A request was read. It is in hand until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> InHand {
        self.in_hand.fetch_add(1, Relaxed);
        self.begun.fetch_add(1, Relaxed);
        if self.heads.load(Relaxed) > 0 {
            self.late.fetch_add(1, Relaxed);
        }
        InHand { traffic: Arc::clone(self) }
    }

    /// Requests begun so far.
    pub fn begun(&self) -> usize {
        self.begun.load(Relaxed)
    }

    /// Whether everything is answered, and no request has begun since there were `begun`.
    pub fn is_quiet_since(&self, begun: usize) -> bool {
        let answered = self.in_hand.load(Relaxed) == 0 && !self.blocked.load(Relaxed);
        answered && self.begun() == begun
    }

    /// The socket took what was written, or did not.
    pub fn set_blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Relaxed);
    }

    /// Reads nothing more: to HTTP it is as if the client had closed its direction.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// Whether nothing more is to be read.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// A request is given up: its client has gone.
    pub fn abandon(&self) {
        self.abandoned.store(true, Relaxed);
    }

    /// Whether any request was given up.
    pub fn abandoned(&self) -> bool {
        self.abandoned.load(Relaxed)
    }

    /// The server is ending.
    pub fn end(&self) {
        self.ending.store(true, Relaxed);
    }

    /// Whether heads are to be counted.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Relaxed)
    }

    /// So many heads have come in, and `more` if there is or may be another.
    pub fn read_heads(&self, heads: usize, more: bool) {
        self.heads.fetch_add(heads, Relaxed);
        self.more.store(more, Relaxed);
    }

    /// Whether the answer to the request in hand is the last that this connection will give.
    pub fn is_last_answer(&self) -> bool {
        let heads = self.heads.load(Relaxed);
        heads > 0 && self.late.load(Relaxed) >= heads && !self.more.load(Relaxed)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct InHand {
    traffic: Arc<Traffic>,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.traffic.in_hand.fetch_sub(1, Relaxed);
    }
}

/// Finds the ends of heads, blank lines, in a stream of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlankLines {
    at_line_start: bool,
    at_head_start: bool,
}

impl BlankLines {
    /// Counts the blank lines that end in these bytes.
    pub fn count(&mut self, bytes: &[u8]) -> usize {
        let mut blank = 0;
        for &byte in bytes {
            match byte {
                b'\n' => {
                    self.at_head_start = self.at_line_start;
                    blank += usize::from(self.at_line_start);
                    self.at_line_start = true;
                }
                b'\r' => {}
                _ => *self = Self::default(),
            }
        }
        blank
    }

    /// Whether the last of the bytes ended a blank line.
    pub fn at_head_start(self) -> bool {
        self.at_head_start
    }

    /// Follows these bytes without counting: their last two decide.
    pub fn skip(&mut self, bytes: &[u8]) {
        self.count(&bytes[bytes.len().saturating_sub(2)..]);
    }
}

#[cfg(test)]
mod tests {
    use super::{BlankLines, Traffic};
    use std::sync::Arc;

    #[test]
    fn blank_lines_are_found_wherever_the_bytes_are_cut() {
        let stream = b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\n\nGET / ";
        for cut in 0..stream.len() {
            let mut lines = BlankLines::default();
            assert_eq!(lines.count(&stream[..cut]) + lines.count(&stream[cut..]), 2, "cut {cut}");
            assert!(!lines.at_head_start());
            lines.count(b"HTTP/1.1\r\n\r\n");
            assert!(lines.at_head_start());

            let (mut counted, mut skipped) = (BlankLines::default(), BlankLines::default());
            counted.count(&stream[..cut]);
            skipped.skip(&stream[..cut]);
            assert_eq!(counted.count(&stream[cut..]), skipped.count(&stream[cut..]), "cut {cut}");
        }
    }

    #[test]
    fn the_last_of_several_pipelined_requests_says_close() {
        let traffic = Arc::new(Traffic::default());
        // In hand when the end begins: its answer cannot be the last, the client knows nothing.
        let early = traffic.begin();
        traffic.end();
        assert!(!traffic.is_last_answer());
        drop(early);

        traffic.read_heads(2, true);
        let first = traffic.begin();
        assert!(!traffic.is_last_answer());
        drop(first);
        let second = traffic.begin();
        assert!(!traffic.is_last_answer());
        drop(second);
        // The rest of the third comes in.
        traffic.read_heads(1, false);
        let third = traffic.begin();
        assert!(traffic.is_last_answer());
        assert!(!traffic.is_quiet_since(4));
        drop(third);
        assert!(traffic.is_quiet_since(4) && !traffic.is_quiet_since(3));
        traffic.set_blocked(true);
        assert!(!traffic.is_quiet_since(4));
    }
}
