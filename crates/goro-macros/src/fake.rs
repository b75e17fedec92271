//! Tokens of a string, for the parser's tests: outside of a compiler there are no others.
//!
//! Invisible fences are written `«` and `»`. A span is the byte at which a token starts.

use crate::expansion::Piece;
use crate::tree::{Fence, Shape, Tree};

/// A token of a test's string.
#[derive(Clone, Debug)]
pub(crate) struct Fake {
    at: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Word(String),
    Mark(char),
    Literal(String),
    Group(Fence, Vec<Fake>),
}

impl Tree for Fake {
    type Span = usize;

    fn span(&self) -> usize {
        self.at
    }

    fn shape(&self) -> Shape<Self> {
        match self.kind.clone() {
            Kind::Word(text) => Shape::Word(text),
            Kind::Mark(mark) => Shape::Mark(mark),
            Kind::Literal(text) => Shape::Literal(text),
            Kind::Group(fence, contents) => Shape::Group(fence, contents),
        }
    }
}

const FENCES: [(Fence, char, char); 4] = [
    (Fence::Parentheses, '(', ')'),
    (Fence::Brackets, '[', ']'),
    (Fence::Braces, '{', '}'),
    (Fence::Invisible, '\u{ab}', '\u{bb}'),
];

/// Cuts `source` into tokens.
pub(crate) fn tokens(source: &str) -> Vec<Fake> {
    let mut at = 0;
    let tokens = until(source, &mut at, None);
    assert_eq!(at, source.len(), "a fence closes that was not opened: {source}");
    tokens
}

fn until(source: &str, at: &mut usize, close: Option<char>) -> Vec<Fake> {
    let mut tokens = Vec::new();
    while let Some(first) = source[*at..].chars().next() {
        if FENCES.iter().any(|fence| fence.2 == first) {
            assert_eq!(close, Some(first), "byte {at} of {source}");
            break;
        }
        let start = *at;
        let kind = if first.is_whitespace() {
            *at += first.len_utf8();
            continue;
        } else if let Some(&(fence, open, close)) = FENCES.iter().find(|fence| fence.1 == first) {
            *at += open.len_utf8();
            let contents = until(source, at, Some(close));
            *at += close.len_utf8();
            Kind::Group(fence, contents)
        } else if first == '"' {
            *at += 2 + source[start + 1..].find('"').expect("the string ends");
            Kind::Literal(source[start..*at].to_owned())
        } else if first.is_alphanumeric() || first == '_' {
            // `4.0` is one literal; a word has no dot.
            let in_word =
                |c: char| c.is_alphanumeric() || c == '_' || (first.is_numeric() && c == '.');
            *at += source[start..].find(|c| !in_word(c)).unwrap_or(source.len() - start);
            let text = source[start..*at].to_owned();
            if first.is_numeric() { Kind::Literal(text) } else { Kind::Word(text) }
        } else {
            *at += first.len_utf8();
            Kind::Mark(first)
        };
        tokens.push(Fake { at: start, kind });
    }
    tokens
}

/// Tokens as text, one blank between two of them.
pub(crate) fn text(tokens: &[Fake]) -> String {
    let written = |token: &Fake| match &token.kind {
        Kind::Word(text) | Kind::Literal(text) => text.clone(),
        Kind::Mark(mark) => mark.to_string(),
        Kind::Group(fence, contents) => {
            let (open, close) = fences(*fence);
            format!("{open}{}{close}", text(contents))
        }
    };
    tokens.iter().map(written).collect::<Vec<_>>().join(" ")
}

/// Output as text, one blank between two parts of it.
pub(crate) fn written(pieces: &[Piece<Fake>]) -> String {
    let one = |piece: &Piece<Fake>| match piece {
        Piece::Kept(kept) => text(kept),
        Piece::Code(code) => code.clone(),
        Piece::Group(fence, inside) => {
            let (open, close) = fences(*fence);
            format!("{open} {} {close}", written(inside))
        }
    };
    pieces.iter().map(one).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

fn fences(fence: Fence) -> (char, char) {
    let (_, open, close) = FENCES.into_iter().find(|row| row.0 == fence).expect("all are listed");
    (open, close)
}
