//! The head of the function under the attribute.
//!
//! Reads no more than needed to tell attributes, visibility and name from the rest; return type
//! and body are carried on unread.
//!
//! Invariant: the trees of a [`Function`] are the user's own, spans and all.

use crate::entry::Entry;
use crate::tree::{Fence, Refusal, Shape, Tree};

/// An `async fn` without generics, and without arguments but the one that may be allowed, taken apart.
pub(crate) struct Function<T> {
    /// Its attributes, doc comments among them.
    pub(crate) attributes: Vec<T>,
    pub(crate) visibility: Vec<T>,
    /// The word `async`.
    pub(crate) asynchronous: T,
    /// From the word `fn` to the end of the return type.
    pub(crate) head: Vec<T>,
    pub(crate) name: T,
    /// The head of a function of this name and type without arguments, if it has one.
    pub(crate) outer: Option<Outer<T>>,
    pub(crate) body: T,
}

/// What stands before a function's arguments, and after them.
pub(crate) struct Outer<T> {
    pub(crate) before: Vec<T>,
    pub(crate) after: Vec<T>,
}

/// Takes the item under the attribute apart, which may take an argument if it `may_take` one.
pub(crate) fn parse<T: Tree>(
    entry: Entry,
    may_take: bool,
    item: &[T],
) -> Result<Function<T>, Refusal<T::Span>> {
    let (attributes, rest) = attributes(entry, item)?;
    let (visibility, rest) = visibility(rest);
    let (asynchronous, rest) = qualifiers(entry, rest)?;
    let [keyword, name, after_name @ ..] = rest else {
        return Err(refuse_item(entry, rest.first().map(Tree::span)));
    };
    let Shape::Word(text) = name.shape() else {
        return Err(refuse_item(entry, Some(name.span())));
    };
    let Some(asynchronous) = asynchronous else {
        let message = format!("{} drives a future: write `async fn {text}`", entry.attribute());
        return Err(Refusal::at(keyword.span(), message));
    };
    if entry == Entry::Main && text != "main" {
        let message = "#[goro::main] belongs on `async fn main`: anywhere else call \
                       `goro::block_on(async { .. })`";
        return Err(Refusal::at(name.span(), message));
    }
    let (body, signature_rest) = signature(entry, may_take, (&text, name), after_name)?;
    let [arguments, after @ ..] = signature_rest else {
        return Err(refuse_item(entry, Some(name.span())));
    };
    let takes = arguments.inside(Fence::Parentheses).is_some_and(|inside| !inside.is_empty());
    let outer =
        takes.then(|| Outer { before: vec![keyword.clone(), name.clone()], after: after.to_vec() });
    let head = [keyword, name].into_iter().chain(signature_rest).cloned().collect();
    Ok(Function {
        attributes: attributes.to_vec(),
        visibility: visibility.to_vec(),
        asynchronous,
        head,
        name: name.clone(),
        outer,
        body,
    })
}

/// The name of the item if it has the outline of a function, for what is emitted beside an error.
pub(crate) fn name<T: Tree>(item: &[T]) -> Option<T> {
    let keyword = item.iter().position(|tree| tree.is_word("fn"))?;
    item.get(keyword + 1).filter(|tree| matches!(tree.shape(), Shape::Word(_))).cloned()
}

/// A parser's answer: what it took, and what follows.
type Taken<'a, A, T> = Result<(A, &'a [T]), Refusal<<T as Tree>::Span>>;

fn attributes<T: Tree>(entry: Entry, item: &[T]) -> Taken<'_, &[T], T> {
    let mut end = 0;
    while let [hash, group, ..] = &item[end..] {
        let Some(contents) = group.inside(Fence::Brackets).filter(|_| hash.is_mark('#')) else {
            break;
        };
        if let Some(second) = second_entry(&contents) {
            let attribute = entry.attribute();
            let message = format!(
                "a second entry attribute: {attribute} makes this function an entry point \
                 already, remove this one"
            );
            return Err(Refusal::at(second.span(), message));
        }
        end += 2;
    }
    Ok((&item[..end], &item[end..]))
}

/// The last name of the attribute's path, if that is `main` or `test`: `#[test]`, `#[a::main(..)]`.
fn second_entry<T: Tree>(attribute: &[T]) -> Option<&T> {
    let path_end = attribute
        .iter()
        .position(|tree| !matches!(tree.shape(), Shape::Word(_)) && !tree.is_mark(':'))
        .unwrap_or(attribute.len());
    let last = attribute[..path_end].last()?;
    [Entry::Main, Entry::Test].iter().any(|entry| last.is_word(entry.name())).then_some(last)
}

