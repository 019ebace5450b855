//! The connections whose long poll waits, by the room in which it does, longest first.

use crate::rooms::key::RoomKey;

/// The connections that wait, each by its number.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Vec<u32>>);

impl Waiting {
    /// One more waits.
    pub(super) fn add(&mut self, room: RoomKey, connection: u32) {
        if self.0.len() <= room.place() {
            self.0.resize_with(room.place() + 1, Vec::new);
        }
        self.0[room.place()].push(connection);
    }

    /// One does not wait any more.
    pub(super) fn remove(&mut self, room: RoomKey, connection: u32) {
        let Some(waiting) = self.0.get_mut(room.place()) else { return };
        if let Some(place) = waiting.iter().position(|&one| one == connection) {
            waiting.remove(place);
        }
    }

    /// All that wait in a room, who do not until they are [put back](Self::put_back).
    pub(super) fn take(&mut self, room: RoomKey) -> Vec<u32> {
        self.0.get_mut(room.place()).map(std::mem::take).unwrap_or_default()
    }

    /// Those of a room who wait on.
    pub(super) fn put_back(&mut self, room: RoomKey, waiting: Vec<u32>) {
        if let Some(place) = self.0.get_mut(room.place()) {
            *place = waiting;
        }
    }

    /// The room has ended, in which nobody waits.
    pub(super) fn forget(&mut self, room: RoomKey) {
        self.put_back(room, Vec::new());
    }
}
