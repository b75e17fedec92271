//! The attribute's arguments: `workers = N`, `flavor = "multi"` or `"local"`, `crate = "path"`; for a program
//! `shutdown`, and for a test `sim` and `seeds = N`.
//!
//! Invariant: each argument stands at most once, every refusal names what to write instead, and what is
//! accepted fits together: only the multi flavor has a number of workers, and a simulation no flavor.

use crate::entry::Entry;
use crate::tree::{Refusal, Shape, Tree};

/// What the attribute's parentheses said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) flavor: Flavor,
    /// `None` leaves it to the facade, and for the local flavor is all there is.
    pub(crate) workers: Option<usize>,
    /// Under how many seeds the test is simulated; `None` for real threads.
    pub(crate) seeds: Option<usize>,
    /// Whether signals end the program in an orderly way.
    pub(crate) shutdown: bool,
    /// Where goro is, as a path that can be written before `::`.
    pub(crate) facade: String,
}

/// Where tasks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// On workers that steal from each other.
    #[default]
    Multi,
    /// On the caller's thread.
    Local,
}

/// Under how many seeds a test is simulated that does not say.
const SEEDS: usize = 100;

/// Words that other runtimes use for what goro has, or that are near misses, and what to write.
const ELSEWHERE: [(&str, &str); 8] = [
    ("simulated", "write `sim`"),
    ("worker_threads", "write `workers = N`"),
    ("threads", "write `workers = N`"),
    ("worker", "write `workers = N`"),
    ("flavour", "write `flavor = \"local\"`"),
    ("start_paused", "write `sim` for virtual time, or remove it"),
    ("unhandled_panic", "remove it: a task's panic is reported and reaches its `JoinHandle`"),
    ("krate", "write `crate = \"path\"`"),
];

/// Reads the attribute's arguments.
pub(crate) fn parse<T: Tree>(entry: Entry, tokens: &[T]) -> Result<Arguments, Refusal<T::Span>> {
    let mut reader = Reader::nothing();
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
    let flavor = reader.flavor()?;
    // How many workers a simulation has is one of the things that its seed says.
    let unsaid = if reader.sim || flavor == Flavor::Local { None } else { entry.workers() };
    Ok(Arguments {
        flavor,
        workers: reader.workers.map(|(count, _)| count).or(unsaid),
        seeds,
        shutdown: reader.shutdown,
        facade: reader.facade.unwrap_or_else(|| "::goro".to_owned()),
    })
}

/// What has been read so far.
struct Reader<T> {
    // Each with where it stands, if what is wrong with it may be known at the end only.
    workers: Option<(usize, T)>,
    flavor: Option<(Flavor, T)>,
    facade: Option<String>,
    sim: bool,
    shutdown: bool,
    seeds: Option<(usize, T)>,
}

impl<T: Tree> Reader<T> {
    fn nothing() -> Self {
        let (workers, flavor, facade, seeds) = (None, None, None, None);
        Self { workers, flavor, facade, sim: false, shutdown: false, seeds }
    }

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
            Name::Shutdown => "`shutdown`",
            Name::Seeds => "`seeds = 1000`",
        };
        if self.has(name) {
            let message = format!("`{}` is given twice: keep one", name.text());
            return Err(Refusal::at(key.span(), message));
        }
        if matches!(name, Name::Sim | Name::Shutdown) {
            *(if matches!(name, Name::Sim) { &mut self.sim } else { &mut self.shutdown }) = true;
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
            Name::Workers => self.workers = Some((count(&value, &WORKERS)?, key.clone())),
            Name::Seeds => self.seeds = Some((count(&value, &SIMULATED)?, key.clone())),
            Name::Sim | Name::Shutdown => {}
            Name::Flavor => self.flavor = Some((flavor(&value)?, key.clone())),
            Name::Crate => self.facade = Some(facade(&value)?),
        }
        after_comma(rest, example)
    }

    /// The flavor, if it goes with the rest.
    fn flavor(&self) -> Result<Flavor, Refusal<T::Span>> {
        let Some((flavor, key)) = &self.flavor else { return Ok(Flavor::Multi) };
        match (&self.workers, flavor) {
            _ if self.sim => Err(Refusal::at(
                key.span(),
                "a simulation is one thread, whose tasks may be local as it is: leave `flavor` out",
            )),
            (Some((_, workers)), Flavor::Local) => Err(Refusal::at(
                workers.span(),
                "a local runtime has one worker, the calling thread: leave `workers` out, or write \
                 `flavor = \"multi\"`",
            )),
            (_, flavor) => Ok(*flavor),
        }
    }

    fn has(&self, name: Name) -> bool {
        match name {
            Name::Workers => self.workers.is_some(),
            Name::Flavor => self.flavor.is_some(),
            Name::Crate => self.facade.is_some(),
            Name::Sim => self.sim,
            Name::Shutdown => self.shutdown,
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
    Shutdown,
    Seeds,
}

impl Name {
    fn text(self) -> &'static str {
        match self {
            Self::Workers => "workers",
            Self::Flavor => "flavor",
            Self::Crate => "crate",
            Self::Sim => "sim",
            Self::Shutdown => "shutdown",
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
        "shutdown" if entry == Entry::Main => Ok(Name::Shutdown),
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

fn flavor<T: Tree>(value: &T) -> Result<Flavor, Refusal<T::Span>> {
    let message = match quoted(value).as_deref() {
        Some("multi") => return Ok(Flavor::Multi),
        Some("local") => return Ok(Flavor::Local),
        Some("multi_thread") => "goro's word is \"multi\": write `flavor = \"multi\"`",
        Some("current_thread") => "goro's word is \"local\": write `flavor = \"local\"`",
        Some(_) => "the flavors are \"multi\" and \"local\": write one of them, or leave it out",
        None => "`flavor` takes a string: write `flavor = \"local\"` or leave it out",
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
mod tests;
