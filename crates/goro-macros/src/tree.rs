//! Tokens as the parser sees them.
//!
//! Invariant: nothing but `compiler` names `proc_macro`, whose types exist only while the compiler
//! runs a macro. Everything else is written against [`Tree`], so that its tests can run on the
//! tokens of a string.

/// One token, or one delimited group of tokens.
pub(crate) trait Tree: Clone {
    /// Where a token stands in the user's file.
    type Span: Copy;

    /// Where this one stands.
    fn span(&self) -> Self::Span;

    /// What this one is.
    fn shape(&self) -> Shape<Self>;

    /// Whether this is the word `text`; a raw word (`r#fn`) is not.
    fn is_word(&self, text: &str) -> bool {
        matches!(self.shape(), Shape::Word(word) if word == text)
    }

    /// Whether this is the punctuation character `mark`.
    fn is_mark(&self, mark: char) -> bool {
        matches!(self.shape(), Shape::Mark(found) if found == mark)
    }

    /// The contents, if this is a group between `fence`s.
    fn inside(&self, fence: Fence) -> Option<Vec<Self>> {
        match self.shape() {
            Shape::Group(found, contents) if found == fence => Some(contents),
            _ => None,
        }
    }

    /// Without the invisible fences that a `macro_rules!` puts round what it captured.
    fn bare(&self) -> Self {
        match self.inside(Fence::Invisible).as_deref() {
            Some([only]) => only.bare(),
            _ => self.clone(),
        }
    }
}

/// What a [`Tree`] is.
pub(crate) enum Shape<T> {
    /// An identifier or keyword.
    Word(String),
    /// One punctuation character.
    Mark(char),
    /// A literal as it is written.
    Literal(String),
    /// Tokens between two fences.
    Group(Fence, Vec<T>),
}

/// What stands round a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fence {
    Parentheses,
    Brackets,
    Braces,
    Invisible,
}

/// Why the tokens cannot be accepted, and where.
#[derive(Debug)]
pub(crate) struct Refusal<S> {
    /// The token that is wrong; the attribute itself when there is none.
    pub(crate) at: Option<S>,
    /// What is wrong and what to write instead.
    pub(crate) message: String,
}

impl<S> Refusal<S> {
    /// Refuses the token at `at`.
    pub(crate) fn at(at: S, message: impl Into<String>) -> Self {
        Self { at: Some(at), message: message.into() }
    }
}
