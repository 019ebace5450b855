//! Compressed messages of a client (RFC 7692 §6.2), inflated as they come.

use super::SaidError;
use crate::deflate::{Decompressor, Side};
use crate::frame::FrameError;

/// Bytes inflated at a time.
const INFLATED: usize = 4096;

/// Compressed messages, where client and server have agreed on them.
#[derive(Debug)]
pub(super) struct Inflating {
    client: Side,
    /// Kept between messages where one may refer to those before it.
    decompressor: Option<Decompressor>,
}

impl Inflating {
    pub(super) const fn new(client: Side) -> Self {
        Self { client, decompressor: None }
    }

    /// Gives what the bytes of a compressed message are, piece by piece.
    pub(super) fn inflate(
        &mut self,
        mut data: &[u8],
        ends: bool,
        limit: usize,
        mut give: impl FnMut(&[u8]) -> Result<(), FrameError>,
    ) -> Result<(), SaidError> {
        let takeover = self.client.takeover;
        let decompressor =
            self.decompressor.get_or_insert_with(|| Decompressor::new(takeover, limit));
        let mut buffer = [0; INFLATED];
        while let Some(piece) = decompressor.next(&mut data, ends, &mut buffer)? {
            give(piece)?;
        }
        if ends && !takeover {
            self.decompressor = None;
        }
        Ok(())
    }
}
