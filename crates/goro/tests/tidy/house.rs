//! The repository as the rules see it.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::source::Source;

/// All files of the repository that are text of ours.
pub(crate) struct House {
    pub(crate) files: Vec<File>,
}

/// One file.
pub(crate) struct File {
    /// From the repository's root, with `/` on every platform.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The code, if it is Rust.
    pub(crate) source: Option<Source>,
    /// A Rust file that is compiled for tests only: by its folder, or by how it is declared.
    pub(crate) only_for_tests: bool,
}

/// A place that breaks a rule, and what to do about it.
pub(crate) struct Finding {
    path: String,
    line: usize,
    fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.fix)
    }
}

/// What is ours and text; a file without an extension is read when it is listed here by name.
const TEXT: [&str; 8] = ["rs", "md", "toml", "sh", "yml", "yaml", "svg", "stderr"];
const TEXT_BY_NAME: [&str; 3] = [".ci/run", ".gitignore", "LICENSE"];

impl House {
    /// Reads the repository this test belongs to.
    pub(crate) fn on_disk() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = Vec::new();
        walk(&root, "", &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self::with(files)
    }

    /// A repository of a few lines.
    pub(crate) fn of(sample: crate::Sample) -> Self {
        Self::with(sample.iter().map(|(path, text)| File::new((*path).into(), (*text).into())))
    }

    fn with(files: impl IntoIterator<Item = File>) -> Self {
        let mut files: Vec<File> = files.into_iter().collect();
        let stems: Vec<String> = files.iter().flat_map(File::test_modules).collect();
        for file in &mut files {
            file.only_for_tests |= stems.iter().any(|stem| {
                let rest = file.path.strip_prefix(stem.as_str());
                rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
        }
        Self { files }
    }

    /// The Rust files, with their code.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.source.as_ref()?)))
    }

    /// The Rust files that users compile: what stands in a crate's `src`.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.rust().filter(|(file, _)| file.folder().is_some_and(|(_, inside)| inside == "src"))
    }

    /// The file at `path`.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    fn new(path: String, text: String) -> Self {
        let source = path.ends_with(".rs").then(|| Source::new(&text));
        let only_for_tests = path.contains("/tests/")
            || path.starts_with("benches/")
            || path.starts_with("examples/")
            || path.contains("/benches/")
            || source.as_ref().is_some_and(Source::is_for_tests);
        Self { path, text, source, only_for_tests }
    }

    /// The crate's folder under `crates/`, and the folder inside it: `("goro-task", "src")`.
    pub(crate) fn folder(&self) -> Option<(&str, &str)> {
        let mut parts = self.path.strip_prefix("crates/")?.split('/');
        Some((parts.next()?, parts.next()?))
    }

    /// Whether the code at `offset` is compiled for tests only.
    pub(crate) fn is_test(&self, offset: usize) -> bool {
        self.only_for_tests
            || self.source.as_ref().is_some_and(|source| {
                source.test_regions.iter().any(|region| region.contains(&offset))
            })
    }

    /// A finding at the line of `offset`.
    pub(crate) fn finding(&self, offset: usize, fix: impl Into<String>) -> Finding {
        let line = self.text[..offset].matches('\n').count() + 1;
        Finding { path: self.path.clone(), line, fix: fix.into() }
    }

    /// Where the modules stand that this file declares for tests, without `.rs`.
    fn test_modules(&self) -> Vec<String> {
        let Some(source) = &self.source else { return Vec::new() };
        let folder = match self.path.rsplit_once('/') {
            Some((folder, "lib.rs" | "main.rs")) => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        source.test_modules.iter().map(|name| format!("{folder}/{name}")).collect()
    }
}

fn walk(root: &Path, folder: &str, files: &mut Vec<File>) {
    let entries = fs::read_dir(root.join(folder)).expect("the repository can be read");
    for entry in entries {
        let entry = entry.expect("the repository can be read");
        let name = entry.file_name().into_string().expect("our names are UTF-8");
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.file_type().expect("the repository can be read").is_dir() {
            let hidden = name.starts_with('.') && name != ".ci" && name != ".config";
            let built = name.starts_with("target") || path == "benches/out";
            if !hidden && !built {
                walk(root, &path, files);
            }
        } else if is_text(&path) {
            let text = fs::read_to_string(entry.path()).expect("our text is UTF-8");
            files.push(File::new(path, text));
        }
    }
}

fn is_text(path: &str) -> bool {
    TEXT_BY_NAME.contains(&path)
        || path.rsplit_once('.').is_some_and(|(_, extension)| TEXT.contains(&extension))
}
