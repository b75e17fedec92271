//! The attribute's arguments: `workers = N`, `flavor = "multi"`, `crate = "path"`, and for a test
//! `sim` and `seeds = N`.
//!
//! Invariant: each argument stands at most once, and every refusal names what to write instead.

use crate::entry::Entry;
use crate::tree::{Refusal, Shape, Tree};

/// What the attribute's parentheses said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) workers: Option<usize>,
    /// Under how many seeds the test is simulated; `None` for real threads.
    pub(crate) seeds: Option<usize>,
    /// Where goro is, as a path that can be written before `::`.
    pub(crate) facade: String,
}

/// Under how many seeds a test is simulated that does not say.
const SEEDS: usize = 100;

/// Words that other runtimes use for what goro has, or that are near misses, and what to write.
const ELSEWHERE: [(&str, &str); 8] = [
    ("simulated", "write `sim`"),
    ("worker_threads", "write `workers = N`"),
    ("threads", "write `workers = N`"),
    ("worker", "write `workers = N`"),
    ("flavour", "write `flavor = \"multi\"`"),
    ("start_paused", "write `sim` for virtual time, or remove it"),
    ("unhandled_panic", "remove it: a task's panic is reported and reaches its `JoinHandle`"),
    ("krate", "write `crate = \"path\"`"),
];

/// Reads the attribute's arguments.
pub(crate) fn parse<T: Tree>(entry: Entry, tokens: &[T]) -> Result<Arguments, Refusal<T::Span>> {
    let mut reader = Reader { workers: None, flavor: false, facade: None, sim: false, seeds: None };
    let mut rest = tokens;
    while let [key, after_key @ ..] = rest {
        rest = reader.argument(entry, key, after_key)?;
    }
    let seeds = match (reader.sim, &reader.seeds) {
        (true, Some((seeds, _))) => Some(*seeds),
        (true, None) => Some(SEEDS),
        (false, None) => None,
        (false, Some((seeds, key))) => {
            let message = format!("seeds are for simulations: write `sim, seeds = {seeds}`");
            return Err(Refusal::at(key.span(), message));
        }
    };
    // How many workers a simulation has is one of the things that its seed says.
    let unsaid = if reader.sim { None } else { entry.workers() };
    Ok(Arguments {
        workers: reader.workers.or(unsaid),
        seeds,
        facade: reader.facade.unwrap_or_else(|| "::goro".to_owned()),
    })
}

/// What has been read so far.
struct Reader<T> {
    workers: Option<usize>,
    flavor: bool,
    facade: Option<String>,
    sim: bool,
    /// How many, and where that stands.
    seeds: Option<(usize, T)>,
}

impl<T: Tree> Reader<T> {
    /// Reads one `key = value` and its comma; returns what follows.
    fn argument<'a>(
        &mut self,
        entry: Entry,
        key: &T,
        rest: &'a [T],
    ) -> Result<&'a [T], Refusal<T::Span>> {
        let name = known(entry, key)?;
        let example = match name {
            Name::Workers => "`workers = 4`",
            Name::Flavor => "`flavor = \"multi\"`",
            Name::Crate => "`crate = \"path::to::goro\"`",
            Name::Sim => "`sim`",
            Name::Seeds => "`seeds = 1000`",
        };
        if self.has(name) {
            let message = format!("`{}` is given twice: keep one", name.text());
            return Err(Refusal::at(key.span(), message));
        }
        if matches!(name, Name::Sim) {
            self.sim = true;
            return after_comma(rest, example);
        }
        let [equals, value, rest @ ..] = rest else {
            let last = rest.last().unwrap_or(key);
            return Err(Refusal::at(last.span(), format!("a value is missing: write {example}")));
        };
        if !equals.is_mark('=') {
            return Err(Refusal::at(equals.span(), format!("expected `=`: write {example}")));
        }
        let value = value.bare();
        match name {
            Name::Workers => self.workers = Some(count(&value, &WORKERS)?),
            Name::Seeds => self.seeds = Some((count(&value, &SIMULATED)?, key.clone())),
            Name::Sim => {}
            Name::Flavor => {
                flavor(&value)?;
                self.flavor = true;
            }
            Name::Crate => self.facade = Some(facade(&value)?),
        }
        after_comma(rest, example)
    }

    fn has(&self, name: Name) -> bool {
        match name {
            Name::Workers => self.workers.is_some(),
            Name::Flavor => self.flavor,
            Name::Crate => self.facade.is_some(),
            Name::Sim => self.sim,
            Name::Seeds => self.seeds.is_some(),
        }
    }
}

