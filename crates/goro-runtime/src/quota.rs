//! How many processors this process may use: its affinity, and the CPU quotas of its control groups.
//!
//! A quota is time per period: 150 ms in 100 ms is one processor and a half. It is set for a group of
//! processes and holds for the groups inside of it, so the least on the way up counts. Rounded up, it
//! is a number of workers: rounded down, a part of what is paid for could not be used. (Go rounds up
//! to two at least; here a spare stands in when a poll holds a lone worker up, so one will do.)
//!
//! Where it is read, below a root that tests can set:
//!
//! | file | for |
//! |---|---|
//! | `proc/self/cgroup` | which group this process is in, in each hierarchy |
//! | `proc/self/mountinfo` | where the hierarchies are mounted, and which part of them |
//! | `cpu.max` of version 2: `QUOTA PERIOD`, `max` for none | the quota |
//! | `cpu.cfs_quota_us`, `cpu.cfs_period_us` of version 1, -1 for none | the quota |
//!
//! Invariant: nothing that is missing or not understood limits anything. A runtime with too many
//! workers runs; one that is not built does not.

use core::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// What a process may use of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Processors that its threads may run on, if the system says.
    pub(crate) processors: Option<u32>,
    /// The quota, in thousandths of a processor.
    pub(crate) quota: Option<u32>,
}

impl Allowance {
    /// Where nothing is known.
    pub(crate) const UNKNOWN: Self = Self { processors: None, quota: None };

    /// What this process may use, as the files below `root` say.
    pub(crate) fn read(root: &Path) -> Self {
        Self { processors: processors(), quota: quota(root) }
    }

    /// As many workers as can run at once; `None` when the system says nothing.
    pub(crate) fn workers(self) -> Option<u32> {
        self.quota().into_iter().chain(self.processors).min()
    }

    /// The most spares for stalls beside so many workers, if a quota limits them: twice as many as it has
    /// processors, or their threads would use it up the sooner, for all. But no more of them can run at
    /// once than there are processors; where workers and so many spares have these already, further ones use up
    /// nothing.
    pub(crate) fn spares(self, workers: u32) -> Option<u32> {
        let most = self.quota()?.saturating_mul(2);
        let all_busy = |processors| workers.saturating_add(most) >= processors;
        (!self.processors.is_some_and(all_busy)).then_some(most)
    }

    /// The quota in whole processors, rounded up, if it is less than there are.
    pub(crate) fn quota(self) -> Option<u32> {
        let whole = self.quota?.div_ceil(1000).max(1);
        self.processors.is_none_or(|processors| whole < processors).then_some(whole)
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.processors, self.quota) {
            (Some(processors), Some(quota)) => {
                write!(f, "{processors} processors, a quota of {quota} thousandths of one")
            }
            (Some(processors), None) => write!(f, "{processors} processors"),
            (None, Some(quota)) => write!(f, "a quota of {quota} thousandths of a processor"),
            (None, None) => f.write_str("nobody knows how much"),
        }
    }
}

/// How many processors this thread may run on, quota or not.
fn processors() -> Option<u32> {
    #[cfg(target_os = "linux")]
    return Some(rustix::thread::sched_getaffinity(None).ok()?.count().max(1));
    #[cfg(not(target_os = "linux"))]
    u32::try_from(goro_shim::thread::parallelism().ok()?).ok()
}

/// The least quota of this process's groups, in thousandths of a processor.
fn quota(root: &Path) -> Option<u32> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    groups.lines().filter_map(|line| quota_of(root, line, &mounts)).min()
}

/// The quota of one line of the list of groups: `NUMBER:CONTROLLERS:PATH`.
fn quota_of(root: &Path, line: &str, mounts: &str) -> Option<u32> {
    let mut parts = line.splitn(3, ':');
    let (_number, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
    let version = match controllers {
        "" => Version::Two,
        _ if controllers.split(',').any(|controller| controller == "cpu") => Version::One,
        _ => return None,
    };
    let mount = mounts.lines().find_map(|line| Mount::of(line, version))?;
    let top = below(root, &mount.point);
    let mut folder = top.join(mount.within(group));
    let mut least = None;
    loop {
        least = version.quota(&folder).into_iter().chain(least).min();
        if folder == top || !folder.pop() {
            return least;
        }
    }
}

/// `path`, which begins at the system's root, below another one.
fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Which kind of control groups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// The quota that is set for the group of this folder itself.
    fn quota(self, folder: &Path) -> Option<u32> {
        let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok();
        let (quota, period): (u64, u64) = match self {
            // -1, for none, is no number without a sign.
            Self::One => (number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?),
            Self::Two => {
                let line = fs::read_to_string(folder.join("cpu.max")).ok()?;
                let mut words = line.split_whitespace();
                (words.next()?.parse().ok()?, words.next()?.parse().ok()?)
            }
        };
        let thousandths = (u128::from(quota) * 1000).checked_div(u128::from(period))?;
        // Less than a thousandth is a quota all the same.
        (quota > 0).then(|| u32::try_from(thousandths).unwrap_or(u32::MAX).max(1))
    }
}

/// Where a hierarchy of groups is mounted.
struct Mount {
    /// Which part of it.
    root: String,
    point: String,
}

impl Mount {
    /// Of a line of mountinfo: `ID PARENT DEVICE ROOT POINT OPTIONS .. - TYPE SOURCE OPTIONS`.
    fn of(line: &str, version: Version) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let (kind, options) = (after.next()?, after.nth(1)?);
        let fits = match version {
            Version::Two => kind == "cgroup2",
            Version::One => kind == "cgroup" && options.split(',').any(|option| option == "cpu"),
        };
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?, before.next()?);
        fits.then(|| Self { root: unescaped(root), point: unescaped(point) })
    }

    /// Where `group` is below the mount point; the point itself, for a group that is not below what
    /// is mounted.
    fn within(&self, group: &str) -> PathBuf {
        let relative = Path::new(group).strip_prefix(&self.root).unwrap_or(Path::new(""));
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        let inside = relative.components().all(plain);
        if inside { relative.to_path_buf() } else { PathBuf::new() }
    }
}

/// Spaces, tabs, newlines and backslashes stand as three octal digits after a backslash.
fn unescaped(text: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

mod follow;
pub(crate) use follow::Follows;

#[cfg(test)]
mod tests;
