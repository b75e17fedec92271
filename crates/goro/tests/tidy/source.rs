//! Rust text, with comments and the contents of literals told apart from code.
//!
//! Invariant: [`Source::code`] and [`Source::comments`] are as long as the text, byte for byte,
//! with blanks in place of what is left out, so that an offset means the same in all three.

use std::ops::Range;

/// One file's code.
pub(crate) struct Source {
    pub(crate) code: String,
    pub(crate) comments: String,
    pub(crate) functions: Vec<Function>,
    /// Items under `#[cfg(test)]` and its like.
    pub(crate) test_regions: Vec<Range<usize>>,
    /// Names of modules declared `#[cfg(test)] mod name;`.
    pub(crate) test_modules: Vec<String>,
}

/// A function that has a body.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Where its attributes begin.
    pub(crate) start: usize,
    /// Where the word `fn` stands.
    pub(crate) keyword: usize,
    /// The body, braces included.
    pub(crate) body: Range<usize>,
}

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        let (code, comments) = split(text);
        let functions = words(&code, "fn").filter_map(|at| function(&code, at)).collect();
        let (test_regions, test_modules) = for_tests(&code);
        Self { code, comments, functions, test_regions, test_modules }
    }

    /// Whether the whole file is under an inner `#![cfg(test)]`.
    pub(crate) fn is_for_tests(&self) -> bool {
        attributes(&self.code, "#![").any(|range| is_test_cfg(&self.code[range]))
    }

    /// The innermost function round `offset`.
    pub(crate) fn function_at(&self, offset: usize) -> Option<&Function> {
        let around = self.functions.iter().filter(|function| function.body.contains(&offset));
        around.min_by_key(|function| function.body.len())
    }

    /// Where `word` stands in the code as a word of its own.
    pub(crate) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        words(&self.code, word)
    }
}

/// Where `word` stands in `code` with no letter, digit or underscore next to it.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        !code[..at].ends_with(in_word) && !code[at + word.len()..].starts_with(in_word)
    })
}

/// The end of the group whose opening brace, bracket or parenthesis stands at `open`.
pub(crate) fn group_end(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The first of `marks` after `from` that stands in no group.
pub(crate) fn find_outside_groups(code: &str, from: usize, marks: &[u8]) -> Option<usize> {
    let mut at = from;
    while let Some(&byte) = code.as_bytes().get(at) {
        if marks.contains(&byte) {
            return Some(at);
        }
        at = match byte {
            b'{' | b'[' | b'(' => group_end(code, at)?,
            b'}' | b']' | b')' => return None,
            _ => at + 1,
        };
    }
    None
}

/// Every attribute that opens with `opening` (`#[` or `#![`), fences included.
pub(crate) fn attributes<'a>(
    code: &'a str,
    opening: &'a str,
) -> impl Iterator<Item = Range<usize>> + 'a {
    code.match_indices(opening)
        .filter_map(move |(at, _)| Some(at..group_end(code, at + opening.len() - 1)?))
}

fn function(code: &str, keyword: usize) -> Option<Function> {
    let after = code[keyword + 2..].trim_start();
    let name_length = after.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let name = after[..name_length].to_owned();
    if name.is_empty() {
        return None;
    }
    let open = find_outside_groups(code, keyword, b"{;")?;
    if code.as_bytes()[open] == b';' {
        return None;
    }
    // Attributes and qualifiers reach back to the end of whatever stands before.
    let start = code[..keyword].rfind(['{', '}', ';']).map_or(0, |end| end + 1);
    Some(Function { name, start, keyword, body: open..group_end(code, open)? })
}

fn for_tests(code: &str) -> (Vec<Range<usize>>, Vec<String>) {
    let mut regions = Vec::new();
    let mut modules = Vec::new();
    for attribute in attributes(code, "#[") {
        if !is_test_cfg(&code[attribute.clone()]) {
            continue;
        }
        let mut item = attribute.end;
        while code[item..].trim_start().starts_with("#[") {
            let open = item + code[item..].find('[').expect("just seen");
            let Some(end) = group_end(code, open) else { break };
            item = end;
        }
        let Some(end) = find_outside_groups(code, item, b"{;") else { continue };
        if code.as_bytes()[end] == b'{' {
            regions.push(attribute.start..group_end(code, end).unwrap_or(code.len()));
        } else if let Some(at) = words(&code[item..end], "mod").next() {
            modules.push(code[item + at + 3..end].trim().to_owned());
        } else {
            regions.push(attribute.start..end + 1);
        }
    }
    (regions, modules)
}

/// Whether an attribute compiles its item for tests, models or the fuzzer only.
fn is_test_cfg(attribute: &str) -> bool {
    let inside = attribute.trim_start_matches(['#', '!', '[']).trim_end_matches(']').trim();
    group(inside, "cfg").is_some_and(holds_in_tests_only)
}

fn holds_in_tests_only(predicate: &str) -> bool {
    if let Some(alternatives) = group(predicate, "any") {
        return parts(alternatives).all(holds_in_tests_only);
    }
    match group(predicate, "all") {
        Some(all) => parts(all).any(holds_in_tests_only),
        None => ["test", "loom", "fuzzing"].contains(&predicate),
    }
}

