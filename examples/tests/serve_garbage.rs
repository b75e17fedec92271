//! `serve` under garbage: random bytes, requests cut short, heads and frames too large, in any
//! mixture, from a seed. It must go on serving and lose no descriptor.
//!
//! `SERVE_GARBAGE_ROUNDS` sets the number of rounds (1000), `SERVE_GARBAGE_SEED` the seed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::Connection;
use crate::program::Program;

/// A generator of numbers that look random; xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    fn pick<'a>(&mut self, from: &[&'a [u8]]) -> &'a [u8] {
        from[self.below(from.len())]
    }
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// Requests that are in order, or nearly.
const HEADS: [&[u8]; 8] = [
    b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /work?ms=1 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /compute?n=100 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\nshort",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n",
    b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\n\r\n",
    b"GET / HTTP/9.9\r\n: \r\n\r\n",
];

/// What one client sends.
fn message(random: &mut Random) -> Vec<u8> {
    let head = random.pick(&HEADS).to_vec();
    match random.below(10) {
        0 => {
            let count = random.below(2000);
            random.bytes(count)
        }
        1 => head[..random.below(head.len())].to_vec(),
        2 => head.repeat(1 + random.below(20)),
        3 => {
            let mut bent = head;
            let at = random.below(bent.len());
            bent[at] = random.next() as u8;
            bent
        }
        4 => {
            let filler = vec![b'a'; 16 * 1024 + random.below(200 * 1024)];
            [b"GET / HTTP/1.1\r\nx: ", &filler[..]].concat()
        }
        5 => {
            let filler = vec![b'a'; random.below(100_000)];
            [b"GET /", &filler[..], b" HTTP/1.1\r\n\r\n"].concat()
        }
        6 => PREFACE[..random.below(PREFACE.len())].to_vec(),
        7 => {
            let count = random.below(500);
            [PREFACE, &random.bytes(count)].concat()
        }
        8 => {
            let count = random.below(500);
            [PREFACE, SETTINGS, &frame(random, count)].concat()
        }
        _ => [PREFACE, SETTINGS, &frame(random, 0), &frame(random, 64 * 1024)].concat(),
    }
}

/// An HTTP/2 frame of any type, with any flags, on a low stream, filled with anything.
fn frame(random: &mut Random, payload: usize) -> Vec<u8> {
    let length = (payload as u32).to_be_bytes();
    let kind = random.below(12) as u8;
    let flags = random.next() as u8;
    let stream = random.below(6) as u8;
    let head = [length[1], length[2], length[3], kind, flags, 0, 0, 0, stream];
    [&head[..], &random.bytes(payload)].concat()
}

/// Sends it, and ends in one of the ways in which clients end.
fn misbehave(addr: SocketAddr, random: &mut Random) {
    let mut stream = TcpStream::connect(addr).expect("the server accepts");
    let message = message(random);
    let cut = random.below(message.len() + 1);
    // Writing fails once the server has closed; that is its good right.
    let _ = stream.write_all(&message[..cut]);
    let _ = stream.write_all(&message[cut..]);
    match random.below(4) {
        0 => {}
        1 => {
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
            let _ = stream.read_to_end(&mut Vec::new());
        }
        2 => {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(2)));
            let _ = stream.read(&mut [0; 64]);
        }
        _ => {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect(name))
}

#[cfg(target_os = "linux")]
#[test]
fn garbage_never_takes_the_server_down_nor_keeps_a_descriptor() {
    let rounds = setting("SERVE_GARBAGE_ROUNDS", 1000);
    let seed = setting("SERVE_GARBAGE_SEED", 0x0060_90e5);
    println!("{rounds} rounds from seed {seed}");
    let mut random = Random(seed.max(1));

    let (mut program, addr) = Program::serve(&[]);
    let before = program.descriptors();
    for round in 0..rounds {
        misbehave(addr, &mut random);
        if round % 100 == 99 {
            let answer = Connection::open(addr).unwrap().get("/compute?n=1000");
            assert_eq!(answer.unwrap().body, "168\n", "after round {round}");
        }
    }
    assert!(program.is_running());
    program.wait_for_descriptors(before);
    program.interrupt();
    assert_eq!(program.wait().code, Some(0));
}
