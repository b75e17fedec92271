use super::*;
use crate::testing::for_ever;
use goro_shim::global::{Arc, AtomicUsize, Ordering};
use goro_shim::thread;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[track_caller]
fn here() -> &'static Location<'static> {
    Location::caller()
}

/// Different sites: a column each.
#[rustfmt::skip]
fn sites() -> Vec<&'static Location<'static>> {
    vec![
        here(), here(), here(), here(), here(), here(), here(), here(), here(), here(), here(),
        here(), here(), here(), here(), here(), here(), here(), here(), here(), here(), here(),
        here(), here(), here(), here(), here(), here(), here(), here(), here(), here(), here(),
    ]
}

/// The same site at another address, as another codegen unit has it.
fn copy(site: &Location<'static>) -> &'static Location<'static> {
    for_ever(*site)
}

#[derive(Clone, Debug)]
enum Ask {
    At { site: usize, copied: bool },
    Named { name: u8, site: usize },
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let at = (0..33_usize, any::<bool>()).prop_map(|(site, copied)| Ask::At { site, copied });
    let named = (0..20_u8, 0..33_usize).prop_map(|(name, site)| Ask::Named { name, site });
    prop::collection::vec(prop_oneof![at, named], 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Equal sites and equal names are one kind each, different ones differ, and from the cap on
    /// whatever is asked for first is OTHER, for ever.
    #[test]
    fn a_table_answers_as_its_model(asks in asks()) {
        const CAP: usize = 16;
        let table = Box::new(Table::<CAP>::new());
        let sites = sites();
        let mut model: BTreeMap<String, u32> = BTreeMap::new();
        for ask in asks {
            let (key, number) = match ask {
                Ask::At { site, copied } => {
                    let asked = if copied { copy(sites[site]) } else { sites[site] };
                    (format!("at {site}"), table.at(asked))
                }
                Ask::Named { name, site } => {
                    let name = format!("name {name}");
                    let number = table.named(&name, sites[site]);
                    if number != 0 {
                        prop_assert_eq!(table.entry(number).unwrap().name, &name);
                    }
                    (name, number)
                }
            };
            let kinds = model.len();
            let expected = *model.entry(key.clone()).or_insert(kinds as u32 + 1);
            if expected as usize >= CAP {
                model.remove(&key);
                prop_assert_eq!(number, 0);
            } else {
                prop_assert_eq!(number, expected);
                prop_assert!(table.entry(number).is_some());
            }
            prop_assert_eq!(table.len() as usize, model.len() + 1);
        }
        prop_assert!(table.entry(0).is_none());
    }
}

#[test]
fn threads_that_race_for_a_site_get_the_same_kind() {
    const THREADS: usize = 4;
    for _ in 0..50 {
        let shared = Arc::new((Table::<64>::new(), AtomicUsize::new(0)));
        let threads: Vec<_> = (0..THREADS)
            .map(|i| {
                let shared = Arc::clone(&shared);
                let ask = move || {
                    let (table, there) = &*shared;
                    there.fetch_add(1, Ordering::AcqRel);
                    while there.load(Ordering::Acquire) < THREADS {
                        thread::yield_now();
                    }
                    let at: Vec<_> = sites().into_iter().map(|s| table.at(copy(s))).collect();
                    let named = |n| table.named(&format!("n{n}"), here());
                    (at, (0..10).map(named).collect::<Vec<_>>())
                };
                thread::start(format!("asker {i}"), None, ask).unwrap()
            })
            .collect();
        let answers: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        assert_eq!(shared.0.len(), 1 + 33 + 10);
    }
}

#[test]
fn the_cache_answers_as_the_table() {
    let kinds: Vec<_> = sites().into_iter().map(Kind::at).collect();
    for (site, kind) in sites().into_iter().zip(&kinds) {
        assert_eq!(Kind::at(site), *kind);
        assert_eq!(Kind::at(copy(site)), *kind, "another address, another slot");
        assert_eq!(kind.site(), site);
        assert_eq!(kind.name(), site.to_string());
        assert_eq!(Kind::from_index(kind.index()), *kind);
        assert!(Kind::all().any(|one| one == *kind));
    }
}

/// One site may name its tasks differently each time; the cache must not mix them up.
#[test]
fn names_given_at_one_site_are_kept_apart() {
    let site = here();
    let kinds: Vec<_> = ["left", "right"].map(|name| Kind::named(name, site)).into();
    for _ in 0..3 {
        assert_eq!(Kind::named("left", site), kinds[0]);
        assert_eq!(Kind::named("right", site), kinds[1]);
        assert_ne!(Kind::at(site), kinds[0]);
    }
    assert_eq!(Kind::named("left", here()).site(), site, "the first site stays");
    assert_eq!((kinds[0].name(), kinds[1].to_string()), ("left", "right".into()));
}

#[test]
fn the_kind_of_the_rest_has_a_name_and_a_site() {
    assert_eq!(Kind::OTHER.index(), 0);
    assert_eq!(Kind::OTHER.name(), "other");
    assert!(Kind::OTHER.site().file().ends_with("kind.rs"));
    assert_eq!(Kind::from_index(0), Kind::OTHER);
    assert_eq!(Kind::from_index(u32::MAX), Kind::OTHER);
    assert_eq!(Kind::all().next(), Some(Kind::OTHER));
    assert_eq!(format!("{:?}", Kind::OTHER), "Kind(0, \"other\")");
}
