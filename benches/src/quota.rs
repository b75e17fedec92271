//! A CPU quota for samples: a control group that they enter before they start anything.
//!
//! Works where the groups of version 1 or 2 can be written, mostly as root; elsewhere it says so. A
//! sample enters by running itself through this program, which enters and then becomes the sample.
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The hidden first argument of a process that enters a group and becomes another.
pub const COMMAND: &str = "within";

/// How long a quota's period is, in microseconds.
const PERIOD: usize = 100_000;

/// A control group of this process, removed when it is dropped.
pub struct Group(PathBuf);

impl Group {
    /// One whose processes may use so many hundredths of a processor.
    ///
    /// # Errors
    /// Why there is none, and what to do about it.
    pub fn with(percent: usize) -> Result<Self, String> {
        let name = format!("goro-bench-{}", std::process::id());
        let quota = PERIOD / 100 * percent;
        let first = Path::new("/sys/fs/cgroup/cpu").join(&name);
        let second = Path::new("/sys/fs/cgroup").join(&name);
        let attempt = |folder: PathBuf, file: &str, text: String| {
            let group = fs::create_dir(&folder).map(|()| Self(folder.clone()));
            let group = group.map_err(|error| format!("{}: {error}", folder.display()))?;
            let file = folder.join(file);
            fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
            Ok(group)
        };
        let old = || attempt(first, "cpu.cfs_quota_us", quota.to_string());
        let new = || attempt(second, "cpu.max", format!("{quota} {PERIOD}"));
        old().or_else(|one: String| {
            new().map_err(|two: String| {
                format!(
                    "no control group with a CPU quota can be made here ({one}; {two}): run it as \
                     root where groups can be written, or leave --quota out"
                )
            })
        })
    }

    /// The same command, inside of the group.
    pub fn around(&self, own: PathBuf, inner: &Command) -> Command {
        let mut command = Command::new(own);
        command.arg(COMMAND).arg(&self.0).arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its last process has ended; a group that is left behind holds nothing.
        let _gone = fs::remove_dir(&self.0);
    }
}

/// Enters a group and becomes a program: `GROUP PROGRAM ARGUMENTS`.
///
/// # Errors
/// Why not.
pub fn enter(arguments: &[String]) -> Result<(), String> {
    let [group, program, rest @ ..] = arguments else {
        return Err(format!("{COMMAND} GROUP PROGRAM ARGUMENTS"));
    };
    let file = Path::new(group).join("cgroup.procs");
    fs::write(&file, std::process::id().to_string())
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Err(format!("{program}: {}", Command::new(program).args(rest).exec()))
}