/// What follows an argument's end.
fn after_comma<'a, T: Tree>(rest: &'a [T], example: &str) -> Result<&'a [T], Refusal<T::Span>> {
    match rest {
        [] => Ok(rest),
        [comma, rest @ ..] if comma.is_mark(',') => Ok(rest),
        [other, ..] => {
            let message = format!("expected `,` or the end after {example}");
            Err(Refusal::at(other.span(), message))
        }
    }
}

#[derive(Clone, Copy)]
enum Name {
    Workers,
    Flavor,
    Crate,
    Sim,
    Seeds,
}

impl Name {
    fn text(self) -> &'static str {
        match self {
            Self::Workers => "workers",
            Self::Flavor => "flavor",
            Self::Crate => "crate",
            Self::Sim => "sim",
            Self::Seeds => "seeds",
        }
    }
}

fn known<T: Tree>(entry: Entry, key: &T) -> Result<Name, Refusal<T::Span>> {
    let (attribute, known) = (entry.attribute(), entry.arguments());
    let Shape::Word(word) = key.shape() else {
        let message = format!("expected an argument's name: {attribute} knows {known}");
        return Err(Refusal::at(key.span(), message));
    };
    match word.as_str() {
        "workers" => Ok(Name::Workers),
        "flavor" => Ok(Name::Flavor),
        "crate" => Ok(Name::Crate),
        "sim" if entry == Entry::Test => Ok(Name::Sim),
        "seeds" if entry == Entry::Test => Ok(Name::Seeds),
        word => {
            let message = match ELSEWHERE.iter().find(|(name, _)| *name == word) {
                Some((_, fix)) => format!("{attribute} has no `{word}`: {fix}"),
                None => format!("{attribute} has no `{word}`: it knows {known}"),
            };
            Err(Refusal::at(key.span(), message))
        }
    }
}

/// An argument that is a number, at least one, and how its refusals begin.
struct Counted {
    name: &'static str,
    /// What to do about a number that is not written down.
    computed: &'static str,
    zero: &'static str,
}

const WORKERS: Counted = Counted {
    name: "workers",
    computed: "for a number computed at run time leave the attribute out and use \
         `goro::runtime::Builder`",
    zero: "a runtime needs at least one worker: write `workers = 1` or more",
};

const SIMULATED: Counted = Counted {
    name: "seeds",
    computed: "for a number computed at run time leave the attribute out and use \
         `goro::sim::explore`",
    zero: "without a seed nothing is run: write `seeds = 1` or more",
};

fn count<T: Tree>(value: &T, of: &Counted) -> Result<usize, Refusal<T::Span>> {
    let Counted { name, computed, zero } = of;
    let refuse = |message: String| Err(Refusal::at(value.span(), message));
    let Shape::Literal(text) = value.shape() else {
        return refuse(format!("`{name}` takes a whole number, as in `{name} = 4`; {computed}"));
    };
    if text.contains('"') {
        return refuse(format!("`{name}` takes a number without quotes, as in `{name} = 4`"));
    }
    let digits = text.strip_suffix("usize").unwrap_or(&text).replace('_', "");
    match digits.parse() {
        Ok(0) => refuse((*zero).to_owned()),
        Ok(count) => Ok(count),
        Err(_) => refuse(format!("`{name}` takes a whole number, as in `{name} = 4`")),
    }
}

