//! Rounds through the rooms: what was said is given to those in them, and who came and went told.

use std::rc::Rc;

use pushbench_os::time::clock;
use tokio::time::sleep;

use crate::shared::Shared;

/// Gives what is said in rooms to everybody there, for as long as it is polled. A round comes behind
/// the tasks that were ready with the first message, so that what they say too is in it.
pub(crate) async fn deliver(shared: Rc<Shared>) {
    loop {
        let rooms = shared.rooms.with_news().await;
        shared.clock.set(clock::now());
        for room in rooms {
            shared.deliver_in(&room);
        }
    }
}

/// Tells streams how many are in their room where that has changed, for as long as it is polled.
pub(crate) async fn tell_presence(shared: Rc<Shared>) {
    loop {
        let changed = shared.rooms.board.changed().await;
        for key in changed {
            let Some(room) = shared.rooms.find(key) else { continue };
            room.attendance.is_told();
            if !room.tell_presence(shared.view(&room, &room.ring.borrow())) {
                room.attendance.note();
            }
        }
        sleep(shared.config.rooms.presence).await;
    }
}
