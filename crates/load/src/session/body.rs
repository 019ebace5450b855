//! Messages out of the bodies that answer polls. A payload is looked at, never kept.

use pushbench_core::feed::identity::{Identity, IdentityReader};
use pushbench_core::feed::number::NumberError;
use pushbench_core::{Delivery, Seq};
use pushbench_metrics::observe::ledger::Layer;
use pushbench_protocol::batch::{BatchError, BatchReader, MAX_BATCH, Piece};
use thiserror::Error;

use super::error::ProtocolError;
use super::output::Output;
use super::request::RequestTarget;

/// A body that is not what it should be.
#[derive(Debug, Error)]
pub(super) enum BodyError {
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error(transparent)]
    NoSequence(#[from] NumberError),
}

impl BodyError {
    /// The same, of the body of the answer to a request.
    #[cold]
    pub(super) fn of(self, target: RequestTarget<'_>) -> ProtocolError {
        let request = target.describe();
        match self {
            Self::Batch(source) => ProtocolError::Batch { request, source },
            Self::NoSequence(source) => ProtocolError::NoSequence { request, source },
        }
    }
}

/// Reads the body of an answer that brings the feed: messages with their lengths under
/// [`Delivery::Every`], one message under [`Delivery::Latest`].
#[derive(Debug)]
pub(super) struct BodyReader {
    delivery: Delivery,
    batch: BatchReader,
    identity: IdentityReader,
    /// Bytes of the body so far.
    length: u64,
    /// The place in the source's order of the last message before this one.
    place: Seq,
    /// The last message of this body, and its place.
    last: Option<(Seq, Identity)>,
}

impl BodyReader {
    pub(super) fn new(delivery: Delivery, identity: IdentityReader) -> Self {
        let (batch, place) = (BatchReader::default(), Seq::NONE);
        Self { delivery, batch, identity, length: 0, place, last: None }
    }

    /// A new body begins, with what comes behind the message at `place`.
    pub(super) fn begin(&mut self, place: Seq) {
        self.identity.restart();
        *self = Self { place, ..Self::new(self.delivery, self.identity) };
    }

    /// Takes and attributes bytes of the body. Messages of a batch go to `out`.
    pub(super) fn data(&mut self, data: &[u8], out: &mut Output) -> Result<(), BodyError> {
        self.length += data.len() as u64;
        match self.delivery {
            Delivery::Every => self.batch(data, out),
            Delivery::Latest => {
                out.count(Layer::Payload, data.len());
                self.identity.push(data);
                Ok(())
            }
        }
    }

    fn batch(&mut self, mut data: &[u8], out: &mut Output) -> Result<(), BodyError> {
        while let Some(piece) = self.batch.next(&mut data)? {
            match piece {
                Piece::Framing(bytes) => out.count(Layer::Framing, bytes),
                Piece::Payload(payload, done) => {
                    out.count(Layer::Payload, payload.len());
                    if done {
                        let message = self.identity.last(payload)?;
                        out.messages.push(message);
                        self.place = self.identity.place(message, self.place);
                        self.last = Some((self.place, message));
                    } else {
                        self.identity.push(payload);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the batch is about as long as one may be: another message may not have had room.
    pub(super) const fn is_full(&self) -> bool {
        self.length > (MAX_BATCH - MAX_BATCH / 16) as u64
    }

    /// The body has ended: its last message, if it had any, and its place. A single message is not yet in any
    /// output, since it may be one that the client has.
    pub(super) fn end(&mut self) -> Result<Option<(Seq, Identity)>, BodyError> {
        match self.delivery {
            Delivery::Every => Ok(self.batch.finish().map(|()| self.last)?),
            Delivery::Latest if self.length == 0 => Ok(None),
            Delivery::Latest => {
                let message = self.identity.finish()?;
                Ok(Some((self.identity.place(message, self.place), message)))
            }
        }
    }
}
