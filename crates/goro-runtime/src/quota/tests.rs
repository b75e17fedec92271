//! Made-up trees of files, the well-formed and the others.

use super::{Allowance, quota, unescaped};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder that is gone when the test ends.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("goro-quota-{name}-{}", std::process::id()));
        let _before = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn version_2(name: &str, group: &str) -> Self {
        let tree = Self::new(name);
        tree.file("proc/self/cgroup", &format!("0::{group}\n")).file(
            "proc/self/mountinfo",
            "24 1 0:22 / /proc rw - proc proc rw\n30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        );
        tree
    }

    fn version_1(name: &str, group: &str) -> Self {
        let tree = Self::new(name);
        tree.file("proc/self/cgroup", &format!("5:cpu,cpuacct:{group}\n4:memory:/x\n0::/\n")).file(
            "proc/self/mountinfo",
            "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
             33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n",
        );
        tree
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn version_2_and_the_least_on_the_way_up() {
    let tree = Tree::version_2("v2", "/a/b");
    assert_eq!(quota(&tree.0), None, "no file, no quota");
    tree.file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_eq!(quota(&tree.0), None);
    tree.file("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    assert_eq!(quota(&tree.0), Some(1500));
    tree.file("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    assert_eq!(quota(&tree.0), Some(1500), "a group has no more than those round it");
    tree.file("sys/fs/cgroup/a/b/cpu.max", "50000 100000");
    assert_eq!(quota(&tree.0), Some(500));
}

#[test]
fn version_1_beside_other_hierarchies() {
    let tree = Tree::version_1("v1", "/docker/abc");
    let folder = "sys/fs/cgroup/cpu/docker/abc";
    tree.file(&format!("{folder}/cpu.cfs_quota_us"), "-1\n");
    tree.file(&format!("{folder}/cpu.cfs_period_us"), "100000\n");
    assert_eq!(quota(&tree.0), None);
    tree.file(&format!("{folder}/cpu.cfs_quota_us"), "250000\n");
    assert_eq!(quota(&tree.0), Some(2500));
}

/// In a container the hierarchy's part that is mounted is the container's own.
#[test]
fn a_part_of_the_hierarchy_may_be_mounted() {
    let tree = Tree::new("part");
    let mountinfo = "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
    tree.file("proc/self/mountinfo", mountinfo).file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    for group in ["/docker/abc", "/docker/abc/gone", "/elsewhere", "/../..", "/docker/abc/../x", ""]
    {
        tree.file("proc/self/cgroup", &format!("0::{group}\n"));
        assert_eq!(quota(&tree.0), Some(2000), "{group}");
    }
}

#[test]
fn what_is_not_understood_limits_nothing() {
    let tree = Tree::version_2("garbage", "/a");
    let garbage = [
        "",
        "\n",
        "max",
        "max max",
        "abc 100000",
        "100000",
        "0 100000",
        "100000 0",
        "-5 1",
        "99999999999999999999 1",
        "1e5 100000",
        "\0\0",
        "💥 💥",
    ];
    for text in garbage {
        tree.file("sys/fs/cgroup/a/cpu.max", text);
        assert_eq!(quota(&tree.0), None, "{text:?}");
    }
    tree.file("sys/fs/cgroup/a/cpu.max", "1 100000");
    assert_eq!(quota(&tree.0), Some(1), "next to nothing is a quota");
    tree.file("sys/fs/cgroup/a/cpu.max", "18446744073709551615 1");
    assert_eq!(quota(&tree.0), Some(u32::MAX));
    for text in ["", "0", "0:", "::", "x:y", "0::\u{0}", "a:b:c:d"] {
        tree.file("proc/self/cgroup", text);
        let _whatever = quota(&tree.0);
    }
    tree.file("proc/self/cgroup", "0::/a\n");
    for text in ["", " - ", "1 2 3 - cgroup2 x y", "30 24 0:26 / - cgroup2", "- cgroup2 a b"] {
        tree.file("proc/self/mountinfo", text);
        assert_eq!(quota(&tree.0), None, "{text:?}");
    }
    assert_eq!(quota(Path::new("/no/such/folder")), None);
}

#[test]
fn rounded_up_and_one_at_least() {
    let workers = |processors, quota| Allowance { processors, quota }.workers();
    assert_eq!(workers(Some(8), None), Some(8));
    assert_eq!(workers(Some(8), Some(1500)), Some(2));
    assert_eq!(workers(Some(8), Some(2000)), Some(2));
    assert_eq!(workers(Some(8), Some(1)), Some(1));
    assert_eq!(workers(Some(2), Some(64_000)), Some(2));
    assert_eq!(workers(None, Some(3200)), Some(4));
    assert_eq!(workers(None, None), None);
    let quota = |processors, quota| Allowance { processors, quota }.quota();
    assert_eq!((quota(Some(4), Some(4000)), quota(Some(4), Some(3001))), (None, None), "no limit");
    assert_eq!(quota(Some(4), Some(3000)), Some(3));
}

#[test]
fn this_machine_says_something() {
    let here = Allowance::read(Path::new("/"));
    assert!(here.workers().is_some_and(|workers| workers >= 1), "{here}");
}

#[test]
fn escapes_in_paths() {
    assert_eq!(unescaped("/a\\040b\\134c\\011"), "/a b\\c\t");
}

#[test]
fn a_quota_limits_spares_where_more_would_use_it_up_sooner() {
    let spares = |processors, quota, workers| Allowance { processors, quota }.spares(workers);
    assert_eq!(spares(Some(64), Some(1000), 1), Some(2));
    assert_eq!(spares(Some(64), Some(4500), 5), Some(10));
    assert_eq!(spares(None, Some(1000), 1), Some(2), "nobody knows");
    assert_eq!(spares(Some(4), Some(1000), 1), Some(2));
    assert_eq!(spares(Some(3), Some(1000), 1), None, "three have all of them busy");
    assert_eq!(spares(Some(64), Some(1000), 62), None);
    assert_eq!(spares(Some(64), Some(64_000), 1), None, "no quota to speak of");
    assert_eq!(spares(Some(64), None, 1), None);
}
