//! The turn of a connection that polls: reads requests and answers them one after another.
//!
//! A `GET` for a poll without a body is parsed where it was read, in a buffer that all connections
//! share. Anything else goes to hyper with all its bytes, and a poll that hyper reads comes back.

use std::task::{Context, Poll};

use super::head::{self, MAX_HEAD, Parsed};
use crate::connection::ConnectionState;
use crate::polls::{Poller, PollsCommon};
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

/// The turn of the connection's own task.
pub(super) fn attend(
    poller: &mut Poller,
    cx: &mut Context<'_>,
    scratch: &mut [u8],
    common: &mut PollsCommon,
    view: View<'_>,
) -> Turn {
    poller.attend(cx, view);
    let is_resumed = poller.state() == ConnectionState::Idle && !poller.unread.is_empty();
    let mut to_hyper = is_resumed && resume(poller, common, view);
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
        match poller.poll_read(cx, scratch, view) {
            Poll::Pending => return Turn::Waits,
            Poll::Ready(count) => to_hyper = received(poller, &scratch[..count], common, view),
        }
    }
    cx.waker().wake_by_ref();
    Turn::Waits
}

/// Takes bytes from the client; whether the next request is hyper's.
fn received(poller: &mut Poller, input: &[u8], common: &mut PollsCommon, view: View<'_>) -> bool {
    if !poller.unread.is_empty() {
        poller.unread.extend_from_slice(input);
        return resume(poller, common, view);
    }
    let Answered { used, to_hyper } = answer(poller, input, common, view);
    poller.unread.extend_from_slice(&input[used..]);
    to_hyper
}

/// Goes on with what was read before; whether the next request is hyper's.
fn resume(poller: &mut Poller, common: &mut PollsCommon, view: View<'_>) -> bool {
    let mut unread = std::mem::take(&mut poller.unread);
    let Answered { used, to_hyper } = answer(poller, &unread, common, view);
    if used < unread.len() {
        unread.drain(..used);
        poller.unread = unread;
    }
    to_hyper
}

/// Answers the requests that `input` has, one after another.
fn answer(poller: &mut Poller, input: &[u8], common: &mut PollsCommon, view: View<'_>) -> Answered {
    let mut used = 0;
    while poller.takes_requests() {
        let rest = &input[used..];
        if rest.is_empty() {
            break;
        }
        match head::parse(rest, view.config, poller.is_loopback()) {
            Parsed::Poll(request, length) => {
                used += length;
                poller.answer(&request, common, view);
            }
            // hyper says what is wrong with a head that is too long.
            Parsed::Partial if rest.len() <= MAX_HEAD => {
                poller.begin_receiving(view.now);
                break;
            }
            Parsed::Partial | Parsed::Other => return Answered { used, to_hyper: true },
        }
    }
    Answered { used, to_hyper: false }
}
