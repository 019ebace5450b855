//! Bodies of answers in gzip (RFC 9110 §8.4.1.3), each compressed once for all who get it.

use std::collections::VecDeque;

use pushbench_protocol::gzip::GzipWriter;

use super::reply::Found;
use crate::config::ServerConfig;
use crate::feed_id::FeedId;
use crate::ring::Ring;

/// Bodies that are kept. Clients that are not quite in step ask for one batch and for the next in
/// turns, and a compressed body costs more to make again than any other.
const KEPT: usize = 8;

/// Compresses bodies, and keeps those that were made last.
#[derive(Debug)]
pub(super) struct GzipBodies {
    writer: GzipWriter,
    /// The body in clear, while it is compressed.
    text: Vec<u8>,
    kept: VecDeque<(FeedId, Found, Box<[u8]>)>,
}

impl GzipBodies {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let settings = config.compression.unwrap_or_default().deflate;
        Self { writer: GzipWriter::new(settings), text: Vec::new(), kept: VecDeque::new() }
    }

    /// The body with these messages.
    pub(super) fn get(&mut self, found: Found, ring: &Ring) -> &[u8] {
        let of = ring.whose.feed;
        let known = self.kept.iter().position(|(feed, known, _)| (*feed, *known) == (of, found));
        let place = known.unwrap_or_else(|| self.make(found, ring));
        &self.kept[place].2
    }

    /// The place of a body that is new.
    fn make(&mut self, found: Found, ring: &Ring) -> usize {
        let (length, last) = found.extent(ring);
        self.text.clear();
        self.text.reserve(length);
        found.push_to(&mut self.text, last, ring);
        let mut coded = Vec::new();
        self.writer.push_body(&self.text, &mut coded);
        self.kept.truncate(KEPT - 1);
        self.kept.push_front((ring.whose.feed, found, coded.into()));
        0
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use pushbench_core::Seq;
    use pushbench_core::feed::message::Content;

    use super::*;
    use crate::config::RingLimits;
    use crate::ring::{Entry, Whose};
    use crate::wire::Codings;

    #[test]
    fn a_body_that_several_clients_get_is_compressed_once() {
        let feed = pushbench_core::feed::FeedSpec {
            seed: 1,
            schedule: pushbench_core::feed::schedule::Schedule::Manual,
            payload: pushbench_core::feed::payload::Payload::Recorded { payloads: [].into() },
        };
        let (mut bodies, mut ring) = (
            GzipBodies::new(&ServerConfig::new(feed)),
            Ring::new(Whose::FEED, RingLimits::default(), Rc::new(Codings::default())),
        );
        ring.push(Entry::new(Seq(1), Content::Text, b"0000000001"));
        ring.push(Entry::new(Seq(2), Content::Text, b"0000000002"));
        let batch = |after| Found::Batch { after: Seq(after), newest: Seq(2) };
        let first = bodies.get(batch(0), &ring).as_ptr();
        let second = bodies.get(batch(1), &ring).as_ptr();
        assert_ne!(first, second);
        assert_eq!(bodies.get(batch(0), &ring).as_ptr(), first);
        assert_eq!(bodies.get(batch(1), &ring).as_ptr(), second);
        for other in 1..100 {
            bodies.get(Found::Newest(Seq(other)), &ring);
        }
        ring.whose.feed = FeedId::new(pushbench_core::MonoInstant(2));
        let other = bodies.get(batch(0), &ring).as_ptr();
        assert_ne!(other, first, "another room has other messages under these numbers");
        assert_eq!(bodies.kept.len(), KEPT, "no more than a few are kept");
    }
}