fn flavor<T: Tree>(value: &T) -> Result<(), Refusal<T::Span>> {
    let message = match quoted(value).as_deref() {
        Some("multi") => return Ok(()),
        Some("multi_thread") => "goro's word is \"multi\": write `flavor = \"multi\"`",
        Some("current_thread" | "local") => {
            "the only flavor is \"multi\": for one worker thread write `workers = 1`"
        }
        Some(_) => "the only flavor is \"multi\": write `flavor = \"multi\"` or leave it out",
        None => "`flavor` takes a string: write `flavor = \"multi\"` or leave it out",
    };
    Err(Refusal::at(value.span(), message))
}

fn facade<T: Tree>(value: &T) -> Result<String, Refusal<T::Span>> {
    match quoted(value) {
        Some(path) if is_path(&path) => Ok(path),
        Some(path) => {
            let message = format!(
                "`{path}` is not a path: write names with `::` between them, as in \
                 `crate = \"my_crate::goro\"`"
            );
            Err(Refusal::at(value.span(), message))
        }
        None => Err(Refusal::at(
            value.span(),
            "`crate` takes a path between quotes, as in `crate = \"my_crate::goro\"`",
        )),
    }
}

/// A plain string literal's contents.
fn quoted<T: Tree>(value: &T) -> Option<String> {
    let Shape::Literal(text) = value.shape() else { return None };
    let contents = text.strip_prefix('"')?.strip_suffix('"')?;
    (!contents.contains('\\')).then(|| contents.to_owned())
}

