//! Examples as processes: finding them, talking to them, ending them.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that is not measured. Generous: other things run on the machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running example. It is killed when it is dropped.
pub struct Program {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

/// What a program that has ended leaves behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Where an example's executable is. `cargo test` and nextest build it along with the tests; when
/// only this test was asked for, it may be missing or older than its sources, and is built here.
pub fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST");
    let path = profile.join("examples").join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    if !is_fresh(&path) {
        build(example, profile);
    }
    path
}

/// Whether the executable is there, and no source that cargo noted for it is younger.
fn is_fresh(path: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let (Ok(built), Ok(noted)) = (modified(path), fs::read_to_string(path.with_extension("d")))
    else {
        return false;
    };
    // `target: source source ..`, with the spaces of a path escaped.
    let sources = noted.split_once(": ").map_or("", |(_, sources)| sources);
    let sources = sources.trim_end().replace("\\ ", "\0");
    let mut sources = sources.split(' ').map(|source| source.replace('\0', " "));
    sources.all(|source| modified(Path::new(&source)).is_ok_and(|changed| changed <= built))
}

fn build(example: &str, profile: &Path) {
    let name = match profile.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", example, "--profile", name, "--target-dir"])
        .arg(profile.parent().expect("a profile's folder is in the target folder"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{example} was not built");
}

impl Program {
    /// Starts an example.
    pub fn start(example: &str, args: &[&str]) -> Self {
        let mut child = Command::new(path(example))
            .args(args)
            .env_remove("GORO_WORKERS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{example} does not start: {error}"));
        let out = lines(child.stdout.take().expect("it is piped"));
        let err = lines(child.stderr.take().expect("it is piped"));
        Self { child, out, err }
    }

    /// Runs an example to its end.
    pub fn run(example: &str, args: &[&str]) -> Ended {
        Self::start(example, args).wait()
    }

    /// Starts `serve` on a free port.
    pub fn serve(args: &[&str]) -> (Self, SocketAddr) {
        let args = [&["--addr", "127.0.0.1:0"], args].concat();
        let program = Self::start("serve", &args);
        let line = program.line();
        let addr = line.strip_prefix("serving on http://").and_then(|rest| rest.split(',').next());
        let addr = addr.and_then(|addr| addr.parse().ok());
        (program, addr.unwrap_or_else(|| panic!("no address in {line:?}")))
    }

    /// The next line of its standard output.
    pub fn line(&self) -> String {
        self.out.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let err: Vec<_> = self.err.try_iter().collect();
            panic!("no line on standard output: {error}; on standard error: {err:?}")
        })
    }

    /// Waits for a line on its standard error stream that has `words` in it.
    pub fn wait_for_log(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut others = Vec::new();
        loop {
            match self.err.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => others.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{words:?} is not logged, only {others:?}")
                }
            }
        }
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Asks it to end, as whoever manages services does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.is_ok_and(|status| status.success()), "{kill} failed");
    }

    /// How many descriptors it has open.
    #[cfg(target_os = "linux")]
    pub fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        fs::read_dir(folder).expect("the program runs").count()
    }

    /// Waits until it has at most so many descriptors open.
    #[cfg(target_os = "linux")]
    pub fn wait_for_descriptors(&self, at_most: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.descriptors() > at_most {
            let open = self.descriptors();
            assert!(Instant::now() < deadline, "{open} descriptors are open, not {at_most}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many of its TCP sockets are connected.
    #[cfg(target_os = "linux")]
    pub fn sockets(&self) -> usize {
        let folder = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs");
        let links = folder.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        let inodes: Vec<String> = links
            .filter_map(|link| {
                let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                Some(inode.to_owned())
            })
            .collect();
        let table = fs::read_to_string("/proc/net/tcp").expect("the kernel lists its sockets");
        let established = table.lines().filter_map(|line| {
            let mut columns = line.split_whitespace();
            (columns.nth(3)? == "01").then(|| columns.nth(5)).flatten()
        });
        established.filter(|inode| inodes.iter().any(|own| own == inode)).count()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Waits for its end, and takes what it has printed that was not taken yet.
    pub fn wait(mut self) -> Ended {
        let status = self.wait_status();
        let rest =
            |lines: &Receiver<String>| lines.iter().map(|line| line + "\n").collect::<String>();
        Ended { code: status.code(), out: rest(&self.out), err: rest(&self.err) }
    }

    fn wait_status(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().expect("a child can be waited for") {
                Some(status) => return status,
                None if Instant::now() > deadline => panic!("the program does not end"),
                None => thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines on a thread of their own, so that the program never waits for its reader.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
