//! Nothing in the tree knows the machine it was written on.

use crate::Rule;

pub(crate) const MACHINE: Rule = Rule {
    wants: "No file names a folder that exists on one machine only.",
    check: |house| {
        let mut findings = Vec::new();
        for file in &house.files {
            for folder in FOLDERS {
                for (at, _) in file.text.match_indices(folder) {
                    let (before, after) = (&file.text[..at], &file.text[at + folder.len()..]);
                    let begins =
                        !before.ends_with(|c: char| c.is_alphanumeric() || "_.-~}".contains(c));
                    let goes_on =
                        after.starts_with(|c: char| c.is_alphanumeric() || "_.-".contains(c));
                    if begins && goes_on {
                        findings.push(file.finding(at, "write it relative to the repository"));
                    }
                }
            }
        }
        findings
    },
    // The escapes keep these lines from breaking the rule themselves.
    broken: &[
        (&[("README.md", "x\ncd \x2fhome\x2fme/goro")], "README.md:2:"),
        (&[(".ci/run", "cat \x2froot\x2fx")], ".ci/run:1:"),
    ],
    kept: &[&[(
        "README.md",
        "https://a.b/home/x, docs/work/x, $HOME/root/x, and `GET \x2fwork\x2f`",
    )]],
};

const FOLDERS: [&str; 5] =
    ["\x2fhome\x2f", "\x2froot\x2f", "\x2fwork\x2f", "\x2ffarm\x2f", "\x2ftmp\x2ftarget-"];
