//! The handing over of a connection from hyper to whoever serves it from then on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::connection::Connection;
use crate::polls::request::PollRequest;
use crate::rooms::room::Room;
use crate::stream::Opening;

/// Reasons for which a connection leaves hyper.
#[derive(Debug)]
pub(super) enum Takeover {
    /// It is to become a stream of a room.
    Stream(Rc<Room>, Opening),
    /// It asks for a poll of the feed, or of the room of that name.
    Poll(PollRequest<'static>, Option<Box<str>>),
}

/// A connection in hyper's hands, shared by its task, its service and housekeeping.
pub(super) struct Exchange {
    pub(super) connection: Rc<RefCell<Connection>>,
    takeover: Cell<Option<Takeover>>,
}

impl Exchange {
    pub(super) const fn new(connection: Rc<RefCell<Connection>>) -> Self {
        Self { connection, takeover: Cell::new(None) }
    }

    /// Asks for the connection to be taken over. The service stays pending from then on.
    pub(super) fn take_over(&self, takeover: Takeover) {
        self.takeover.set(Some(takeover));
    }

    /// The takeover that was asked for, once; not while an earlier response is on its way out.
    pub(super) fn takeover(&self) -> Option<Takeover> {
        if self.connection.borrow().is_behind() { None } else { self.takeover.take() }
    }
}
