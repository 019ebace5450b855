//! The turn of a connection that polls: reads requests and answers them one after another.
//!
//! A `GET` for a poll without a body is parsed where it was read, in a buffer that all connections
//! share, and so is a `POST` of a message whose length is plain. Anything else goes to hyper with all
//! its bytes, and a poll that hyper reads comes back.

use std::task::{Context, Poll};

use pushbench_os::time::clock;

use super::head::{self, MAX_HEAD, Parsed, Words};
use crate::connection::ConnectionState;
use crate::polls::request::PollRequest;
use crate::polls::{Poller, PollsCommon};
use crate::shared::Shared;
use crate::turn;
use crate::view::View;

/// Reads after which a client lets others have their turn.
const READS_PER_TURN: usize = 4;

/// States of a connection after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It waits until it is woken.
    Waits,
    /// It is to be closed.
    Over,
    /// Its next request is hyper's.
    ToHyper,
}

/// The requests that bytes begin with.
struct Answered {
    /// The bytes that they took.
    used: usize,
    /// Whether the next one is hyper's.
    to_hyper: bool,
}

/// A connection that polls, and its number.
type Numbered<'a> = (&'a mut Poller, u32);

/// The turn of the connection's own task.
pub(super) fn attend(
    (poller, key): Numbered<'_>,
    cx: &mut Context<'_>,
    scratch: &mut [u8],
    common: &mut PollsCommon,
    shared: &Shared,
) -> Turn {
    let ring = shared.feed.ring.borrow();
    let view = shared.view(&shared.feed, &ring);
    let mut desk = Desk { common, shared, view };
    poller.attend(cx, view);
    let is_resumed = poller.state() == ConnectionState::Idle && !poller.unread.is_empty();
    let mut to_hyper = is_resumed && desk.resume((poller, key));
    let mut reads = 0;
    loop {
        match poller.state() {
            ConnectionState::Dead => return Turn::Over,
            _ if poller.is_behind() => return Turn::Waits,
            _ if to_hyper => return Turn::ToHyper,
            ConnectionState::Waiting if poller.unread.len() >= MAX_HEAD => return Turn::Waits,
            _ if reads == READS_PER_TURN => break,
            _ => reads += 1,
        }
        match poller.poll_read(cx, scratch, desk.common, view) {
            Poll::Pending => return Turn::Waits,
            Poll::Ready(count) => to_hyper = desk.received((poller, key), &scratch[..count]),
        }
    }
    turn::again(cx.waker());
    Turn::Waits
}

/// Answers a poll of the feed or of a room that hyper has read.
pub(super) fn answer(
    numbered: Numbered<'_>,
    (request, room): (&PollRequest<'_>, Option<&str>),
    common: &mut PollsCommon,
    shared: &Shared,
) {
    let ring = shared.feed.ring.borrow();
    let view = shared.view(&shared.feed, &ring);
    Desk { common, shared, view }.answer(numbered, request, room);
}

/// Everything that answers need beside the connection.
struct Desk<'a> {
    common: &'a mut PollsCommon,
    shared: &'a Shared,
    /// The feed, which most ask for.
    view: View<'a>,
}

impl Desk<'_> {
    /// Takes bytes from the client; whether the next request is hyper's.
    fn received(&mut self, (poller, key): Numbered<'_>, input: &[u8]) -> bool {
        if !poller.unread.is_empty() {
            poller.unread.extend_from_slice(input);
            return self.resume((poller, key));
        }
        let Answered { used, to_hyper } = self.answer_all((poller, key), input);
        poller.unread.extend_from_slice(&input[used..]);
        to_hyper
    }

    /// Goes on with what was read before; whether the next request is hyper's.
    fn resume(&mut self, (poller, key): Numbered<'_>) -> bool {
        let mut unread = std::mem::take(&mut poller.unread);
        let Answered { used, to_hyper } = self.answer_all((poller, key), &unread);
        if used < unread.len() {
            unread.drain(..used);
            poller.unread = unread;
        }
        to_hyper
    }

    /// Answers the requests that `input` has, one after another.
    fn answer_all(&mut self, (poller, key): Numbered<'_>, input: &[u8]) -> Answered {
        let mut used = 0;
        while poller.takes_requests() {
            let rest = &input[used..];
            if rest.is_empty() {
                break;
            }
            match head::parse(rest, self.view.config, poller.is_loopback()) {
                Parsed::Poll(request, room, length) => {
                    used += length;
                    self.answer((poller, key), &request, room);
                }
                Parsed::Words(words, length) => {
                    used += length;
                    self.say(poller, &words);
                }
                // hyper says what is wrong with a head that is too long.
                Parsed::Partial if rest.len() > MAX_HEAD => {
                    return Answered { used, to_hyper: true };
                }
                Parsed::Partial | Parsed::PartialBody => {
                    poller.begin_receiving(self.view.now);
                    break;
                }
                Parsed::Other => return Answered { used, to_hyper: true },
            }
        }
        Answered { used, to_hyper: false }
    }

    /// Answers a poll of the feed or of a room.
    #[inline]
    fn answer(
        &mut self,
        (poller, key): Numbered<'_>,
        request: &PollRequest<'_>,
        room: Option<&str>,
    ) {
        match room {
            None => poller.answer(request, key, self.common, self.view),
            Some(name) => self.answer_in_room((poller, key), request, name),
        }
    }

    fn answer_in_room(
        &mut self,
        (poller, key): Numbered<'_>,
        request: &PollRequest<'_>,
        name: &str,
    ) {
        let Self { common, shared, view } = self;
        match shared.rooms.enter(name, poller.guest(), view.now) {
            Ok(room) => {
                poller.guest().enters(&room.attendance, view.now);
                let ring = room.ring.borrow();
                poller.answer(request, key, common, room.view(*view, &ring));
            }
            Err(refusal) => {
                let persistence = common.persistence(request.persistence);
                let how = (persistence, request.head_only, request.cors);
                poller.refuse_room(request.endpoint, &refusal, how, *view);
            }
        }
    }

    /// Answers a message that is said in a room.
    fn say(&mut self, poller: &mut Poller, words: &Words<'_>) {
        let Self { common, shared, view } = self;
        let Words { endpoint, room, content, payload, persistence, cors } = *words;
        let persistence = common.persistence(persistence);
        let said = shared.rooms.say_in(room, poller.guest(), (content, payload), clock::now());
        match said {
            Ok(seq) => poller.confirm(endpoint, seq, (persistence, cors), common, *view),
            Err(refusal) => {
                poller.refuse_room(endpoint, &refusal, (persistence, false, cors), *view);
            }
        }
    }
}
