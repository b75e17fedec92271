//! A plain-text answer over HTTP/1.1, asked for by wrk: a process of its own, so that only the server's
//! side is counted.
use std::io;
use std::process::{Command, Stdio};

use super::Sample;
use crate::meter::Meter;
use crate::rival::drive;
use crate::rival::web::Web;

/// Who asks, over how many connections from one thread.
const WRK: &str = "wrk";
const CONNECTIONS: &str = "-c64";

/// Makes sure that wrk is there: installs it where apt-get can.
///
/// # Errors
///
/// It is not there and cannot be installed; what to do.
pub fn ready() -> Result<(), String> {
    let there = || Command::new(WRK).arg("--version").stdout(Stdio::null()).status().is_ok();
    if there() {
        return Ok(());
    }
    eprintln!("installing wrk");
    let install = ["install", "-qq", "-y", WRK];
    let _ = Command::new("apt-get").args(install).stdout(Stdio::null()).status();
    match there() {
        true => Ok(()),
        false => Err("the row http needs wrk: install it, or name other rows with --only".into()),
    }
}

/// So many seconds of requests.
pub fn plain_text<R: Web>(rival: R, seconds: usize) -> Sample {
    let address = drive(rival, async move {
        let (listener, address) = rival.listen().await.expect("loopback works");
        rival.spawn_detached(async move {
            loop {
                let stream = R::accept(&listener).await.expect("accept");
                rival.spawn_detached(R::serve(stream));
            }
        });
        address
    });
    let mut wrk = Command::new(WRK);
    wrk.args(["-t1", CONNECTIONS, "--latency", &format!("-d{seconds}s")]);
    wrk.arg(format!("http://{address}/")).stderr(Stdio::inherit());
    let meter = Meter::start();
    let output = wrk.output().expect("wrk was seen to be there");
    let reading = meter.stop();
    let said = String::from_utf8_lossy(&output.stdout);
    let Said { requests, rate, p50, p99 } =
        Said::of(&said).unwrap_or_else(|error| panic!("{error} in what wrk said: {said}"));
    let cpu = reading.cpu.as_nanos() as f64 / requests;
    Sample { checksum: 1, values: vec![1e9 / rate, p50, p99, cpu] }
}

/// What wrk says in the end.
#[derive(Debug, PartialEq)]
struct Said {
    requests: f64,
    rate: f64,
    p50: f64,
    p99: f64,
}

impl Said {
    /// Reads it; an error if one answer was none.
    fn of(text: &str) -> io::Result<Self> {
        let wrong = |what: &str| io::Error::other(what.to_owned());
        let after = |name: &str| {
            let line = text.lines().map(str::trim).find(|line| line.starts_with(name));
            line.and_then(|line| line[name.len()..].split_whitespace().next())
        };
        if text.contains("Non-2xx") || text.contains("Socket errors") {
            return Err(wrong("an answer that is none"));
        }
        let requests = text.lines().find_map(|line| line.trim().split_once(" requests in "));
        let requests = requests.and_then(|(count, _)| count.parse().ok());
        Ok(Self {
            requests: requests.ok_or_else(|| wrong("no count"))?,
            rate: after("Requests/sec:")
                .and_then(|rate| rate.parse().ok())
                .ok_or_else(|| wrong("no rate"))?,
            p50: after("50%").and_then(micros).ok_or_else(|| wrong("no median"))?,
            p99: after("99%").and_then(micros).ok_or_else(|| wrong("no percentile"))?,
        })
    }
}

/// Microseconds of `483.00us`, `1.50ms` or `2.00s`.
fn micros(text: &str) -> Option<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    units.into_iter().find_map(|(unit, times)| {
        text.strip_suffix(unit)?.parse::<f64>().ok().map(|number| number * times)
    })
}

#[cfg(test)]
mod tests {
    use super::{Said, micros};

    const SAID: &str = "Running 2s test @ http://127.0.0.1:1/\n  1 threads and 64 connections\n  \
        Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency   650.10us  190.00us   9.00ms   88.00%\n  \
        Latency Distribution\n     50%  630.00us\n     75%  700.00us\n     90%  800.00us\n     99%    1.25ms\n  \
        196000 requests in 2.00s, 24.00MB read\nRequests/sec:  98000.50\nTransfer/sec:     12.00MB\n";

    #[test]
    fn what_wrk_says_is_read() {
        let said = Said::of(SAID).unwrap();
        let expected = Said { requests: 196_000.0, rate: 98_000.5, p50: 630.0, p99: 1250.0 };
        assert_eq!(said, expected);
    }

    #[test]
    fn answers_that_are_none_are_an_error() {
        for bad in ["", "Non-2xx or 3xx responses: 7\n", "Socket errors: connect 0, read 9\n"] {
            let text = if bad.is_empty() { String::new() } else { format!("{SAID}{bad}") };
            assert!(Said::of(&text).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(
            [micros("5us"), micros("1.5ms"), micros("2s"), micros("x")],
            [Some(5.0), Some(1500.0), Some(2e6), None]
        );
    }
}
