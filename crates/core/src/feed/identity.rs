//! Messages told apart: by whose they are, and by their number among their sender's.
//!
//! Who receives a payload is given an [`IdentityReader`], and asks nothing else of what it carries.

use crate::feed::message::Seq;
use crate::feed::number::{NumberError, NumberReader};
use crate::feed::said::SaidReader;

/// Someone who publishes messages and numbers them from 1; counted from 0 within a trial.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender(pub u32);

impl Sender {
    /// The one publisher of a feed.
    pub const FEED: Self = Self(0);

    /// Its place in a list of all senders.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The identity of a message: two arrivals of the same are one message that came twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Who published it.
    pub sender: Sender,
    /// Its number among the sender's.
    pub seq: Seq,
}

impl Identity {
    /// A message of the feed.
    #[must_use]
    pub const fn of_feed(seq: Seq) -> Self {
        Self { sender: Sender::FEED, seq }
    }

    /// A message that a client of the trial said.
    #[must_use]
    pub const fn of_client((client, seq): (u32, Seq)) -> Self {
        Self { sender: Sender(client), seq }
    }
}

/// Reads one payload after another for the identities of their messages, as they arrive; nothing of
/// a payload is kept.
#[derive(Debug, Clone, Copy)]
pub enum IdentityReader {
    /// Messages of the feed, whose numbers are their places in it.
    Feed(NumberReader),
    /// Messages that clients said, in the order of a room.
    Room(SaidReader),
}

impl Default for IdentityReader {
    fn default() -> Self {
        Self::Feed(NumberReader::default())
    }
}

impl IdentityReader {
    /// Takes the last piece of the payload, most often its only one; the next payload begins.
    ///
    /// # Errors
    ///
    /// Why the message cannot be told from others.
    #[inline]
    pub fn last(&mut self, piece: &[u8]) -> Result<Identity, NumberError> {
        match self {
            Self::Feed(number) => number.last(piece).map(Identity::of_feed),
            Self::Room(said) => said.last(piece).map(Identity::of_client),
        }
    }

    /// Takes the next piece of the payload.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) {
        match self {
            Self::Feed(number) => number.push(piece),
            Self::Room(said) => said.push(piece),
        }
    }

    /// The identity of the message whose payload ends here; the next one begins.
    ///
    /// # Errors
    ///
    /// Why the message cannot be told from others.
    #[inline]
    pub fn finish(&mut self) -> Result<Identity, NumberError> {
        match self {
            Self::Feed(number) => number.finish().map(Identity::of_feed),
            Self::Room(said) => said.finish().map(Identity::of_client),
        }
    }

    /// Gives up on the payload, whatever else comes of it.
    pub const fn fail(&mut self, error: NumberError) {
        match self {
            Self::Feed(number) => number.fail(error),
            Self::Room(said) => said.fail(error),
        }
    }

    /// Whether the rest of the payload changes nothing.
    #[inline]
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        match self {
            Self::Feed(number) => number.is_decided(),
            Self::Room(said) => said.is_decided(),
        }
    }

    /// Forgets a payload that does not come to its end.
    pub fn restart(&mut self) {
        *self = match self {
            Self::Feed(_) => Self::default(),
            Self::Room(_) => Self::Room(SaidReader::default()),
        };
    }

    /// The place of a message in its source's order, behind the place of the one `before` it: what a
    /// client goes on from after a loss. Of the feed it is the number that the message carries; a
    /// room counts what it hears, without gaps.
    #[inline]
    #[must_use]
    pub const fn place(&self, message: Identity, before: Seq) -> Seq {
        match self {
            Self::Feed(_) => message.seq,
            Self::Room(_) => before.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_was_cut_leaves_nothing_to_the_next_one() {
        let mut reader = IdentityReader::default();
        reader.push(b"000000");
        reader.restart();
        assert_eq!(reader.last(b"0000000007"), Ok(Identity::of_feed(Seq(7))));
        reader.fail(NumberError::Base64);
        reader.restart();
        reader.push(b"00000000");
        reader.push(b"08 and more");
        assert_eq!(reader.finish(), Ok(Identity::of_feed(Seq(8))));
    }
}
