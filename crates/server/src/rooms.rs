//! The rooms: the feed, and those that clients begin by their first use of a name.
//!
//! A room ends once nobody has been in it for a while. Its messages are gone then; one that begins under
//! that name anew goes on with its numbers, so that a cursor into what is gone is told so. It has another
//! id, which tells also after so many others that the name has been forgotten.

pub(crate) mod attendance;
mod ended;
pub(crate) mod guest;
pub(crate) mod hearing;
pub(crate) mod key;
pub(crate) mod refusal;
pub(crate) mod room;
pub(crate) mod talk;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use pushbench_core::feed::message::Content;
use pushbench_core::{MonoInstant, Seq};
use pushbench_os::time::clock;
use slab::Slab;
use tokio::sync::Notify;

use self::attendance::{Attendance, Board};
use self::ended::Ended;
use self::guest::Guest;
use self::hearing::Hearing;
use self::key::RoomKey;
use self::refusal::RoomRefusal;
use self::room::{Room, RoomKind};
use crate::config::{RingLimits, RoomLimits};
use crate::counters::Counter;
use crate::feed_id::FeedId;
use crate::ring::{Ring, Whose};
use crate::stamps::StampLog;
use crate::wire::Codings;

/// The rooms that are always there.
const LASTING: usize = 2;

/// The longest name of a room.
const MAX_NAME: usize = 64;

#[derive(Debug)]
pub(crate) struct Rooms {
    limits: RoomLimits,
    rooms: RefCell<Slab<Rc<Room>>>,
    by_name: RefCell<HashMap<Rc<str>, RoomKey>>,
    ended: RefCell<Ended>,
    /// Who came and went.
    pub(crate) board: Rc<Board>,
    /// Rooms with messages that wait to be written.
    with_news: RefCell<Vec<RoomKey>>,
    news: Notify,
    codings: Rc<Codings>,
    /// Of rooms whose messages are not stamped.
    unstamped: Rc<StampLog>,
    /// Rooms that clients have begun.
    pub(crate) begun: Counter,
    /// Messages that clients have said.
    pub(crate) said: Counter,
    /// Messages that were not taken, and rooms that were not begun.
    pub(crate) refused: Counter,
    serial: Cell<u64>,
    /// Where clients upload.
    pub(crate) hearing: Option<Hearing>,
}

/// Whether a room may have this name.
pub(crate) fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

impl Rooms {
    /// The feed, as its ring keeps it and with its stamps, and no other room. Where there is a `hearing`,
    /// it alone hears what clients say.
    pub(crate) fn new(
        (limits, hearing): (RoomLimits, Option<Hearing>),
        feed: (FeedId, RingLimits, Rc<StampLog>),
        codings: Codings,
        now: MonoInstant,
    ) -> Self {
        let rooms = Self {
            limits,
            rooms: RefCell::default(),
            by_name: RefCell::default(),
            ended: RefCell::default(),
            board: Rc::default(),
            with_news: RefCell::default(),
            news: Notify::new(),
            codings: Rc::new(codings),
            unstamped: Rc::new(StampLog::new(None, false)),
            begun: Counter::default(),
            said: Counter::default(),
            refused: Counter::default(),
            serial: Cell::new(0),
            hearing,
        };
        let (id, ring, stamps) = feed;
        rooms.add(RoomKind::Feed, id, ring, stamps, now);
        rooms.add(RoomKind::Echo, id, RingLimits::default(), Rc::clone(&rooms.unstamped), now);
        rooms
    }

    fn add(
        &self,
        kind: RoomKind,
        id: FeedId,
        ring: RingLimits,
        stamps: Rc<StampLog>,
        now: MonoInstant,
    ) -> Rc<Room> {
        let mut rooms = self.rooms.borrow_mut();
        let place = rooms.vacant_entry();
        let key = RoomKey::at(place.key());
        let whose = Whose { room: key, feed: id };
        let room = Rc::new(Room {
            key,
            kind,
            ring: RefCell::new(Ring::new(whose, ring, Rc::clone(&self.codings))),
            streams: RefCell::default(),
            attendance: Attendance::new(key, Rc::clone(&self.board)),
            stamps,
            used: Cell::new(now),
            has_news: Cell::new(false),
        });
        Rc::clone(place.insert(room))
    }

    pub(crate) const fn limits(&self) -> &RoomLimits {
        &self.limits
    }

    /// A room that is there for as long as its key is used.
    pub(crate) fn get(&self, key: RoomKey) -> Rc<Room> {
        Rc::clone(&self.rooms.borrow()[key.place()])
    }

