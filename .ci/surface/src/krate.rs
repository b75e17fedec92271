//! One crate as rustdoc describes it, and its source text.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// A crate of ours.
pub(crate) struct Krate {
    pub(crate) json: Value,
    /// Where each item is defined, and what it is, to where it is listed.
    by_path: HashMap<(Vec<String>, String), String>,
}

/// All of our crates, by their names in code.
pub(crate) struct Krates {
    all: HashMap<String, Krate>,
    sources: HashMap<String, String>,
}

/// An item, and whose it is.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) krate: &'a Krate,
    pub(crate) json: &'a Value,
}

impl Krates {
    /// Reads the JSON of all crates in `folder`, and the sources that it names.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut krates = Self { all: HashMap::new(), sources: HashMap::new() };
        for entry in fs::read_dir(folder).expect("rustdoc has been run") {
            let path = entry.expect("a folder can be listed").path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !name.starts_with("goro") || path.extension().is_none_or(|it| it != "json") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("rustdoc's JSON can be read");
            let json: Value = serde_json::from_str(&text).expect("rustdoc's JSON is JSON");
            krates.read_sources(&json);
            krates.all.insert(name.to_owned(), Krate::new(json));
        }
        krates
    }

    fn read_sources(&mut self, json: &Value) {
        for item in json["index"].as_object().into_iter().flat_map(|index| index.values()) {
            if let Some(file) = item["span"]["filename"].as_str() {
                if !self.sources.contains_key(file) {
                    let text = fs::read_to_string(file).unwrap_or_default();
                    self.sources.insert(file.to_owned(), text);
                }
            }
        }
    }

    pub(crate) fn root(&self, name: &str) -> Item<'_> {
        let krate = &self.all[name];
        krate.item(&krate.json["root"]).expect("a crate has a root")
    }

    /// The item with this id; in another crate of ours, if it is from there. None if it is a stranger's.
    pub(crate) fn find<'a>(&'a self, krate: &'a Krate, id: &Value) -> Option<Item<'a>> {
        krate.item(id).or_else(|| {
            let summary = &krate.json["paths"][id.to_string()];
            let path: Vec<String> = strings(&summary["path"]).map(str::to_owned).collect();
            let home = self.all.get(path.first()?)?;
            if path.len() == 1 {
                return home.item(&home.json["root"]);
            }
            home.at(path, summary["kind"].as_str()?)
        })
    }

    /// The macro that has the same path as `module`, which one re-export names as well.
    pub(crate) fn namesake<'a>(&'a self, krate: &'a Krate, id: &Value) -> Option<Item<'a>> {
        let summary = &krate.json["paths"][id.to_string()];
        let path: Vec<String> = strings(&summary["path"]).map(str::to_owned).collect();
        let home = self.all.get(path.first()?)?;
        if summary["kind"] == "module" { home.at(path, "macro") } else { None }
    }

    /// The text of an item in its source.
    pub(crate) fn source(&self, item: Item<'_>) -> Option<&str> {
        let span = &item.json["span"];
        let text = self.sources.get(span["filename"].as_str()?)?;
        let begin = offset(text, &span["begin"])?;
        let end = offset(text, &span["end"])?;
        text.get(begin..end)
    }
}

impl Krate {
    fn new(json: Value) -> Self {
        let mut by_path = HashMap::new();
        for (id, summary) in json["paths"].as_object().into_iter().flatten() {
            if summary["crate_id"] == 0 {
                let path = strings(&summary["path"]).map(str::to_owned).collect();
                let kind = summary["kind"].as_str().unwrap_or_default().to_owned();
                by_path.insert((path, kind), id.clone());
            }
        }
        Self { json, by_path }
    }

    fn at(&self, path: Vec<String>, kind: &str) -> Option<Item<'_>> {
        let id = self.by_path.get(&(path, kind.to_owned()))?;
        Some(Item { krate: self, json: &self.json["index"][id] })
    }

    pub(crate) fn item(&self, id: &Value) -> Option<Item<'_>> {
        let json = self.json["index"].get(id.to_string())?;
        Some(Item { krate: self, json })
    }
}

impl<'a> Item<'a> {
    /// `struct`, `function`, `use` ..
    pub(crate) fn kind(self) -> &'a str {
        let inner = self.json["inner"].as_object().and_then(|inner| inner.keys().next());
        inner.map_or("", String::as_str)
    }

    pub(crate) fn inner(self) -> &'a Value {
        &self.json["inner"][self.kind()]
    }

    pub(crate) fn name(self) -> &'a str {
        self.json["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn docs(self) -> &'a str {
        self.json["docs"].as_str().unwrap_or_default()
    }

    pub(crate) fn is_public(self) -> bool {
        self.json["visibility"] == "public"
    }

    pub(crate) fn is_hidden(self) -> bool {
        self.json["attrs"].to_string().contains("doc(hidden)")
    }
}

/// The strings of an array.
pub(crate) fn strings(array: &Value) -> impl Iterator<Item = &str> {
    array.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The ids of an array.
pub(crate) fn ids(array: &Value) -> impl Iterator<Item = &Value> {
    array.as_array().into_iter().flatten().filter(|id| !id.is_null())
}

/// Lines and columns count from one, columns in characters.
fn offset(text: &str, place: &Value) -> Option<usize> {
    let line = usize::try_from(place[0].as_u64()?).ok()?.checked_sub(1)?;
    let column = usize::try_from(place[1].as_u64()?).ok()?.checked_sub(1)?;
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let in_line = text[start..].char_indices().nth(column).map(|(at, _)| at);
    Some(start + in_line.unwrap_or(text.len() - start))
}
