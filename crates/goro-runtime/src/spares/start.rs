//! Giving a spare its thread, and counting it out when it has ended.

use goro_shim::Arc;

use crate::driver::Role;
use crate::ground::Ground;
use crate::worker::Seat;

/// Starts a spare at `place`, which the caller has taken. When there is no thread to be had, or the
/// runtime is ending, the place is vacant again.
pub(crate) fn start(ground: &Arc<Ground>, place: u32) {
    let hub = ground.hub;
    if hub.is_closing() || !hub.crew.join() {
        return hub.spares.refused(place);
    }
    let seat = Seat::spare(hub.spare(place), place, Arc::clone(ground));
    if let Err(error) = ground.driver.launch(Role::Worker(seat)) {
        hub.spares.refused(place);
        // Who is refused as the runtime ends is refused by it.
        if !hub.is_closing() {
            ground.reports.spare_refused(&error, ground.driver.now());
        }
        ground.member_left();
    }
}
