//! The little of a `Cargo.toml` that the rules need: which table names which dependency.

/// A dependency as a manifest names it.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// The package, also where the manifest calls it something else.
    pub(crate) package: String,
    /// Where its line starts.
    pub(crate) offset: usize,
}

/// Every dependency of a package's manifest: those of tests, of build scripts and of single
/// platforms too.
pub(crate) fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut in_table = false;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let name = named_in(header);
            in_table = name == Some("");
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                found.push(Dependency { package: name.to_owned(), offset: start });
            }
        } else if in_table && !line.starts_with('#') {
            if let Some((key, value)) = line.split_once('=') {
                let renamed =
                    value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
                let name = renamed.unwrap_or_else(|| key.split('.').next().unwrap_or(key).trim());
                found.push(Dependency { package: name.to_owned(), offset: start });
            }
        }
    }
    found
}

/// The dependency that a table's header names, empty if the table holds many; `None` if it holds
/// no dependencies.
fn named_in(header: &str) -> Option<&str> {
    if header.starts_with("workspace") {
        return None;
    }
    ["dev-dependencies", "build-dependencies", "dependencies"].iter().find_map(|table| {
        let (before, after) = header.split_once(table)?;
        let whole = before.is_empty() || before.ends_with('.');
        let name = after.strip_prefix('.').unwrap_or(after);
        whole.then_some(name)
    })
}

/// The package's name and where it stands.
pub(crate) fn package(text: &str) -> Option<&str> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("name"))?;
    line.split('"').nth(1)
}

#[test]
fn every_table_of_dependencies_is_read() {
    let text = "[package]\nname = \"x\"\n[dependencies]\n# no = 1\na = 1\nb.workspace = true\n\
                r = { package = \"c\" }\n[features]\nf = []\n[target.'cfg(loom)'.dependencies]\n\
                d = 1\n[dev-dependencies.e]\npath = \"z\"\n[build-dependencies]\ng = 1\n\
                [workspace.dependencies]\nh = 1\n";
    let found: Vec<_> = dependencies(text).into_iter().map(|found| found.package).collect();
    assert_eq!(found, ["a", "b", "c", "d", "e", "g"]);
    assert_eq!(package(text), Some("x"));
}
