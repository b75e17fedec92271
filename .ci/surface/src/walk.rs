//! What can be reached from a crate's root by public names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::krate::{Item, Krates, ids, strings};
use crate::text::signature;

/// A public name.
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) line: String,
    pub(crate) kind: String,
    pub(crate) docs: String,
    /// The type or trait that it belongs to.
    pub(crate) owner: Option<String>,
}

struct Walk<'a> {
    krates: &'a Krates,
    entries: Vec<Entry>,
    /// Where something was listed: crate and id, to the path.
    seen: BTreeMap<(usize, String), String>,
}

/// Everything behind `root`, in the order of the names.
pub(crate) fn surface(krates: &Krates, root: &str) -> Vec<Entry> {
    let mut walk = Walk { krates, entries: Vec::new(), seen: BTreeMap::new() };
    let item = krates.root(root);
    walk.push(root, String::from("crate"), "module", item.docs(), None);
    // Modules first, so that an item has its home there, and the root's name refers to it.
    walk.module(item, root, true);
    walk.module(item, root, false);
    walk.entries.sort_by(|a, b| (&a.path, &a.line).cmp(&(&b.path, &b.line)));
    walk.entries.dedup_by(|a, b| a.path == b.path && a.line == b.line);
    walk.entries
}

impl<'a> Walk<'a> {
    fn module(&mut self, module: Item<'a>, path: &str, modules: bool) {
        for id in ids(&module.inner()["items"]) {
            let Some(item) = self.krates.find(module.krate, id) else { continue };
            if item.is_hidden() {
                continue;
            }
            if item.kind() == "use" {
                self.reexport(item, path, modules);
            } else if item.is_public() || item.kind() == "macro" {
                self.item(item, &format!("{path}::{}", item.name()), modules);
            }
        }
    }

    fn reexport(&mut self, reexport: Item<'a>, path: &str, modules: bool) {
        if !reexport.is_public() {
            return;
        }
        let inner = reexport.inner();
        let target = self.krates.find(reexport.krate, &inner["id"]);
        let name = inner["name"].as_str().unwrap_or_default();
        match target {
            Some(target) if inner["is_glob"] == true => {
                // A module's, or an enum's variants.
                self.module(target, path, modules);
                if !modules {
                    self.module(target, path, true);
                }
            }
            Some(target) => {
                self.item(target, &format!("{path}::{name}"), modules);
                if let Some(other) = self.krates.namesake(reexport.krate, &inner["id"]) {
                    self.item(other, &format!("{path}::{name}"), modules);
                }
            }
            None if !modules => {
                let line = format!("pub use {}", inner["source"].as_str().unwrap_or_default());
                self.push(&format!("{path}::{name}"), line, "use", "", None);
            }
            None => {}
        }
    }

    fn item(&mut self, item: Item<'a>, path: &str, modules: bool) {
        if (item.kind() == "module") != modules {
            return;
        }
        let key = (std::ptr::from_ref(item.krate).addr(), item.json["id"].to_string());
        if item.kind() == "module" {
            self.push(path, format!("pub mod {}", item.name()), "module", item.docs(), None);
            self.module(item, path, true);
            self.module(item, path, false);
            return;
        }
        if let Some(home) = self.seen.get(&key) {
            if home != path {
                let line = format!("= {home}");
                self.push(path, line, "same", "", None);
            }
            return;
        }
        self.seen.insert(key, path.to_owned());
        self.one(item, path, None);
        self.parts(item, path);
    }

    /// An item by itself.
    fn one(&mut self, item: Item<'a>, path: &str, owner: Option<&str>) {
        let line = match item.kind() {
            "macro" => "macro".to_owned(),
            "proc_macro" => "attribute macro".to_owned(),
            _ => signature(self.krates, item),
        };
        self.push(path, line, item.kind(), item.docs(), owner);
    }

    /// What belongs to an item: fields, variants, methods, traits.
    fn parts(&mut self, item: Item<'a>, path: &str) {
        let inner = item.inner();
        let fields = &inner["kind"]["plain"]["fields"];
        for list in [fields, &inner["kind"]["tuple"], &inner["variants"], &inner["items"]] {
            for id in ids(list) {
                if let Some(part) = self.krates.find(item.krate, id) {
                    let of_trait = item.kind() == "trait" || item.kind() == "enum";
                    if (part.is_public() || of_trait) && !part.is_hidden() {
                        self.one(part, &format!("{path}::{}", part.name()), Some(path));
                    }
                }
            }
        }
        let mut auto = Vec::new();
        for id in ids(&inner["impls"]) {
            let Some(part) = self.krates.find(item.krate, id) else { continue };
            let block = part.inner();
            if block["is_synthetic"] == true {
                auto.extend(auto_trait(block));
            } else if block["blanket_impl"].is_null() {
                self.block(part, path);
            }
        }
        auto.sort();
        if !auto.is_empty() {
            self.push(path, format!("auto {}", auto.join(", ")), "auto", "", Some(path));
        }
    }

    fn block(&mut self, block: Item<'a>, path: &str) {
        let inner = block.inner();
        let items = || ids(&inner["items"]).filter_map(|id| self.krates.find(block.krate, id));
        if inner["trait"].is_null() {
            let methods: Vec<Item<'a>> = items().filter(|item| item.is_public()).collect();
            for method in methods.into_iter().filter(|method| !method.is_hidden()) {
                self.one(method, &format!("{path}::{}", method.name()), Some(path));
            }
            return;
        }
        let name = strings_last(&inner["trait"]["path"]);
        let text = signature(self.krates, block);
        if ["Drop", "StructuralPartialEq"].contains(&name.as_str()) {
            return;
        }
        // What is derived has no text of its own.
        let line = if text.starts_with("pub impl") { format!("impl {name}") } else { text };
        let types: Vec<String> = items()
            .filter(|item| item.kind() == "assoc_type")
            .map(|item| signature(self.krates, item))
            .collect();
        let line =
            if types.is_empty() { line } else { format!("{line} {{ {} }}", types.join("; ")) };
        self.push(path, line, "impl", "", Some(path));
    }

    fn push(&mut self, path: &str, line: String, kind: &str, docs: &str, owner: Option<&str>) {
        self.entries.push(Entry {
            path: path.to_owned(),
            line,
            kind: kind.to_owned(),
            docs: docs.to_owned(),
            owner: owner.map(str::to_owned),
        });
    }
}

/// `Send`, `!Sync`, `Unpin if ..`: the two that users choose by, and whether it may be moved.
fn auto_trait(block: &Value) -> Option<String> {
    let name = strings_last(&block["trait"]["path"]);
    if !["Send", "Sync", "Unpin"].contains(&name.as_str()) {
        return None;
    }
    let generics = &block["generics"];
    let params = generics["params"].as_array().into_iter().flatten();
    let bounded = params.into_iter().any(|param| {
        param["kind"]["type"]["bounds"].as_array().is_some_and(|bounds| {
            bounds.iter().any(|bound| {
                !bound["trait_bound"].is_null() && bound["trait_bound"]["modifier"] == "none"
            })
        })
    });
    let bounded =
        bounded || generics["where_predicates"].as_array().is_some_and(|it| !it.is_empty());
    Some(match (block["is_negative"] == true, bounded) {
        (true, _) => format!("!{name}"),
        (false, true) => format!("{name} with bounds"),
        (false, false) => name,
    })
}

/// The last part of a path that is a string, or a list.
fn strings_last(path: &Value) -> String {
    let whole = path.as_str().unwrap_or_else(|| strings(path).last().unwrap_or_default());
    whole.rsplit("::").next().unwrap_or_default().to_owned()
}
