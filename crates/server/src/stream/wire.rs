//! The language of a stream: the form of its messages, and the server's own words between them.

use std::time::Duration;

use pushbench_core::Seq;

use super::conversation::{Conversation, Verdict};
use super::{sse, websocket};
use crate::config::ServerConfig;
use crate::connection::Phase;
use crate::counters::Kind;
use crate::ring::encoding::Encoding;

/// The kinds of connections that are streams.
pub(crate) const KINDS: [Kind; 2] = [sse::KIND, websocket::KIND];

/// The language of a stream.
#[derive(Debug)]
pub(crate) enum Wire {
    /// Events, which only the server says.
    Events,
    /// Frames, and the conversation, once the client has said something or the server ends it.
    Frames(Option<Box<Conversation>>),
}

/// Reasons for which the server ends a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// The cursor fell off the ring, whose oldest message is this.
    Gone { oldest: Seq },
    /// The server stops.
    Stop,
}

impl Wire {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Events => sse::KIND,
            Self::Frames(_) => websocket::KIND,
        }
    }

    /// The form of its messages.
    #[inline]
    pub(super) const fn encoding(&self) -> Encoding {
        match self {
            Self::Events => Encoding::Event,
            Self::Frames(_) => Encoding::Frame,
        }
    }

    /// Takes bytes from the client, and appends the answers to them. Those of a client that has
    /// only to listen mean nothing.
    pub(super) fn receive(&mut self, input: &[u8], answers: &mut Vec<u8>) -> Verdict {
        match self {
            Self::Events => Verdict::Open,
            Self::Frames(conversation) => begun(conversation).receive(input, answers),
        }
    }

    /// Appends the last words to a client that has had the messages up to `cursor`; what its
    /// connection is in from then on.
    pub(super) fn end(&mut self, why: End, cursor: Seq, words: &mut Vec<u8>) -> Phase {
        match (self, why) {
            (Self::Events, End::Gone { oldest }) => sse::end_gone(words, oldest, cursor),
            (Self::Events, End::Stop) => sse::end(words),
            (Self::Frames(conversation), why) => {
                let conversation = begun(conversation);
                match why {
                    End::Gone { oldest } => websocket::end_gone(conversation, words, oldest),
                    End::Stop => websocket::end(conversation, words),
                }
                return Phase::Closing;
            }
        }
        Phase::Ending
    }

    /// The silence after which a word is due that keeps the stream open.
    pub(super) const fn silence(&self, config: &ServerConfig) -> Option<Duration> {
        match self {
            Self::Events => Some(config.sse_keep_alive),
            Self::Frames(_) => config.ping_interval,
        }
    }

    /// Appends that word.
    pub(super) fn keep_alive(&self, words: &mut Vec<u8>) {
        match self {
            Self::Events => sse::keep_alive(words),
            Self::Frames(_) => words.extend_from_slice(websocket::PING),
        }
    }
}

fn begun(conversation: &mut Option<Box<Conversation>>) -> &mut Conversation {
    conversation.get_or_insert_with(|| Box::new(Conversation::new()))
}