    /// A room, unless it has ended.
    pub(crate) fn find(&self, key: RoomKey) -> Option<Rc<Room>> {
        self.rooms.borrow().get(key.place()).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Rc<Room>> {
        self.rooms.borrow().iter().map(|(_, room)| Rc::clone(room)).collect()
    }

    /// Rooms of clients.
    pub(crate) fn len(&self) -> usize {
        self.rooms.borrow().len() - LASTING
    }

    /// The room of this name, which begins where there is none.
    ///
    /// # Errors
    ///
    /// Where the client begins too many, or there are too many.
    pub(crate) fn enter(
        &self,
        name: &str,
        guest: &mut Guest,
        now: MonoInstant,
    ) -> Result<Rc<Room>, RoomRefusal> {
        let known = self.by_name.borrow().get(name).copied();
        if let Some(key) = known {
            let room = self.get(key);
            room.used.set(now);
            return Ok(room);
        }
        self.begin(name, guest, now).inspect_err(|_| self.refused.add(1))
    }

    fn begin(
        &self,
        name: &str,
        guest: &mut Guest,
        now: MonoInstant,
    ) -> Result<Rc<Room>, RoomRefusal> {
        let RoomLimits { rooms: most, begins, idle, ring, .. } = self.limits;
        if self.len() >= most {
            return Err(RoomRefusal::Full { most, after: idle });
        }
        guest.begins(begins, now).map_err(|after| RoomRefusal::BeginsTooMany {
            most: begins.at_once,
            per_second: begins.per_second,
            after,
        })?;
        self.begun.add(1);
        self.serial.set(self.serial.get() + 1);
        let name: Rc<str> = name.into();
        let id = FeedId::of_room(now, self.serial.get());
        let stamps = Rc::clone(&self.unstamped);
        let room = self.add(RoomKind::Named(Rc::clone(&name)), id, ring, stamps, now);
        room.ring.borrow_mut().going_on_after(self.ended.borrow_mut().recall(&name));
        self.by_name.borrow_mut().insert(name, room.key);
        Ok(room)
    }

    /// Says a message in the room of this name, which begins where there is none.
    ///
    /// # Errors
    ///
    /// Why the room is not to be had, or the message is not taken.
    pub(crate) fn say_in(
        &self,
        name: &str,
        guest: &mut Guest,
        (content, payload): (Content, &[u8]),
        now: MonoInstant,
    ) -> Result<Seq, RoomRefusal> {
        if content == Content::Text && std::str::from_utf8(payload).is_err() {
            self.refused.add(1);
            return Err(RoomRefusal::NotText);
        }
        let room = self.enter(name, guest, now)?;
        self.say(&room, guest, content, payload, now)
    }

    /// Adds a client's message to a room. Whoever waits for it gets it before long. Where clients upload, the
    /// server alone hears it.
    ///
    /// # Errors
    ///
    /// Where it has no bytes or too many, or the client has said too much.
    pub(crate) fn say(
        &self,
        room: &Room,
        guest: &mut Guest,
        content: Content,
        payload: &[u8],
        now: MonoInstant,
    ) -> Result<Seq, RoomRefusal> {
        self.check(guest, payload, now).inspect_err(|_| self.refused.add(1))?;
        self.said.add(1);
        room.used.set(now);
        if let Some(hearing) = &self.hearing {
            hearing.hear(payload, clock::now());
            return Ok(Seq(self.said.get()));
        }
        let seq = room.push(content, payload, self.share());
        if !room.has_news.replace(true) {
            self.with_news.borrow_mut().push(room.key);
            self.news.notify_one();
        }
        Ok(seq)
    }

    fn check(
        &self,
        guest: &mut Guest,
        payload: &[u8],
        now: MonoInstant,
    ) -> Result<(), RoomRefusal> {
        let RoomLimits { message: most, says, .. } = self.limits;
        if payload.is_empty() {
            return Err(RoomRefusal::Empty);
        }
        if payload.len() > most {
            return Err(RoomRefusal::TooLarge { most });
        }
        guest.says(says, now).map_err(|after| RoomRefusal::SaysTooMuch {
            most: says.at_once,
            per_second: says.per_second,
            after,
        })
    }

    /// Bytes of past messages that each room may hold: all share alike in what there is.
    fn share(&self) -> usize {
        (self.limits.memory / self.len().max(1)).min(self.limits.ring.bytes)
    }

    /// Bytes of past messages that clients' rooms hold.
    pub(crate) fn bytes(&self) -> usize {
        let rooms = self.rooms.borrow();
        rooms.iter().skip(LASTING).map(|(_, room)| room.ring.borrow().bytes()).sum()
    }

    /// The rooms whose messages wait to be written, as soon as there are any.
    pub(crate) async fn with_news(&self) -> Vec<Rc<Room>> {
        loop {
            let keys = std::mem::take(&mut *self.with_news.borrow_mut());
            if !keys.is_empty() {
                let rooms: Vec<_> = keys.into_iter().filter_map(|key| self.find(key)).collect();
                rooms.iter().for_each(|room| room.has_news.set(false));
                return rooms;
            }
            self.news.notified().await;
        }
    }

    /// Ends the rooms in which nobody has been for a while, and has all others hold no more than their
    /// share; which have ended.
    pub(crate) fn tidy(&self, now: MonoInstant) -> Vec<RoomKey> {
        let (idle, share) = (self.limits.idle, self.share());
        let mut ended = Vec::new();
        self.rooms.borrow_mut().retain(|place, room| {
            let RoomKind::Named(name) = &room.kind else { return true };
            let is_used = room.attendance.connected() > 0
                || Rc::strong_count(room) > 1
                || now.saturating_since(room.used.get()) < idle;
            if is_used {
                if !room.has_news.get() {
                    room.ring.borrow_mut().shrink(share);
                }
                return true;
            }
            self.by_name.borrow_mut().remove(name);
            let newest = room.ring.borrow().newest();
            self.ended.borrow_mut().remember(name, newest, self.limits.rooms);
            ended.push(RoomKey::at(place));
            false
        });
        ended
    }
}