fn is_path(text: &str) -> bool {
    let is_name = |name: &str| {
        let name = name.strip_prefix("r#").unwrap_or(name);
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    text.strip_prefix("::").unwrap_or(text).split("::").all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Fake};

    fn read(source: &str) -> Result<Arguments, Refusal<usize>> {
        parse::<Fake>(Entry::Main, &fake::tokens(source))
    }

    /// Asserts that `source` is refused at the first `at` in it, with words that contain `fix`.
    #[track_caller]
    fn check_refused(source: &str, at: &str, fix: &str) {
        let refusal = read(source).expect_err(source);
        assert!(refusal.message.contains(fix), "{source}: {}", refusal.message);
        assert_eq!(refusal.at, source.rfind(at), "{source}: {}", refusal.message);
    }

    #[test]
    fn no_arguments_leave_everything_to_the_defaults() {
        let main = read("").unwrap();
        assert_eq!(main, Arguments { workers: None, seeds: None, facade: "::goro".into() });
        let test = parse::<Fake>(Entry::Test, &[]).unwrap();
        assert_eq!(test.workers, Some(2));
    }

    #[test]
    fn all_arguments_in_any_order_with_or_without_a_last_comma() {
        let expected = Arguments { workers: Some(3), seeds: None, facade: "a::b".into() };
        for source in [
            r#"workers = 3, flavor = "multi", crate = "a::b""#,
            r#"crate = "a::b", workers = 3, flavor = "multi","#,
        ] {
            assert_eq!(read(source).unwrap(), expected, "{source}");
        }
    }

    #[test]
    fn a_simulation_has_seeds_and_leaves_the_workers_to_them() {
        let read = |source| parse::<Fake>(Entry::Test, &fake::tokens(source)).unwrap();
        for (source, workers, seeds) in [
            ("sim", None, 100),
            ("sim,", None, 100),
            ("sim, seeds = 1_000", None, 1_000),
            ("seeds = 5, workers = 2, sim", Some(2), 5),
        ] {
            let arguments = read(source);
            assert_eq!((arguments.workers, arguments.seeds), (workers, Some(seeds)), "{source}");
        }
    }

    #[test]
    fn simulations_that_are_none_are_refused() {
        let refused = |source: &str, at: &str, fix: &str| {
            let refusal = parse::<Fake>(Entry::Test, &fake::tokens(source)).expect_err(source);
            assert!(refusal.message.contains(fix), "{source}: {}", refusal.message);
            assert_eq!(refusal.at, source.rfind(at), "{source}: {}", refusal.message);
        };
        refused("seeds = 7", "seeds", "write `sim, seeds = 7`");
        refused("sim, seeds = 0", "0", "`seeds = 1` or more");
        refused("sim, seeds = N", "N", "goro::sim::explore");
        refused("sim, sim", "sim", "given twice");
        refused("sim = 4", "=", "expected `,` or the end after `sim`");
        refused("simulated", "simulated", "write `sim`");
        check_refused("sim", "sim", "it knows `workers = N`");
    }

    #[test]
    fn numbers_may_have_a_suffix_and_underscores() {
        for (source, count) in [("workers = 1_0", 10), ("workers = 4usize", 4)] {
            assert_eq!(read(source).unwrap().workers, Some(count), "{source}");
        }
    }

    #[test]
    fn a_value_captured_by_a_macro_is_seen_through_its_invisible_fences() {
        assert_eq!(read("workers = \u{ab}4\u{bb}").unwrap().workers, Some(4));
    }

    #[test]
    fn counts_that_are_none_are_refused_at_the_value() {
        check_refused("workers = 0", "0", "at least one worker");
        check_refused(r#"workers = "4""#, "\"4\"", "without quotes");
        check_refused("workers = 4.0", "4.0", "whole number");
        check_refused("workers = 4u8", "4u8", "whole number");
        check_refused("workers = -1", "-", "whole number");
        check_refused("workers = N", "N", "goro::runtime::Builder");
        check_refused("workers = 99999999999999999999999", "99999999999999999999999", "whole");
    }

    #[test]
    fn flavors_that_are_none_are_refused_with_goros_word_for_them() {
        check_refused(r#"flavor = "current_thread""#, "\"current_thread\"", "workers = 1");
        check_refused(r#"flavor = "multi_thread""#, "\"multi_thread\"", "goro's word");
        check_refused(r#"flavor = "warp""#, "\"warp\"", "the only flavor");
        check_refused("flavor = multi", "multi", "takes a string");
    }

    #[test]
    fn names_that_are_none_are_refused_at_the_name() {
        check_refused("worker_threads = 4", "worker_threads", "write `workers = N`");
        check_refused("workers = 4, colour = 1", "colour", "it knows `workers = N`");
        check_refused("4", "4", "expected an argument's name");
        check_refused("workers = 4,, ", ",", "expected an argument's name");
    }

    #[test]
    fn an_argument_given_twice_is_refused_at_the_second() {
        check_refused("workers = 1, workers = 2", "workers", "given twice");
        check_refused(r#"flavor = "multi", flavor = "multi""#, "flavor", "given twice");
        check_refused(r#"crate = "a", crate = "b""#, "crate", "given twice");
    }

    #[test]
    fn missing_pieces_are_refused_where_they_are_missing() {
        check_refused("workers", "workers", "write `workers = 4`");
        check_refused("workers =", "=", "write `workers = 4`");
        check_refused("workers: 4", ":", "expected `=`");
        check_refused("workers = 4 flavor = \"multi\"", "flavor", "expected `,`");
        check_refused("workers(4)", "(4)", "write `workers = 4`");
    }

    #[test]
    fn paths_are_checked() {
        for path in ["goro", "::goro", "a::b::c", "crate::goro", "r#try::goro", "_x"] {
            assert_eq!(read(&format!("crate = {path:?}")).unwrap().facade, path);
        }
        for path in ["", "a b", "a::", "a:b", "9a", "a::b()", "a-b"] {
            check_refused(&format!("crate = {path:?}"), &format!("{path:?}"), "is not a path");
        }
        check_refused("crate = goro", "goro", "between quotes");
        check_refused("crate = \"a\\n\"", "\"a\\n\"", "between quotes");
    }
}
