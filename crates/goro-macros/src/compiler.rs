//! Where the parser meets the compiler: `proc_macro`'s tokens in, `proc_macro`'s tokens out.
//!
//! Invariant: tokens of the user's go through unchanged; tokens of this crate's carry the span of
//! the attribute.

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::entry::Entry;
use crate::expansion::{self, Piece};
use crate::tree::{Fence, Refusal, Shape, Tree};
use crate::{arguments, function};

/// Expands one attribute.
pub(crate) fn rewrite(entry: Entry, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments: Vec<TokenTree> = arguments.into_iter().collect();
    let item: Vec<TokenTree> = item.into_iter().collect();
    let read = arguments::parse(entry, &arguments).and_then(|arguments| {
        let function = function::parse(entry, arguments.shutdown, &item)?;
        Ok((arguments, function))
    });
    match read {
        Ok((arguments, function)) => emit(expansion::expand(entry, &arguments, function)),
        Err(refusal) => {
            let mut tokens = error(&refusal);
            tokens.extend(emit(expansion::in_place_of_refused(function::name(&item))));
            tokens
        }
    }
}

impl Tree for TokenTree {
    type Span = Span;

    fn span(&self) -> Span {
        Self::span(self)
    }

    fn shape(&self) -> Shape<Self> {
        match self {
            Self::Ident(word) => Shape::Word(word.to_string()),
            Self::Punct(mark) => Shape::Mark(mark.as_char()),
            Self::Literal(literal) => Shape::Literal(literal.to_string()),
            Self::Group(group) => {
                let fence = match group.delimiter() {
                    Delimiter::Parenthesis => Fence::Parentheses,
                    Delimiter::Bracket => Fence::Brackets,
                    Delimiter::Brace => Fence::Braces,
                    Delimiter::None => Fence::Invisible,
                };
                Shape::Group(fence, group.stream().into_iter().collect())
            }
        }
    }
}

fn emit(pieces: Vec<Piece<TokenTree>>) -> TokenStream {
    let mut tokens = TokenStream::new();
    for piece in pieces {
        match piece {
            Piece::Kept(kept) => tokens.extend(kept),
            Piece::Code(text) => {
                let code: TokenStream = text.parse().expect("this crate's own text is balanced");
                tokens.extend(code);
            }
            Piece::Group(fence, inside) => {
                let delimiter = match fence {
                    Fence::Parentheses => Delimiter::Parenthesis,
                    Fence::Brackets => Delimiter::Bracket,
                    Fence::Braces => Delimiter::Brace,
                    Fence::Invisible => Delimiter::None,
                };
                tokens.extend([TokenTree::from(Group::new(delimiter, emit(inside)))]);
            }
        }
    }
    tokens
}

/// `::core::compile_error! { "message" }`, every token of it at the token that was refused.
fn error(refusal: &Refusal<Span>) -> TokenStream {
    let at = refusal.at.unwrap_or_else(Span::call_site);
    let placed = |mut tree: TokenTree| {
        tree.set_span(at);
        tree
    };
    let message = TokenStream::from(placed(Literal::string(&refusal.message).into()));
    [
        Punct::new(':', Spacing::Joint).into(),
        Punct::new(':', Spacing::Alone).into(),
        Ident::new("core", at).into(),
        Punct::new(':', Spacing::Joint).into(),
        Punct::new(':', Spacing::Alone).into(),
        Ident::new("compile_error", at).into(),
        Punct::new('!', Spacing::Alone).into(),
        Group::new(Delimiter::Brace, message).into(),
    ]
    .into_iter()
    .map(placed)
    .collect()
}
