//! A room: messages in one order, and the streams that bring them to those in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pushbench_core::feed::message::Content;
use pushbench_core::{MonoInstant, Seq};
use slab::Slab;

use super::attendance::Attendance;
use super::key::RoomKey;
use crate::ring::{Entry, Ring};
use crate::stamps::StampLog;
use crate::stream::{Stream, Tip};
use crate::view::View;

/// Whose words are heard in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoomKind {
    /// Nobody's but the publisher's: it is the feed.
    Feed,
    /// Each one's, by itself alone.
    Echo,
    /// Everybody's, by all. It has a name.
    Named(Rc<str>),
}

/// One room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) key: RoomKey,
    pub(crate) kind: RoomKind,
    pub(crate) ring: RefCell<Ring>,
    pub(crate) streams: RefCell<Slab<Stream>>,
    pub(crate) attendance: Rc<Attendance>,
    /// The way of sampled messages.
    pub(crate) stamps: Rc<StampLog>,
    /// When somebody last came, asked, or said something.
    pub(super) used: Cell<MonoInstant>,
    /// Messages wait to be written to those in it.
    pub(super) has_news: Cell<bool>,
}

impl Room {
    /// The room and the books as of now: `books` with what is this room's own.
    #[inline]
    pub(crate) fn view<'a>(&'a self, books: View<'a>, ring: &'a Ring) -> View<'a> {
        View { ring, stamps: &self.stamps, ..books }
    }

    /// Adds a message said by somebody, and lets go of the oldest beyond `bytes`.
    pub(super) fn push(&self, content: Content, payload: &[u8], bytes: usize) -> Seq {
        let mut ring = self.ring.borrow_mut();
        let seq = ring.newest().next();
        ring.limit(bytes);
        ring.push(Entry::new(seq, content, payload));
        seq
    }

    /// Writes what is new to every stream that can take it.
    pub(crate) fn fan_out(&self, view: View<'_>) {
        let Some(tip) = Tip::new(view) else { return };
        for (_, stream) in &mut *self.streams.borrow_mut() {
            if stream.is_at_tip() && !stream.write_tip(tip, view) {
                stream.write(view);
            }
        }
    }

    /// Tells every stream that wants to know how many are in the room. Whether all have been told that
    /// can be.
    pub(crate) fn tell_presence(&self, view: View<'_>) -> bool {
        let connected = self.attendance.connected();
        let mut all = true;
        for (_, stream) in &mut *self.streams.borrow_mut() {
            all &= stream.tell_presence(connected, view);
        }
        all
    }

    /// Looks at what time it is, for every stream.
    pub(crate) fn tick(&self, view: View<'_>) {
        for (_, stream) in &mut *self.streams.borrow_mut() {
            stream.tick(view);
        }
    }

    /// Says goodbye to every stream.
    pub(crate) fn stop(&self, view: View<'_>) {
        for (_, stream) in &mut *self.streams.borrow_mut() {
            stream.stop(view);
        }
    }
}