fn visibility<T: Tree>(rest: &[T]) -> (&[T], &[T]) {
    let length = match rest {
        [first, ..] if first.inside(Fence::Invisible).is_some() => 1,
        [first, second, ..]
            if first.is_word("pub") && second.inside(Fence::Parentheses).is_some() =>
        {
            2
        }
        [first, ..] if first.is_word("pub") => 1,
        _ => 0,
    };
    rest.split_at(length)
}

/// What stands before `fn`: only `async` may.
fn qualifiers<T: Tree>(entry: Entry, mut rest: &[T]) -> Taken<'_, Option<T>, T> {
    let mut asynchronous = None;
    loop {
        let Some(first) = rest.first() else { return Err(refuse_item(entry, None)) };
        let Shape::Word(word) = first.shape() else {
            return Err(refuse_item(entry, Some(first.span())));
        };
        match word.as_str() {
            "fn" => return Ok((asynchronous, rest)),
            "async" => asynchronous = Some(first.clone()),
            "const" | "unsafe" | "extern" | "safe" if leads_to_fn(rest) => {
                let attribute = entry.attribute();
                let message = format!("{attribute} takes a plain `async fn`: remove `{word}`");
                return Err(Refusal::at(first.span(), message));
            }
            _ => return Err(refuse_item(entry, Some(first.span()))),
        }
        rest = &rest[1..];
    }
}

/// Whether the qualifiers at the start of `rest` are a function's: `extern "C" fn`, not
/// `extern crate`.
fn leads_to_fn<T: Tree>(rest: &[T]) -> bool {
    let ends = |tree: &&T| match tree.shape() {
        Shape::Word(word) => {
            !["const", "unsafe", "extern", "safe", "async"].contains(&word.as_str())
        }
        Shape::Literal(_) => false,
        Shape::Mark(_) | Shape::Group(..) => true,
    };
    rest.iter().find(ends).is_some_and(|tree| tree.is_word("fn"))
}

/// The body, and all that stands between the name and it.
fn signature<'a, T: Tree>(
    entry: Entry,
    may_take: bool,
    (text, name): (&str, &T),
    after_name: &'a [T],
) -> Result<(T, &'a [T]), Refusal<T::Span>> {
    let attribute = entry.attribute();
    let [arguments, rest @ ..] = after_name else {
        return Err(Refusal::at(name.span(), format!("{attribute} goes on an `async fn`")));
    };
    if arguments.is_mark('<') {
        let message =
            format!("{attribute} calls `{text}` itself: remove its generic parameters, `<..>`");
        return Err(Refusal::at(arguments.span(), message));
    }
    let Some(inside) = arguments.inside(Fence::Parentheses) else {
        return Err(refuse_item(entry, Some(arguments.span())));
    };
    if let Some(first) = inside.first().filter(|_| !may_take) {
        let fix = if entry == Entry::Main { ", or write `#[goro::main(shutdown)]`" } else { "" };
        let message =
            format!("{attribute} passes no arguments to `{text}`: remove its arguments{fix}");
        return Err(Refusal::at(first.span(), message));
    }
    if let Some(clause) = rest.iter().find(|tree| tree.is_word("where")) {
        let message = format!("`{text}` has no generic parameters: remove the `where` clause");
        return Err(Refusal::at(clause.span(), message));
    }
    let last = rest.last().unwrap_or(arguments);
    let body = last.bare();
    if body.inside(Fence::Braces).is_none() {
        let message = format!("{attribute} needs a body to run: write `{{ .. }}` here");
        return Err(Refusal::at(last.span(), message));
    }
    Ok((body, &after_name[..after_name.len() - 1]))
}

