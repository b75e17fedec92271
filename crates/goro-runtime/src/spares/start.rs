//! Giving a spare its thread, and counting it out when it has ended.

use goro_shim::Arc;

use crate::driver::Role;
use crate::ground::Ground;
use crate::worker::Seat;

/// Starts a spare at `place`, which the caller has taken. False when there is no thread to be had, or the
/// runtime is ending: the place is vacant again.
pub(crate) fn start(ground: &Arc<Ground>, place: u32) -> bool {
    let hub = ground.hub;
    if hub.is_closing() || !hub.crew.join() {
        hub.spares.refused(place);
        return false;
    }
    let seat = Seat::spare(hub.spare(place), place, Arc::clone(ground));
    let Err(error) = ground.driver.launch(Role::Worker(seat)) else { return true };
    hub.spares.refused(place);
    // Who is refused as the runtime ends is refused by it.
    if !hub.is_closing() {
        ground.reports.spare_refused(&error, ground.driver.now());
    }
    ground.member_left();
    false
}
