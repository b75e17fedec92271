//! The command line of `serve`, read by hand: five flags need no library.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
An HTTP server on goro: HTTP/1.1 and HTTP/2 (prior knowledge) on one port.

Usage: serve [OPTIONS]

Options:
  --addr HOST:PORT          where to listen [default: 127.0.0.1:8080]
  --workers N               worker threads, 1 to 1024 [default: one per processor]
  --header-timeout SECONDS  how long a client may take to send a request's head,
                            and an idle connection stays open [default: 30]
  --drive SECONDS           serve a built-in client on a free loopback port for
                            that long, print a report, exit 0 if no request was lost
  --connections N           the client's connections, 1 to 10000 [default: 64]
  --help                    print this

Routes:
  /              a line of text
  /work?ms=N     sleeps for N milliseconds, at most 60000
  /compute?n=N   counts the primes below N, at most 10000000, on the blocking pool

The first Ctrl-C stops accepting, answers every request that was read, and exits
with 0 within 10 seconds; the second exits with 130 at once.
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Print [`HELP`].
    Help,
    /// Serve until Ctrl-C.
    Serve(Options),
    /// Serve a built-in client, then report.
    Drive(Options, Load),
}

/// How to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub addr: SocketAddr,
    pub workers: Option<usize>,
    pub header_timeout: Duration,
}

/// What the built-in client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub duration: Duration,
    pub connections: usize,
}

/// What is wrong with the command line, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (see serve --help)", self.0)
    }
}

impl std::error::Error for Mistake {}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// [`Mistake`], for the first argument that is wrong.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Command, Mistake> {
    let mut addr = None;
    let mut workers = None;
    let mut header_timeout = Duration::from_secs(30);
    let mut drive = None;
    let mut connections = None;

    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        // Both `--flag value` and `--flag=value` are usual.
        let (flag, inline) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        let mut value = || inline.clone().or_else(|| args.next());
        match flag {
            "--help" | "-h" => return Ok(Command::Help),
            "--addr" => addr = Some(read(flag, value(), "HOST:PORT with a numeric host")?),
            "--workers" => workers = Some(number(flag, value(), 1, 1024)?),
            "--header-timeout" => header_timeout = seconds(flag, value())?,
            "--drive" => drive = Some(seconds(flag, value())?),
            "--connections" => connections = Some(number(flag, value(), 1, 10_000)?),
            _ => return Err(Mistake(format!("there is no option {arg:?}"))),
        }
    }

    let default_addr = SocketAddr::from(([127, 0, 0, 1], 8080));
    let options = Options { addr: addr.unwrap_or(default_addr), workers, header_timeout };
    match drive {
        None if connections.is_some() => {
            Err(Mistake("--connections is for the built-in client: add --drive SECONDS".into()))
        }
        None => Ok(Command::Serve(options)),
        Some(_) if addr.is_some() => {
            Err(Mistake("--drive serves on a free loopback port: leave out --addr".into()))
        }
        Some(duration) => {
            let load = Load { duration, connections: connections.unwrap_or(64) };
            let addr = SocketAddr::from(([127, 0, 0, 1], 0));
            Ok(Command::Drive(Options { addr, ..options }, load))
        }
    }
}

fn read<T: std::str::FromStr>(
    flag: &str,
    value: Option<String>,
    wanted: &str,
) -> Result<T, Mistake> {
    let Some(value) = value else {
        return Err(Mistake(format!("{flag} needs a value: {wanted}")));
    };
    value.parse().map_err(|_| Mistake(format!("{flag} wants {wanted}, not {value:?}")))
}

fn number(flag: &str, value: Option<String>, min: usize, max: usize) -> Result<usize, Mistake> {
    let wanted = format!("a number from {min} to {max}");
    let number = read(flag, value, &wanted)?;
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(Mistake(format!("{flag} wants {wanted}, not {number}")))
    }
}

/// A positive number of seconds, at most a day; fractions are allowed.
fn seconds(flag: &str, value: Option<String>) -> Result<Duration, Mistake> {
    const WANTED: &str = "seconds, more than 0 and at most 86400";
    let seconds: f64 = read(flag, value, WANTED)?;
    // Written so that "NaN" is refused too.
    if seconds > 0.0 && seconds <= 86_400.0 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(Mistake(format!("{flag} wants {WANTED}, not {seconds}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Load, Options, parse};
    use std::time::Duration;

    fn of(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned)).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn without_flags_it_serves_at_port_8080() {
        let options = Options {
            addr: "127.0.0.1:8080".parse().unwrap(),
            workers: None,
            header_timeout: Duration::from_secs(30),
        };
        assert_eq!(of(""), Ok(Command::Serve(options)));
    }

    #[test]
    fn every_flag_is_read_in_both_spellings() {
        let options = Options {
            addr: "[::1]:0".parse().unwrap(),
            workers: Some(3),
            header_timeout: Duration::from_millis(500),
        };
        let expected = Ok(Command::Serve(options.clone()));
        assert_eq!(of("--addr [::1]:0 --workers 3 --header-timeout 0.5"), expected);
        assert_eq!(of("--addr=[::1]:0 --workers=3 --header-timeout=.5"), expected);

        let load = Load { duration: Duration::from_secs(5), connections: 7 };
        let options = Options { addr: "127.0.0.1:0".parse().unwrap(), ..options };
        let line = "--drive 5 --connections 7 --workers 3 --header-timeout=0.5";
        assert_eq!(of(line), Ok(Command::Drive(options, load)));
        assert_eq!(of("--workers 3 -h --nonsense"), Ok(Command::Help));
    }

    #[test]
    fn a_mistake_names_the_flag_and_the_fix() {
        for (line, words) in [
            ("--port 1", "there is no option \"--port\""),
            ("serve", "there is no option \"serve\""),
            ("--addr", "--addr needs a value: HOST:PORT"),
            ("--addr localhost", "--addr wants HOST:PORT"),
            ("--workers 0", "--workers wants a number from 1 to 1024, not 0"),
            ("--workers 1025", "--workers wants a number from 1 to 1024, not 1025"),
            ("--workers many", "--workers wants a number from 1 to 1024, not \"many\""),
            ("--drive -1", "--drive wants seconds"),
            ("--drive 0", "--drive wants seconds"),
            ("--drive nan", "--drive wants seconds"),
            ("--drive inf", "--drive wants seconds"),
            ("--header-timeout 1e9", "--header-timeout wants seconds"),
            ("--connections 0 --drive 1", "--connections wants a number from 1 to 10000"),
            ("--connections 2", "add --drive"),
            ("--drive 1 --addr 127.0.0.1:1", "leave out --addr"),
        ] {
            let mistake = of(line).unwrap_err();
            assert!(mistake.contains(words) && mistake.contains("--help"), "{line}: {mistake}");
        }
    }
}
