//! Every decision has a page, and every page stands in the list.

use crate::Rule;

const FOLDER: &str = "docs/decisions/";

pub(crate) const LISTED: Rule = Rule {
    wants: "docs/decisions/README.md lists every decision's page.",
    check: |house| {
        let list = house.file("docs/decisions/README.md").map_or("", |file| &file.text);
        let pages = house.files.iter().filter_map(|file| {
            let name = file.path.strip_prefix(FOLDER)?;
            (name != "README.md" && name.ends_with(".md")).then_some((file, name))
        });
        pages
            .filter(|(_, name)| !list.contains(&format!("]({name})")))
            .map(|(file, name)| file.finding(0, format!("link {name} from {FOLDER}README.md")))
            .collect()
    },
    broken: &[(
        &[("docs/decisions/README.md", "b.md"), ("docs/decisions/b.md", "")],
        "docs/decisions/b.md:1:",
    )],
    kept: &[&[("docs/decisions/README.md", "[B](b.md)"), ("docs/decisions/b.md", "")]],
};
