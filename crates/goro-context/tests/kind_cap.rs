//! The process-wide table of kinds when it is full. Alone in its process, since it stays full.

use core::panic::Location;

use goro_context::Kind;
use goro_context::kind::CAP;

#[test]
fn names_made_of_user_input_cost_bounded_memory() {
    let site = Location::caller();
    let early = Kind::named("early", site);
    let names = (0..2 * CAP).map(|n| Kind::named(&format!("request {n}"), site));
    let given = names.filter(|kind| *kind != Kind::OTHER).count();
    assert_eq!(given, CAP - 2, "all places but those of OTHER and of the first");
    assert_eq!(Kind::all().count(), CAP);
    assert_eq!(Kind::named("late", site), Kind::OTHER);
    assert_eq!(Kind::at(Location::caller()), Kind::OTHER);
    assert_eq!(Kind::named("early", site), early, "what has a kind keeps it");
    assert_eq!(Kind::named("request 7", site).name(), "request 7");
}
