//! Event streams.

use std::time::Duration;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use pushbench_core::Seq;
use pushbench_core::feed::message::Content;
use pushbench_protocol::sse::{BINARY_EVENT, EVENT_LIMIT, ID_LIMIT, Piece, SseReader, push};

use super::however_cut;
use crate::events::{Event, EventParser};

/// A stream as the load generator's reader has it.
#[derive(Debug, Default, PartialEq)]
struct Read {
    events: Vec<Event>,
    /// The data of an event that is not complete.
    rest: Vec<u8>,
    framing: usize,
    last_id: Vec<u8>,
    retry: Option<Duration>,
}

pub(super) fn holds(input: &[u8]) {
    let read = however_cut(input, read);
    let data: usize = read.events.iter().map(|event| event.data.len()).sum();
    assert_eq!(read.framing + data + read.rest.len(), input.len(), "each byte is one or the other");
    assert!(read.last_id.len() <= ID_LIMIT);
    // Longer types are cut.
    if input.split(|byte| b"\r\n".contains(byte)).all(|line| line.len() <= EVENT_LIMIT) {
        assert_eq!(read.events, EventParser::default().push(input));
    }
    reads_back(input);
}

fn read(pieces: &[&[u8]]) -> Read {
    let (mut reader, mut read) = (SseReader::with_ids(), Read::default());
    for mut piece in pieces.iter().copied() {
        while let Some(part) = reader.next(&mut piece) {
            match part {
                Piece::Framing(bytes) => read.framing += bytes,
                Piece::Data(data) => read.rest.extend_from_slice(data),
                Piece::Dispatch => read.events.push(Event {
                    id: String::from_utf8_lossy(reader.last_id()).into_owned(),
                    kind: String::from_utf8_lossy(reader.event()).into_owned(),
                    data: std::mem::take(&mut read.rest),
                }),
            }
        }
    }
    read.last_id = reader.last_id().to_vec();
    read.retry = reader.retry();
    // A new stream of the same source.
    reader.restart();
    assert_eq!((reader.last_id(), reader.event()), (read.last_id.as_slice(), &b""[..]));
    read
}

/// A message of these bytes is read as one event that has them.
fn reads_back(payload: &[u8]) {
    let (mut stream, content) = (Vec::new(), Content::of(payload));
    push(&mut stream, Seq(7), content, payload);
    let events = read(&[&stream]).events;
    let [event] = events.as_slice() else { panic!("{} events of one message", events.len()) };
    assert_eq!(event.id, "7");
    match content {
        Content::Text => assert_eq!((event.kind.as_str(), event.data.as_slice()), ("", payload)),
        Content::Binary => {
            assert_eq!(event.kind, BINARY_EVENT);
            assert_eq!(STANDARD.decode(&event.data).as_deref(), Ok(payload));
        }
    }
}
