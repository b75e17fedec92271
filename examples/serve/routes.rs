//! What a request asks for, decided by its method, path and query alone.
//!
//! Left out: percent-decoding. No route's values need any.

use std::fmt;
use std::time::Duration;

use hyper::{Method, StatusCode};

/// The longest sleep that `/work` takes on, in milliseconds.
const MAX_MS: u64 = 60_000;
/// The highest limit that `/compute` counts up to.
const MAX_N: u64 = 10_000_000;
/// What every route answers to. hyper leaves the body out of an answer to `HEAD`.
pub const ALLOWED: &str = "GET, HEAD";

/// What to do for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Say hello.
    Greet,
    /// Sleep that long.
    Work(Duration),
    /// Count the primes below.
    Compute(u64),
}

/// Why nothing is done for a request, and what its sender should do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A value in the query is missing or wrong.
    BadQuery(String),
    /// No route has this path.
    NoSuchPath,
    /// The route does not answer to this method.
    WrongMethod,
}

impl Refusal {
    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadQuery(_) => StatusCode::BAD_REQUEST,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadQuery(fix) => f.write_str(fix),
            Self::NoSuchPath => f.write_str("no such path: try /, /work?ms=N or /compute?n=N"),
            Self::WrongMethod => write!(f, "wrong method: use one of {ALLOWED}"),
        }
    }
}

/// Finds out what a request asks for.
///
/// # Errors
/// [`Refusal`].
pub fn route(method: &Method, path: &str, query: Option<&str>) -> Result<Action, Refusal> {
    // The path comes first: a wrong method on no path at all is answered with "no such path".
    let action: fn(&str) -> Result<Action, Refusal> = match path {
        "/" => |_| Ok(Action::Greet),
        "/work" => |query| Ok(Action::Work(Duration::from_millis(number(query, "ms", MAX_MS)?))),
        "/compute" => |query| Ok(Action::Compute(number(query, "n", MAX_N)?)),
        _ => return Err(Refusal::NoSuchPath),
    };
    match *method {
        Method::GET | Method::HEAD => action(query.unwrap_or_default()),
        _ => Err(Refusal::WrongMethod),
    }
}

/// The value of `key`, which must be there once, in decimal digits, and at most `max`.
fn number(query: &str, key: &str, max: u64) -> Result<u64, Refusal> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(name, _)| *name == key).map(|(_, value)| value);
    let refuse = |problem: String| {
        Err(Refusal::BadQuery(format!("{problem}: give {key}=N once, N a number from 0 to {max}")))
    };
    let Some(value) = values.next() else {
        return refuse(format!("{key} is missing"));
    };
    if values.next().is_some() {
        return refuse(format!("{key} is there more than once"));
    }
    // `parse` alone would take a leading plus.
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(format!("{key} is not a number"));
    }
    match value.parse() {
        Ok(number) if number <= max => Ok(number),
        _ => refuse(format!("{key} is too large")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Refusal, route};
    use hyper::Method;
    use std::time::Duration;

    fn get(target: &str) -> Result<Action, Refusal> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        route(&Method::GET, path, query)
    }

    #[test]
    fn each_route_is_found_up_to_its_limit() {
        assert_eq!(get("/"), Ok(Action::Greet));
        assert_eq!(get("/?anything"), Ok(Action::Greet));
        assert_eq!(get("/work?ms=0"), Ok(Action::Work(Duration::ZERO)));
        assert_eq!(get("/work?ms=60000"), Ok(Action::Work(Duration::from_secs(60))));
        assert_eq!(get("/work?other=1&ms=007"), Ok(Action::Work(Duration::from_millis(7))));
        assert_eq!(get("/compute?n=10000000"), Ok(Action::Compute(10_000_000)));
        assert_eq!(route(&Method::HEAD, "/", None), Ok(Action::Greet));
    }

    #[test]
    fn a_bad_number_is_refused_with_its_fix() {
        for (target, problem) in [
            ("/work", "ms is missing"),
            ("/work?", "ms is missing"),
            ("/work?n=1", "ms is missing"),
            ("/work?msx=1", "ms is missing"),
            ("/work?ms", "ms is not a number"),
            ("/work?ms=", "ms is not a number"),
            ("/work?ms=-1", "ms is not a number"),
            ("/work?ms=+1", "ms is not a number"),
            ("/work?ms=1.5", "ms is not a number"),
            ("/work?ms=%31", "ms is not a number"),
            ("/work?ms=1&ms=1", "ms is there more than once"),
            ("/work?ms=60001", "ms is too large"),
            ("/compute?n=10000001", "n is too large"),
            ("/compute?n=99999999999999999999999", "n is too large"),
        ] {
            let refusal = get(target).unwrap_err();
            let Refusal::BadQuery(text) = &refusal else { panic!("{target}: {refusal:?}") };
            assert!(text.starts_with(problem) && text.contains("from 0 to"), "{target}: {text}");
            assert_eq!(refusal.status(), 400);
        }
    }

    #[test]
    fn unknown_paths_and_methods_are_told_apart() {
        for path in ["", "*", "/x", "/compute/", "/WORK", "//"] {
            assert_eq!(get(path).unwrap_err().status(), 404, "{path}");
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let refusal = route(&method, "/work", None).unwrap_err();
            assert_eq!((refusal.status().as_u16(), &refusal), (405, &Refusal::WrongMethod));
        }
        assert_eq!(route(&Method::POST, "/x", None), Err(Refusal::NoSuchPath));
    }
}
