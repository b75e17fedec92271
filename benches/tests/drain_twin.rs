//! The twin of the example `drain` on tokio, under SIGTERM in the middle of the highest steady load: what its four
//! primitives, all of them used, lose of what it has read. `ENDING_RUNS` sets how often (1).
#![cfg(unix)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test is a program")]

#[path = "../../examples/tests/load.rs"]
mod load;

use load::{line_answer, number};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;

/// Killed when it is dropped, unless it has ended.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_twin_on_tokio_loses_no_request_that_it_has_read() {
    let runs = std::env::var("ENDING_RUNS").map_or(1, |runs| runs.parse().unwrap());
    for _ in 0..runs {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drain_tokio"));
        let command = command.arg("127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = Server(command.spawn().unwrap());
        let mut out = BufReader::new(server.0.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let addr = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
        let run = load::run(addr, "SET a b\n", line_answer, || {
            let kill = format!("kill -TERM {}", server.0.id());
            assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
            let mut said = String::new();
            out.read_to_string(&mut said).unwrap();
            (server.0.wait().unwrap().code(), said)
        });
        let (code, said) = &run.ended;
        let lost = run.lost(number(said, "answered")) + run.seen.cut_off.load(Relaxed);
        run.says("drain on tokio", lost);
        assert_eq!((*code, lost), (Some(0), 0), "{said:?}");
    }
}
