//! Which types may go to another thread, and be shared with one: a row for each, by what its value is.

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;

/// `Send` and `Sync`.
pub(crate) type Both = u32;
/// `Send`, not `Sync`.
pub(crate) type OnlySend = Cell<u32>;
/// `Sync`, not `Send`.
pub(crate) type OnlySync = std::sync::MutexGuard<'static, u32>;
/// Neither.
pub(crate) type Neither = Rc<u32>;

/// Whether a type is `Send`, by which of two constants is nearer.
pub(crate) struct Sends<T: ?Sized>(PhantomData<T>);
/// Whether it is `Sync`.
pub(crate) struct Syncs<T: ?Sized>(PhantomData<T>);

pub(crate) trait Otherwise {
    const IS: bool = false;
}
impl<T: ?Sized> Otherwise for Sends<T> {}
impl<T: ?Sized> Otherwise for Syncs<T> {}
impl<T: ?Sized + Send> Sends<T> {
    pub(crate) const IS: bool = true;
}
impl<T: ?Sized + Sync> Syncs<T> {
    pub(crate) const IS: bool = true;
}

/// What is written in a row: `b` for both, `s` for `Send` alone, `y` for `Sync` alone, `-` for neither.
pub(crate) const fn letter(sends: bool, syncs: bool) -> char {
    match (sends, syncs) {
        (true, true) => 'b',
        (true, false) => 's',
        (false, true) => 'y',
        (false, false) => '-',
    }
}

/// A type, what its row says, and what is so.
pub(crate) struct Row {
    pub(crate) of: &'static str,
    pub(crate) says: &'static str,
    pub(crate) is: [char; 4],
}

/// Rows of types in terms of `T`, each with its four letters: for a `T` that is both, only `Send`, only `Sync`,
/// and neither.
#[macro_export]
macro_rules! matrix {
    ($($of:ty: $says:literal,)*) => {
        vec![$($crate::matrix::Row {
            of: stringify!($of),
            says: $says,
            is: [
                $crate::matrix!(@ Both, $of),
                $crate::matrix!(@ OnlySend, $of),
                $crate::matrix!(@ OnlySync, $of),
                $crate::matrix!(@ Neither, $of),
            ],
        }),*]
    };
    (@ $value:ident, $of:ty) => {{
        #[allow(dead_code, reason = "not every type has a value")]
        type T = $crate::matrix::$value;
        #[allow(unused_imports, reason = "used where the nearer constant is not there")]
        use $crate::matrix::Otherwise as _;
        $crate::matrix::letter(
            <$crate::matrix::Sends<$of>>::IS,
            <$crate::matrix::Syncs<$of>>::IS,
        )
    }};
}

/// Fails with each row that is not so, and with each type of the list of all public names that has none.
pub(crate) fn check_rows(rows: &[Row], api: &str) {
    let mut wrong = String::new();
    for row in rows {
        let is: String = row.is.iter().collect();
        if is != row.says {
            wrong.push_str(&format!("{}: \"{}\" is \"{is}\"\n", row.of, row.says));
        }
    }
    let of = |row: &Row| row.of.split('<').next().unwrap_or_default().replace(' ', "");
    let named: Vec<String> = rows.iter().map(of).collect();
    for line in api.lines() {
        let (path, what) = line.split_once(": ").expect("a line is a path and a signature");
        let is_type =
            ["pub struct ", "pub enum ", "pub union "].iter().any(|it| what.starts_with(it));
        if is_type && !named.iter().any(|it| it == path) {
            wrong.push_str(&format!("{path} has no row\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let counted = rows.len();
    println!(
        "{counted} rows of {} types",
        named.iter().collect::<std::collections::BTreeSet<_>>().len()
    );
}
