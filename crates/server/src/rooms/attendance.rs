//! Who is in a room: how many, and who is to be told that it has changed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pushbench_core::MonoInstant;
use tokio::sync::Notify;

use super::key::RoomKey;

/// The number of those in one room.
#[derive(Debug)]
pub(crate) struct Attendance {
    room: RoomKey,
    connected: Cell<u32>,
    /// It stands on the board.
    is_noted: Cell<bool>,
    board: Rc<Board>,
}

/// The rooms in which that has changed.
#[derive(Debug, Default)]
pub(crate) struct Board {
    changed: RefCell<Vec<RoomKey>>,
    news: Notify,
}

/// One that is in a room, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Present {
    attendance: Rc<Attendance>,
    /// Of one that polls: when it last asked.
    asked: MonoInstant,
}

impl Attendance {
    pub(super) fn new(room: RoomKey, board: Rc<Board>) -> Rc<Self> {
        Rc::new(Self { room, connected: Cell::new(0), is_noted: Cell::new(false), board })
    }

    pub(crate) fn connected(&self) -> u32 {
        self.connected.get()
    }

    fn change(&self, connected: u32) {
        self.connected.set(connected);
        self.note();
    }

    /// Has the streams of the room told how many are in it.
    pub(crate) fn note(&self) {
        if !self.is_noted.replace(true) {
            self.board.changed.borrow_mut().push(self.room);
            self.board.news.notify_one();
        }
    }

    /// Takes what stands on the board to be told: what changes from now on is noted anew.
    pub(crate) fn is_told(&self) {
        self.is_noted.set(false);
    }
}

impl Board {
    /// The rooms that have changed since this was last asked, as soon as there are any.
    pub(crate) async fn changed(&self) -> Vec<RoomKey> {
        loop {
            let changed = std::mem::take(&mut *self.changed.borrow_mut());
            if !changed.is_empty() {
                return changed;
            }
            self.news.notified().await;
        }
    }
}

impl Present {
    pub(super) fn new(attendance: &Rc<Attendance>, asked: MonoInstant) -> Self {
        attendance.change(attendance.connected() + 1);
        Self { attendance: Rc::clone(attendance), asked }
    }

    /// Whether it is in this room.
    pub(super) fn is_in(&self, attendance: &Rc<Attendance>) -> bool {
        Rc::ptr_eq(&self.attendance, attendance)
    }

    pub(super) const fn asks(&mut self, now: MonoInstant) {
        self.asked = now;
    }

    pub(super) const fn asked(&self) -> MonoInstant {
        self.asked
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.attendance.change(self.attendance.connected() - 1);
    }
}