fn refuse_item<S>(entry: Entry, at: Option<S>) -> Refusal<S> {
    let name = if entry == Entry::Main { "main" } else { "name" };
    let message = format!("{} goes on a function: `async fn {name}() {{ .. }}`", entry.attribute());
    Refusal { at, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Fake};

    fn read(entry: Entry, source: &str) -> Result<Function<Fake>, Refusal<usize>> {
        parse(entry, false, &fake::tokens(source))
    }

    #[track_caller]
    fn check_refused(entry: Entry, source: &str, at: &str, fix: &str) {
        let Err(refusal) = read(entry, source) else { panic!("accepted: {source}") };
        assert!(refusal.message.contains(fix), "{source}: {}", refusal.message);
        assert_eq!(refusal.at, source.find(at), "{source}: {}", refusal.message);
    }

    #[test]
    fn the_parts_are_the_users_own() {
        let source =
            "#[doc = \"x\"] #[cfg(unix)] pub(crate) async fn main() -> Result<(), E> { 1 }";
        let function = read(Entry::Main, source).unwrap();
        assert_eq!(fake::text(&function.attributes), "# [doc = \"x\"] # [cfg (unix)]");
        assert_eq!(fake::text(&function.visibility), "pub (crate)");
        assert_eq!(fake::text(&function.head), "fn main () - > Result < () , E >");
        assert_eq!(fake::text(std::slice::from_ref(&function.body)), "{1}");
        assert_eq!(function.body.span(), source.find('{').unwrap());
        assert_eq!(function.asynchronous.span(), source.find("async").unwrap());
        assert_eq!(function.name.span(), source.find("main").unwrap());
    }

    #[test]
    fn what_a_macro_captured_is_seen_through_its_invisible_fences() {
        let function =
            read(Entry::Test, "\u{ab}\u{bb} async fn works() \u{ab}{ 1 }\u{bb}").unwrap();
        assert_eq!(fake::text(&[function.body]), "{1}");
    }

    #[test]
    fn a_function_that_is_not_async_is_refused_at_fn() {
        check_refused(Entry::Main, "fn main() {}", "fn", "write `async fn main`");
        check_refused(Entry::Test, "pub fn works() {}", "fn", "write `async fn works`");
    }

    #[test]
    fn arguments_and_generics_are_refused_at_the_first_of_them() {
        check_refused(Entry::Main, "async fn main(x: u8, y: u8) {}", "x", "remove its arguments");
        check_refused(Entry::Test, "async fn a(&self) {}", "&", "remove its arguments");
        check_refused(Entry::Main, "async fn main<T>() {}", "<", "remove its generic parameters");
        check_refused(Entry::Main, "async fn main() where u8: Copy {}", "where", "`where` clause");
    }

    #[test]
    fn other_qualifiers_are_refused_by_name() {
        for (source, word) in [
            ("async unsafe fn main() {}", "unsafe"),
            ("const async fn main() {}", "const"),
            ("pub async extern \"C\" fn main() {}", "extern"),
        ] {
            check_refused(Entry::Main, source, word, &format!("remove `{word}`"));
        }
    }

    #[test]
    fn what_is_not_a_function_is_refused_at_its_first_word() {
        for (source, at) in [
            ("struct Main;", "struct"),
            ("pub enum Main { A }", "enum"),
            ("const X: u8 = 1;", "const"),
            ("extern crate std;", "extern"),
            ("async { 1 }", "{ 1 }"),
            ("# [a] mod x {}", "mod"),
        ] {
            check_refused(Entry::Test, source, at, "goes on a function");
        }
        let nothing = read(Entry::Main, "").err().expect("an empty item is no function");
        assert_eq!(nothing.at, None);
    }

    #[test]
    fn a_function_without_a_body_is_refused_at_its_end() {
        check_refused(Entry::Test, "async fn works();", ";", "needs a body");
        check_refused(Entry::Test, "async fn works()", "()", "needs a body");
        check_refused(Entry::Test, "async fn works", "works", "goes on an `async fn`");
    }

    #[test]
    fn main_under_another_name_is_refused_at_the_name() {
        check_refused(Entry::Main, "async fn serve() {}", "serve", "goro::block_on");
    }

    #[test]
    fn a_second_entry_attribute_is_refused_at_its_name() {
        check_refused(Entry::Test, "#[test] async fn a() {}", "test", "remove this one");
        check_refused(Entry::Test, "#[tokio::test(x)] async fn a() {}", "test", "remove this one");
        check_refused(Entry::Main, "#[goro::main] async fn main() {}", "main", "remove this one");
    }

    #[test]
    fn attributes_that_only_look_like_entries_are_kept() {
        let source = "#[cfg(test)] #[should_panic(expected = \"main\")] #[allow(a::test)] \
                      async fn a() {}";
        let kept = read(Entry::Test, source).unwrap().attributes;
        assert_eq!(kept.len(), 6, "{}", fake::text(&kept));
    }

    #[test]
    fn the_name_beside_an_error_is_found_in_what_cannot_be_accepted() {
        let found = |source| name::<Fake>(&fake::tokens(source)).map(|name| fake::text(&[name]));
        assert_eq!(found("pub unsafe fn main<T>(x: T) {}").as_deref(), Some("main"));
        assert_eq!(found("struct Main;"), None);
        assert_eq!(found("fn"), None);
    }
}