/// What stands in the parentheses of `name(...)`, if `text` is that.
fn group<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

/// The parts of a list, each of which may be a group.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([',', ' ', '\n']);
        let end = find_outside_groups(rest, 0, b",").unwrap_or(rest.len());
        let part = rest[..end].trim();
        rest = &rest[end..];
        (!part.is_empty()).then_some(part)
    })
}

/// Copies `text` twice: code with blanks for comments and contents of literals, and comments with
/// blanks for everything else.
fn split(text: &str) -> (String, String) {
    let mut code = Vec::with_capacity(text.len());
    let mut comments = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (kind, length) = next_piece(text, at);
        for &byte in &text.as_bytes()[at..at + length] {
            let blank = if byte == b'\n' { b'\n' } else { b' ' };
            code.push(if kind == Piece::Code { byte } else { blank });
            comments.push(if kind == Piece::Comment { byte } else { blank });
        }
        at += length;
    }
    let utf8 = |bytes| String::from_utf8(bytes).expect("pieces end between characters");
    (utf8(code), utf8(comments))
}

#[derive(PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    Literal,
}

/// The kind and length of what stands at `at`.
fn next_piece(text: &str, at: usize) -> (Piece, usize) {
    let rest = &text[at..];
    let first = rest.chars().next().expect("not at the end");
    let follows_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        (Piece::Comment, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (Piece::Comment, block_comment(rest))
    } else if let Some(length) = raw_string(rest).filter(|_| !follows_word) {
        (Piece::Literal, length)
    } else if first == '"' {
        (Piece::Literal, quoted(rest, '"'))
    } else if first == '\'' && is_character(rest) {
        (Piece::Literal, quoted(rest, '\''))
    } else {
        (Piece::Code, first.len_utf8())
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a raw string at the start of `rest`, if there is one.
fn raw_string(rest: &str) -> Option<usize> {
    let after = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    if !after[hashes..].starts_with('"') {
        return None;
    }
    let open = rest.len() - after.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len()))
}

/// The length of a literal that opens and closes with `quote` and may escape it.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Whether the quote at the start of `rest` opens a character and not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    matches!((chars.next(), chars.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

#[test]
fn comments_and_literals_are_told_from_code() {
    let text = r####"a("fn // x", 'f', '\'', b'"'); // c "d"
/* e /* f */ g */ h(r#"i " j"#, br"k\"); let l: &'static str = "\"m";"####;
    let source = Source::new(text);
    assert_eq!(source.code.len(), text.len());
    let squeezed = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeezed(&source.code), "a( , , , b ); h( , ); let l: &'static str = ;");
    assert_eq!(squeezed(&source.comments), "// c \"d\" /* e /* f */ g */");
}

#[test]
fn functions_have_their_attributes_and_bodies() {
    let text = "trait T { fn none(&self) -> [u8; 3]; }\n#[x] pub fn a(f: fn(u8)) -> [u8; 2] { {} }";
    let source = Source::new(text);
    let [a] = source.functions.as_slice() else { panic!("one has a body") };
    assert_eq!(a.name, "a");
    assert_eq!(&text[a.body.clone()], "{ {} }");
    assert_eq!(text[a.start..a.keyword].trim(), "#[x] pub");
    assert!(source.function_at(a.body.start).is_some() && source.function_at(0).is_none());
}

#[test]
fn items_for_tests_are_known() {
    let text = "#[cfg(test)] mod fake;\n#[cfg(all(test, not(loom)))] mod x {}\nfn a() {}\n\
                #[cfg(all(test, loom))] #[allow(x)] mod models { fn b() {} }\n\
                #[cfg(not(test))] mod real { fn c() {} } #[cfg(any(test, unix))] fn d() {}";
    let source = Source::new(text);
    assert_eq!(source.test_modules, ["fake"]);
    let is_test = |name: &str| {
        let function = source.functions.iter().find(|function| function.name == name).unwrap();
        source.test_regions.iter().any(|region| region.contains(&function.keyword))
    };
    assert_eq!(["a", "b", "c", "d"].map(is_test), [false, true, false, false]);
}

#[test]
fn only_what_holds_in_no_shipped_build_is_for_tests() {
    for cfg in [
        "#[cfg(test)]",
        "#![cfg(loom)]",
        "#[cfg(all(test, not(loom)))]",
        "#[cfg(any(test, fuzzing))]",
        "#[cfg(all(any(all(test, not(loom)), fuzzing), unix))]",
    ] {
        assert!(is_test_cfg(cfg), "{cfg}");
    }
    for cfg in [
        "#[cfg(not(test))]",
        "#[cfg(any(test, unix))]",
        "#[cfg(all(unix, not(loom)))]",
        "#[cfg_attr(test, derive(Debug))]",
        "#[cfg(feature = \"test\")]",
    ] {
        assert!(!is_test_cfg(cfg), "{cfg}");
    }
}
