//! An item's signature, as it is written in its source.
//!
//! Taken from the text, since rustdoc's description of types changes from version to version, and
//! its spans do not. What a macro wrote has no text of its own, and is put together from that description.

use crate::krate::{Item, Krates};
use crate::shape;

/// The signature of `item`: its text up to its body, on one line.
pub(crate) fn signature(krates: &Krates, item: Item<'_>) -> String {
    let word = match item.kind() {
        "function" => "fn",
        "assoc_type" | "type_alias" => "type",
        "constant" | "assoc_const" => "const",
        kind @ ("struct" | "enum" | "trait" | "union" | "static") => kind,
        "impl" => "impl",
        _ => "",
    };
    let text = krates.source(item).unwrap_or_default();
    let code = without_comments(text);
    if word.is_empty() {
        let own = code.trim_start_matches("pub ").starts_with(item.name());
        return if own { on_one_line(&code) } else { shape::signature(item) };
    }
    let named = if word == "impl" { "impl".to_owned() } else { format!("{word} {}", item.name()) };
    let found = begin(&code, &named).map(|at| &code[at..]);
    let Some(code) = found else { return shape::signature(item) };
    let end = match word {
        "type" | "const" => code.find(';'),
        "struct" => fields(code),
        _ => body(code),
    };
    on_one_line(&code[..end.unwrap_or(code.len())])
}

/// Where the item begins that `named` is in, with what stands before the name.
fn begin(code: &str, named: &str) -> Option<usize> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole = |at: &usize| {
        !code[..*at].ends_with(in_word) && !code[at + named.len()..].starts_with(in_word)
    };
    let at = code.match_indices(named).map(|(at, _)| at).find(is_whole)?;
    let line = code[..at].rfind(['\n', '{', '}', ';', ']']).map_or(0, |end| end + 1);
    Some(line)
}

/// Where the body begins: a brace, or a semicolon, that stands in no bracket.
fn body(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '{' | ';' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Where the fields of a struct begin.
fn fields(code: &str) -> Option<usize> {
    let mut angles = 0_i32;
    let mut before = ' ';
    for (at, c) in code.char_indices() {
        match c {
            '<' => angles += 1,
            '>' if before != '-' => angles -= 1,
            '(' | '{' | ';' if angles == 0 && !code[..at].ends_with("pub") => return Some(at),
            _ => {}
        }
        before = c;
    }
    None
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("//") && !line.starts_with("#[")
    });
    lines.map(|line| line.split(" //").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// However the lines were broken, and without what is the body's business.
fn on_one_line(code: &str) -> String {
    let mut line = code.split_whitespace().collect::<Vec<_>>().join(" ");
    for (from, to) in [
        ("( ", "("),
        (", )", ")"),
        (",)", ")"),
        (" )", ")"),
        ("< ", "<"),
        (", >", ">"),
        (" .", "."),
        ("(mut ", "("),
        (", mut ", ", "),
        (", }", " }"),
    ] {
        line = line.replace(from, to);
    }
    line.trim_end_matches([' ', ',']).to_owned()
}
