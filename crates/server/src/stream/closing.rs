//! Keeping a stream open, ending it, and giving it up.

use pushbench_core::Delivery;

use super::Stream;
use crate::connection::{ConnectionState, Overdue};
use crate::view::View;
use crate::wire::End;

impl Stream {
    /// Ends the stream because the server stops.
    pub(crate) fn stop(&mut self, view: View<'_>) {
        if self.connection.state() == ConnectionState::Streaming {
            self.end(End::Stop);
            self.write(view);
        }
    }

    /// Says the last words: the client gets them after the message that is being written.
    pub(crate) fn end(&mut self, why: End) {
        let is_answered = self.wire.end(why, self.cursor, &mut self.control);
        self.connection.go_on(if is_answered {
            ConnectionState::Closing
        } else {
            ConnectionState::Ending
        });
    }

    /// Looks at what time it is: keeps a silent stream open, and gives up one whose client
    /// takes nothing, or does not leave.
    pub(crate) fn tick(&mut self, view: View<'_>) {
        let was_open = self.connection.state() == ConnectionState::Streaming;
        match self.connection.give_up_overdue(view.config, view.now) {
            Some(Overdue::Write) => self.count_stalled(was_open, view),
            Some(_) => {}
            None if was_open && !self.connection.is_behind() => self.keep_alive(view),
            None => {}
        }
    }

    fn count_stalled(&self, was_open: bool, view: View<'_>) {
        view.counters.stalled.add(1);
        if was_open && self.delivery == Delivery::Every && !view.ring.holds_after(self.cursor) {
            view.counters.overrun.add(1);
        }
    }

    fn keep_alive(&mut self, view: View<'_>) {
        let silence = self.connection.waited(view.now);
        if view.config.heartbeat.is_some_and(|longest| silence >= longest) {
            self.wire.keep_alive(&mut self.control);
            self.write(view);
        }
    }
}
