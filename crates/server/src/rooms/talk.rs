//! Words of clients, heard by the room in which they are said.

use std::rc::Rc;

use pushbench_core::MonoInstant;
use pushbench_core::feed::message::Content;
use slab::Slab;

use super::Rooms;
use super::guest::Guest;
use super::refusal::RoomRefusal;
use super::room::{Room, RoomKind};
use crate::stream::Stream;
use crate::wire::{Back, Codings, Ears, End, Parting};

/// The largest message that is sent back.
const MAX_ECHO: usize = 16 << 20;

/// The largest message that nobody hears.
const MAX_UNHEARD: usize = 64 << 10;

/// Bytes of its words above which a client may be one that takes too much.
const MUCH: usize = 256 << 10;

/// The close codes of a client that says too much or nothing, and of one whose message is too large
/// (RFC 6455 §7.4.1).
const POLICY: u16 = 1008;
const SIZE: u16 = 1009;

/// Has `take` take what a stream's client says, heard as the stream's room has it.
pub(crate) fn listen<T>(
    rooms: &Rooms,
    room: &Room,
    stream: &mut Stream,
    now: MonoInstant,
    take: impl FnOnce(&mut Stream, &mut dyn Ears) -> T,
) -> T {
    match &room.kind {
        RoomKind::Feed => take(stream, &mut Unheard),
        RoomKind::Echo => {
            let codings = Rc::clone(&room.ring.borrow().codings);
            take(stream, &mut Echo(&codings))
        }
        RoomKind::Named(_) => {
            // Stream and guest are lent apart, so the guest is taken out for as long.
            let mut guest = std::mem::take(stream.guest());
            let outcome = take(stream, &mut Heard { rooms, room, guest: &mut guest, now });
            *stream.guest() = guest;
            outcome
        }
    }
}

/// Ends a stream whose client's words take much memory, where those of all do.
pub(crate) fn bound(rooms: &Rooms, streams: &mut Slab<Stream>, key: usize) {
    if streams[key].held() <= MUCH {
        return;
    }
    let all: usize = streams.iter().map(|(_, stream)| stream.held()).sum();
    if all > rooms.limits().echoes {
        streams[key].end(End::Full);
    }
}

/// Words on the feed mean nothing.
struct Unheard;

impl Ears for Unheard {
    fn longest(&self) -> usize {
        MAX_UNHEARD
    }

    fn hear(&mut self, _: Content, _: &[u8], _: Back<'_>) -> Result<(), Parting> {
        Ok(())
    }
}

/// Words that come back as they were.
struct Echo<'a>(&'a Codings);

impl Ears for Echo<'_> {
    fn longest(&self) -> usize {
        MAX_ECHO
    }

    fn hear(&mut self, content: Content, payload: &[u8], back: Back<'_>) -> Result<(), Parting> {
        back.say(content, payload, self.0);
        Ok(())
    }
}

/// Words that all in the room hear.
struct Heard<'a> {
    rooms: &'a Rooms,
    room: &'a Room,
    guest: &'a mut Guest,
    now: MonoInstant,
}

impl Ears for Heard<'_> {
    fn longest(&self) -> usize {
        self.rooms.limits().message
    }

    fn hear(&mut self, content: Content, payload: &[u8], _: Back<'_>) -> Result<(), Parting> {
        let said = self.rooms.say(self.room, self.guest, content, payload, self.now);
        said.map(drop).map_err(|refusal| {
            let code = if matches!(refusal, RoomRefusal::TooLarge { .. }) { SIZE } else { POLICY };
            Parting { code, reason: refusal.to_string() }
        })
    }
}
