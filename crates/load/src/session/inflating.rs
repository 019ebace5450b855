//! Compressed messages of WebSockets, inflated for whoever looks at them (RFC 7692 §6.2).

use pushbench_protocol::deflate::{Decompressor, InflateError, Side};

/// Bytes inflated at a time.
pub(super) const BUFFER: usize = 16 << 10;

/// The most bytes that a compressed message may have: many times as many as any message of a feed.
/// Nothing of it is kept, so this bounds the time that one may take.
const MAX_MESSAGE: usize = 16 << 20;

/// The means of inflating that the sessions of a load process share.
#[derive(Debug, Default)]
pub(super) struct Bench {
    /// Decompressors without context takeover, between two messages.
    free: Vec<Decompressor>,
    pub(super) buffer: Vec<u8>,
}

/// The compressed messages of one connection.
#[derive(Debug)]
pub(super) struct Inflating {
    takeover: bool,
    /// Its own where messages refer to those before them; otherwise one that is borrowed for as long
    /// as a message lasts.
    decompressor: Option<Decompressor>,
}

impl Inflating {
    /// The messages of a server that keeps to these bounds.
    pub(super) const fn new(server: Side) -> Self {
        Self { takeover: server.takeover, decompressor: None }
    }

    /// Inflates the next bytes of a message, the `last` ones or not, and hands out what they are
    /// piece by piece; the last piece is empty. The number of bytes that it handed out.
    pub(super) fn inflate<E: From<InflateError>>(
        &mut self,
        mut data: &[u8],
        last: bool,
        bench: &mut Bench,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let takeover = self.takeover;
        let decompressor = self.decompressor.get_or_insert_with(|| {
            bench.free.pop().unwrap_or_else(|| Decompressor::new(takeover, MAX_MESSAGE))
        });
        bench.buffer.resize(BUFFER, 0);
        let mut bytes = 0;
        while let Some(inflated) = decompressor.next(&mut data, last, &mut bench.buffer)? {
            bytes += inflated.len();
            piece(inflated)?;
        }
        if last && !takeover {
            bench.free.extend(self.decompressor.take());
        }
        Ok(bytes)
    }
}
